// ---- decisions, as server-sent events: an answer ends once it has something, and the browser asks for the next
const NONE = "None yet. Send a request here or from a terminal; it appears at once.";
let waiting = [],
  summary = NONE,
  isPaused = false,
  isDrawing = false,
  source = null,
  seen = 0,
  lastCount = 0,
  shownRun = null;
function summarize(text) {
  summary = text;
  put("last", text, "");
}
function clear() {
  $("rows").replaceChildren();
  waiting = [];
  seen = lastCount = 0;
  summarize(NONE);
}
function decided({ data, lastEventId }) {
  const [from, count] = lastEventId.split(".");
  if (from !== shownRun) {
    clear();
    shownRun = from;
  }
  if (Number(count) <= seen) return;
  seen = Number(count);
  waiting.push(JSON.parse(data));
  if (waiting.length > KEPT) waiting.shift();
  if (!isDrawing) {
    isDrawing = true;
    requestAnimationFrame(draw);
  }
}
/** What a decision means, and what to do about it. */
function why(one, needs, missing) {
  const holders = state.clients.filter(({ allowed }) => allowed[routeIndex(one)]).map(({ name }) => name);
  if (one.status === 401 && one.cached === false && one.reason)
    return [one.meaning || one.reason, "Get a new token; clients renew theirs before it expires."];
  if (one.status === 401 && one.cached !== null)
    return [
      "The gateway allowed it from its cache, and the function refused it: the token has expired since.",
      "Get a new token. Nothing was opened: functions check the expiry again.",
    ];
  if (one.status === 401) return ["There is no token in the Authorization header.", "Send “Authorization: Bearer …”."];
  if (one.reason === "insufficient_scope")
    return [
      `The token is valid, but does not hold ${missing.join(" ") || needs.join(" ")}.`,
      holders.length ? `These clients may call it: ${holders.join(", ")}.` : "No client may call it.",
    ];
  if (!one.route) return ["No route has this method and path.", "Compare it with “Who may call what” below."];
  if (one.status === 429) return ["The client's usage plan allows no more now.", "Slow down, or try again later."];
  if (one.status >= 500) return [one.reason || "A function failed.", "The log of “local” says why."];
  if (one.status >= 400) return ["The authorizer allowed it; the function refused the request itself.", "Read the answer's message."];
  return ["The token's policy covers this route.", ""];
}
const routeIndex = (one) => state.routes.findIndex(({ method, path }) => `${method} ${path}` === one.route);
function detail(one) {
  const needs = state.routes[routeIndex(one)]?.scopes || [];
  const held = one.claims.scope?.split(" ");
  const missing = held ? needs.filter((scope) => !held.includes(scope)) : [];
  const [reason, advice] = why(one, needs, missing);
  const open = state.routes.filter(({ scopes }) => scopes.every((scope) => held?.includes(scope)));
  const facts = [
    ["Why", reason],
    ["What to do", advice],
    ["Route needs", needs.join(" ")],
    ["Missing", missing.join(" ")],
    ["Claims", held && Object.entries(one.claims).map((claim) => claim.join(" ")).join("\n")],
    ["Policy", held && (open.map(({ method, path }) => `${method} ${path}`).join(" · ") || "no route")],
    ["Request id", one.request_id],
  ];
  const known = facts.filter(([, text]) => text);
  return make("dl", known.flatMap(([name, text]) => [make("dt", name), make("dd", text)]), "facts");
}
/** The reason in as many words as a row has room for. */
const brief = ({ reason, ...one }) =>
  reason === "insufficient_scope"
    ? `needs ${state.routes[routeIndex(one)]?.scopes.join(" ") || "more"}`
    : (one.route && reason?.replace("Exception", "")) || "";
function line(one) {
  const outcome = one.outcome === "allowed" ? (one.status < 400 ? "good" : "warn") : "bad";
  const cache = one.cached === null ? "not asked" : one.cached ? "cached" : `called ${one.authorizer_ms.toFixed(1)} ms`;
  const parts = [
    [new Date(one.at_ms).toLocaleTimeString("en-GB"), "time soft"],
    [`${one.outcome} ${one.status}`, `outcome ${outcome}`],
    [one.route || "no such route", "route"],
    [one.client || one.client_id || "not known", one.client ? "who" : "who soft"],
    [brief(one), "reason"],
    [cache, one.cached ? "cache good" : "cache soft"],
    [`${one.latency_ms.toFixed(1)} ms`, "latency soft"],
  ];
  const details = make("details", [make("summary", parts.map(([text, kind]) => make("span", text, kind)))]);
  details.firstChild.tabIndex = -1;
  details.ontoggle = () => details.children.length < 2 && details.append(detail(one));
  return make("li", [details]);
}
function draw() {
  isDrawing = false;
  if (isPaused) {
    put("pause", `Resume (${waiting.length === KEPT ? `${KEPT} or more` : waiting.length} new)`);
    return;
  }
  if (!waiting.length) return;
  const missed = seen - lastCount - waiting.length;
  lastCount = seen;
  const last = waiting.at(-1);
  $("rows").prepend(...waiting.reverse().map(line));
  waiting = [];
  while ($("rows").children.length > KEPT) $("rows").lastElementChild.remove();
  summarize(
    `${number(seen)} since the start${missed > 0 ? `, ${number(missed)} of them not kept` : ""}. Open one to see why. ` +
      `The last: ${last.client || "a caller not known"}, ${last.route || "no such route"}, ` +
      `${last.outcome} ${last.status}${brief(last) && `, ${brief(last)}`}.`,
  );
  refresh();
}
/** One stop of the Tab key for all decisions; the arrows go from one to the next. */
$("rows").onkeydown = (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  const all = [...$("rows").querySelectorAll("summary")];
  all[Math.max(0, all.indexOf(document.activeElement) + step)]?.focus();
  event.preventDefault();
};
on("pause", "last", () => {
  isPaused = !isPaused;
  $("pause").setAttribute("aria-pressed", isPaused);
  put("pause", isPaused ? "Resume" : "Pause");
  draw();
});
function listen() {
  source = new EventSource("/_local/events");
  source.onmessage = decided;
  source.onopen = () => summarize(summary);
  // An end is asked for anew by the browser itself; closed, it was turned away, and `watch` tries again.
  source.onerror = () => {
    if (source.readyState === EventSource.CLOSED)
      put(
        "last",
        "Decisions do not arrive: too many pages are open, or the stack has stopped. This page keeps trying.",
        "warn",
      );
  };
}

// ---- keeping up: every few seconds, and soon after something happened
let soon = null;
function refresh() {
  soon ??= setTimeout(async () => {
    soon = null;
    await look();
  }, 300);
}
async function look() {
  try {
    const answer = await fetch("/_local/state", { cache: "no-store" });
    if (!answer.ok) throw new Error();
    show(await answer.json());
    if (!source || source.readyState === EventSource.CLOSED) listen();
  } catch {
    put("status", "The stack does not answer; this page keeps trying", "bad");
    put("jwks-state", "not known", "soft");
  }
}
async function watch() {
  await look();
  setTimeout(watch, 3000);
}
watch();
