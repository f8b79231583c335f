// ---- token and explanation
function forget() {
  $("token").value = "";
  $("explanation").hidden = true;
  put("verdict", "Get a token or paste one above, then press “Explain the token”. It stays on this machine.", "soft");
}
const fill = async (button) => {
  const { token } = await press(button, { client: $("client").value });
  $("token").value = token;
  put("done", "");
  put(
    "verdict",
    `${button === "token" ? "A token" : "An expired token"} of ${$("client").value} is in the box. ` +
      "Send a request with it, or explain it.",
    "soft",
  );
  $("explanation").hidden = true;
};
/** A token is at hand from the start: the storefront's, if there is one. */
function start() {
  if (state.clients.some(({ name }) => name === CALLER)) $("client").value = CALLER;
  $("get").click();
}
on("get", "verdict", () => fill("token"));
on("expire", "verdict", () => fill("expired"));
on("forget", "verdict", forget);
on("explain", "verdict", async () => {
  $("explanation").hidden = true;
  const token = $("token").value.trim();
  if (!token) {
    $("token").focus();
    throw new Error("There is no token to explain: get one, or paste one into the box.");
  }
  explained(await press("explain", { token, ...($("call").value && { call: $("call").value }) }));
  $("why").scrollIntoView();
});
const VERDICTS = {
  passed: ["✓ passed", "good"],
  failed: ["✗ failed", "bad"],
  undecided: ["? undecided", "warn"],
  not_asked: ["– not asked", "soft"],
  not_reached: ["· not reached", "soft"],
};
const KINDS = { allowed: "good", denied: "bad", refused: "bad", undecided: "warn" };
const coded = (text) => text.split("`").map((part, index) => (index % 2 ? make("code", part) : part));
function explained(explanation) {
  const ending = [explanation.status && `${explanation.status}`, explanation.reason].filter(Boolean).join(", ");
  put("verdict", "", KINDS[explanation.outcome]);
  const open = explanation.routes.filter((route) => route.allowed).length;
  $("verdict").replaceChildren(
    make("b", `${explanation.call || "This token"}: ${explanation.outcome}${ending ? ` (${ending})` : ""}`),
    ...(explanation.because
      ? [": ", ...coded(explanation.because)]
      : [explanation.call ? "" : `: ${open} of ${explanation.routes.length} routes are open to it`]),
  );
  $("checks").replaceChildren(
    ...explanation.checks.map((check) => {
      const [text, kind] = VERDICTS[check.verdict];
      const what = make("span", coded(check.check));
      if (check.reason) what.append(` (${check.reason})`);
      return make(
        "li",
        [make("span", text, kind), what],
        check.verdict === "failed" || check.verdict === "undecided" ? "now" : "",
      );
    }),
  );
  const { header, claims } = explanation;
  put("claims", header || claims ? JSON.stringify({ header, claims }, null, 2) : "Nothing that can be read.");
  put("expiry", claims && Number.isFinite(claims.exp) ? expiry(claims.exp) : "");
  $("covered").hidden = !explanation.policy;
  table(
    "routes",
    ["Route", "Verdict", "Missing scope"],
    explanation.routes.map((route) =>
      make("tr", [
        rowHeader(route.route),
        make("td", route.allowed ? "allowed" : "denied", route.allowed ? "good" : "bad"),
        make("td", route.missing.join(" "), "soft"),
      ]),
    ),
  );
  put("policy", explanation.policy ? JSON.stringify(explanation.policy, null, 2) : "");
  $("explanation").hidden = false;
}
function expiry(exp) {
  const seconds = Math.round(exp - Date.now() / 1000);
  const size = Math.abs(seconds);
  const text = size < 120 ? `${size} seconds` : `${number(Math.round(size / 60))} minutes`;
  return seconds > 0 ? `It expires in ${text}.` : `It expired ${text} ago.`;
}
