// ---- request: examples are filled in; what an answer calls an id is used for the paths behind it
const known = { sku: "coffee-1kg", order: null, payment: null, total: 1890 };
const today = () => new Date().toISOString().slice(0, 10);
const BODIES = {
  "POST /inventory": () => ({ reference: `console-${Date.now()}`, lines: [{ sku: known.sku, change: 5 }] }),
  "POST /orders": () => ({ lines: [{ sku: known.sku, quantity: 1 }] }),
  "PATCH /orders/{id}": () => ({ status: "cancelled" }),
  "POST /payments": () => ({ order_id: known.order || "place an order first", amount: known.total }),
  "POST /reports": () => ({ date: today() }),
};
const chosen = () => state.routes[$("route").value];
function choose() {
  const { method, path } = chosen();
  const values = {
    sku: known.sku,
    date: today(),
    id: (path.startsWith("/orders") ? known.order : known.payment) || "1",
  };
  $("path").value = path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(values[name] || "1"));
  $("body-label").hidden = method === "GET";
  $("body").value = JSON.stringify((BODIES[`${method} ${path}`] || (() => ({})))(), null, 1).replace(/\n */g, " ");
}
$("route").onchange = choose;
on("send", "answer", async () => {
  if (!state) throw new Error("There is no stack to send it to yet.");
  const { method } = chosen(),
    headers = {},
    token = $("token").value.trim();
  if (token) headers.Authorization = token.includes(" ") ? token : `Bearer ${token}`;
  const isRead = method === "GET";
  if (!isRead) Object.assign(headers, { "Content-Type": "application/json", "Idempotency-Key": crypto.randomUUID() });
  const url = new URL($("path").value, location.origin);
  if (url.origin !== location.origin || !$("path").value.startsWith("/"))
    throw new Error("The path must be one of this stack, and begin with a slash.");
  let answer;
  try {
    answer = await fetch(url, { method, headers, body: isRead ? undefined : $("body").value, cache: "no-store" });
  } catch {
    throw new Error("The request was not answered. Is “local” still running, and the token on one line?");
  }
  const text = await answer.text();
  let shown = text;
  try {
    const value = JSON.parse(text);
    learn(value);
    shown = JSON.stringify(value, null, 2);
  } catch {
    /* it is shown as it is */
  }
  const type = answer.headers.get("x-amzn-ErrorType");
  put(
    "answer",
    `${answer.status} ${answer.statusText}${type ? ` · ${type}` : ""}\n${shown.slice(0, 4000)}`,
    answer.ok ? "good" : "bad",
  );
});
function learn({ order_id: order, payment_id: payment, total }) {
  if (payment) known.payment = payment;
  else if (order) Object.assign(known, { order, total: total ?? known.total });
}
