// ---- scenarios: each does what a person would, and ticks its steps off as they happen
const tokenOf = async (client, seconds) => (await press("token", { client, ...(seconds && { seconds }) })).token;
const call = async (token, method = "GET", path = "/inventory", body) => {
  const headers = { Authorization: `Bearer ${token}`, ...(body && { "Content-Type": "application/json" }) };
  const answer = await fetch(path, { method, headers, body, cache: "no-store" });
  const { error, message } = await answer.json().catch(() => ({}));
  return `${answer.status}${error || message ? ` ${error || message}` : ""}`;
};
const jwksDown = async (down) => show(await press("jwks", { down }));
const CALLER = "storefront";
/** Steps: what is to be seen, how, and how its result begins. */
const SCENARIOS = {
  "Key rotation": [
    ["A token is accepted", async (t) => call((t.old = await tokenOf(CALLER))), "200"],
    ["The signing key is rotated", async () => show(await press("rotate", {})), ""],
    ["The old token is still valid: its key stays published", (t) => call(t.old), "200"],
    ["A token of the new key is accepted: the authorizer fetches the keys once", async () => call(await tokenOf(CALLER)), "200"],
  ],
  "Issuer outage": [
    ["A token is accepted", async (t) => call((t.old = await tokenOf(CALLER))), "200"],
    ["The JWKS endpoint goes down", () => jwksDown(true), ""],
    ["The same token: the gateway's cached answer decides", (t) => call(t.old), "200"],
    ["A new token: the keys that the authorizer holds decide", async () => call(await tokenOf(CALLER)), "200"],
    ["The JWKS endpoint comes back", () => jwksDown(false), ""],
  ],
  "Cached Allow outlives its token": [
    ["A token that lives 3 seconds is accepted; the gateway caches the answer", async (t) => call((t.old = await tokenOf(CALLER, 3))), "200"],
    ["The token expires", () => new Promise((done) => setTimeout(done, 3500)), ""],
    ["The gateway still allows it from its cache, and the function refuses it: it checks the expiry again", (t) => call(t.old), "401 token_expired"],
  ],
  "A route that it may not call": [
    [`${CALLER} calls PATCH /orders/1, which needs orders/status`, async () => call(await tokenOf(CALLER), "PATCH", "/orders/1", '{"status":"paid"}'), "403"],
    ["payment-service holds that scope: only the order does not exist", async () => call(await tokenOf("payment-service"), "PATCH", "/orders/1", '{"status":"paid"}'), "404"],
    ["Nobody may call DELETE /orders/1: what the template does not list does not exist", async () => call(await tokenOf("payment-service"), "DELETE", "/orders/1"), "404"],
  ],
};
for (const [name, steps] of Object.entries(SCENARIOS)) {
  const button = make("button", name);
  button.id = `scene-${name.split(" ").pop().toLowerCase()}`;
  $("scenarios").append(button);
  on(button.id, "steps", async () => {
    const items = steps.map(([text]) => make("li", text, "soft"));
    $("steps").replaceChildren(...items);
    $("steps").className = "";
    const memory = {};
    for (const [index, [text, act, expected]] of steps.entries()) {
      items[index].textContent = `… ${text}`;
      const result = String((await act(memory)) ?? "");
      const isGood = result.startsWith(expected);
      items[index].textContent = `${isGood ? "✓" : "✗"} ${text}${result && `: ${result}`}`;
      items[index].className = isGood ? "good" : "bad";
      if (!isGood) break;
    }
    refresh();
  });
}
