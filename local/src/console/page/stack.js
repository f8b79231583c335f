// ---- state: who there is, who may call what, usage, the issuer
let state = null;
let run = null;
function show(next) {
  const isOther = run !== null && run !== next.run;
  state = next;
  put("key", next.key_id);
  put("jwks-state", next.jwks_down ? "down: it answers 503" : "up", next.jwks_down ? "bad" : "good");
  put("jwks", next.jwks_down ? "Bring the JWKS endpoint up" : "Take the JWKS endpoint down");
  put("status", next.jwks_down ? "Running, JWKS endpoint down" : "Running", next.jwks_down ? "warn" : "good");
  put("secrets", next.clients.map(({ name, secrets }) => `${name} ${secrets.join(" and ").replace(/\w+--/g, "…--")}`).join("\n"));
  usage();
  caches(next.cache);
  if (isOther) {
    sessionStorage.removeItem(KEY);
    notice(
      "The stack was started anew, with another key and other secrets. Open the console address that it printed; " +
        "what is below is of the new run.",
    );
    forget();
    put("done", "");
    if (shownRun !== next.run) clear();
  } else if (run === null) notice(sessionStorage.getItem(KEY) ? "" : NO_KEY);
  if (run === next.run) return;
  run = next.run;
  const names = next.routes.map((route) => `${route.method} ${route.path}`);
  $("client").replaceChildren(...next.clients.map((client) => new Option(client.name)));
  $("route").replaceChildren(...names.map((name, index) => new Option(name, index)));
  $("call").replaceChildren(new Option("every route", ""), ...names.map((name) => new Option(name)));
  const verdict = (allowed) =>
    make(
      "td",
      [allowed ? "✓ " : "– ", make("span", allowed ? "allowed" : "denied", "word")],
      allowed ? "good" : "soft",
    );
  table(
    "matrix",
    ["Route and its scope", ...next.clients.map((client) => client.name)],
    next.routes.map((route, index) => {
      const head = rowHeader(names[index]);
      head.append(make("small", route.scopes.join(" "), "soft"));
      return make("tr", [head, ...next.clients.map(({ allowed }) => verdict(allowed[index]))]);
    }),
  );
  choose();
  if (sessionStorage.getItem(KEY) && !$("token").value) start();
}
const number = (value) => value.toLocaleString("en", { maximumFractionDigits: 1 });
/** A text with a meter below it; at `good`, 0 or the maximum, all is well. */
const gauge = (value, max, good, text, label) => {
  const meter = make("meter");
  Object.assign(meter, { max, low: max * 0.1, high: max * 0.9, optimum: good, value });
  meter.setAttribute("aria-label", label);
  return [make("div", [make("span", text), meter])];
};
function usage() {
  const rows = state.clients.map(({ name, usage: plan }) => {
    if (!plan) return [name, "none: its calls are forbidden", "", "", "", ""];
    const away = [
      plan.throttled && `${number(plan.throttled)} throttled`,
      plan.over_quota && `${number(plan.over_quota)} over quota`,
    ].filter(Boolean);
    const ready = `${number(Math.floor(plan.ready))} of ${number(plan.burst)} ready`;
    const used = `${number(plan.quota - plan.left)} of ${number(plan.quota)} used this ${plan.period}`;
    return [
      name,
      plan.plan,
      plan.rate === null ? "no limit" : `${number(plan.rate)} a second`,
      plan.burst === null ? "no limit" : gauge(plan.ready, plan.burst, plan.burst, ready, `Burst of ${name}`),
      plan.quota === null ? "none" : gauge(plan.quota - plan.left, plan.quota, 0, used, `Quota of ${name} that is used`),
      away.join(", ") || "none",
    ];
  });
  const cells = ([name, ...others]) => make("tr", [rowHeader(name), ...others.map((content) => make("td", content))]);
  table("usage", ["Client", "Plan", "Rate", "Burst", "Quota", "Turned away"], rows.map(cells));
}
/** The two caches: the gateway's of answers, the authorizer's of keys. */
function caches({ calls, hits, answers, keys, keys_age: age, pause }) {
  put("hits", `${number(hits)} decisions from the cache, ${number(calls)} calls of the authorizer`);
  const left = Map.groupBy(answers, ([client]) => client);
  const times = [...left].map(([client, all]) => `${client} ${all.map(([, seconds]) => seconds).join(", ")} s left`);
  put("answers", times.join("\n") || "none");
  put("keys", age === null ? "holds no keys" : `holds ${keys} keys, fetched ${age} s ago`);
  put("fetch-pause", pause === null ? "none" : `no fetch for ${number(pause)} s`, pause === null ? "" : "warn");
}

// ---- issuer
on("rotate", "done", async () => {
  show(await press("rotate", {}));
  put("done", "A new key signs from now on; the one before is still published.", "soft");
});
on("jwks", "done", async () => {
  const down = !state?.jwks_down;
  show(await press("jwks", { down }));
  put(
    "done",
    down ? "The JWKS endpoint answers 503 until you bring it up." : "The JWKS endpoint answers again.",
    "soft",
  );
});
