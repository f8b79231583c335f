// ---- decisions, as server-sent events: an answer ends with what it tells, and the browser asks for the next
const NONE = "None yet. Send a request here or from a terminal; it appears at once.";
let waiting = [],
  summary = NONE,
  isPaused = false,
  isTelling = false,
  source = null,
  seen = 0,
  lastCount = 0,
  told = null;
function summarize(text) {
  summary = text;
  put("last", text, "");
}
function clear() {
  $("rows").replaceChildren();
  $("decisions").hidden = true;
  waiting = [];
  seen = lastCount = 0;
  summarize(NONE);
}
function decided({ data, lastEventId }) {
  const [from, count] = lastEventId.split(".");
  if (from !== told) {
    clear();
    told = from;
  }
  if (Number(count) <= seen) return;
  seen = Number(count);
  waiting.push(JSON.parse(data));
  if (waiting.length > KEPT) waiting.shift();
  if (!isTelling) {
    isTelling = true;
    requestAnimationFrame(tell);
  }
}
function tell() {
  isTelling = false;
  if (isPaused) {
    put("pause", `Resume (${waiting.length === KEPT ? `${KEPT} or more` : waiting.length} new)`);
    return;
  }
  if (!waiting.length) return;
  const missed = seen - lastCount - waiting.length;
  lastCount = seen;
  const rows = waiting.reverse().map((one) =>
    row([
      ["Time", new Date(one.at_ms).toLocaleTimeString("en-GB")],
      ["Client", one.client || one.client_id || "not known", one.client ? "" : "soft"],
      ["Route", one.route || "no such route", one.route ? "" : "soft"],
      [
        "Outcome",
        `${one.outcome} ${one.status}`,
        one.outcome === "allowed" ? (one.status < 400 ? "good" : "warn") : "bad",
      ],
      ["Reason", one.reason || ""],
      [
        "Authorizer",
        one.cached === null ? "not asked" : one.cached ? "cached" : `called, ${one.authorizer_ms.toFixed(2)} ms`,
        one.cached ? "good" : "soft",
      ],
      ["Latency", `${one.latency_ms.toFixed(2)} ms`, "number"],
    ]),
  );
  const [last] = waiting;
  waiting = [];
  $("rows").prepend(...rows);
  while ($("rows").rows.length > KEPT) $("rows").lastElementChild.remove();
  $("decisions").hidden = false;
  summarize(
    `${number(seen)} since the start${missed > 0 ? `, ${number(missed)} of them not kept` : ""}. ` +
      `The last: ${last.client || "a caller not known"}, ${last.route || "no such route"}, ` +
      `${last.outcome} ${last.status}${last.reason ? `, ${last.reason}` : ""}.`,
  );
  refresh();
}
on("pause", "last", () => {
  isPaused = !isPaused;
  $("pause").setAttribute("aria-pressed", isPaused);
  put("pause", isPaused ? "Resume" : "Pause");
  tell();
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
