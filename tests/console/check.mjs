// The console as a person uses it: decisions, the buttons, the token box and the scenarios, with the mouse and with the keyboard alone, on a
// wide and on a narrow screen, light and dark, and with the stack gone.
//
//   node check.mjs PATH-OF-LOCAL

import assert from "node:assert/strict";
import { join } from "node:path";
import { browse, start } from "./stack.mjs";

const [, , binary] = process.argv;
const screenshots = process.env.SCREENSHOTS;
let stack = await start(binary);
const { origin } = stack.address;
const { context, close } = await browse();
context.setDefaultTimeout(10_000);
const page = context.pages()[0];

// ---- what must never happen
const wrong = [];
page.on("pageerror", (error) => wrong.push(error.message));
page.on("console", (line) => {
  // Refused requests are what this check is about; the browser notes each as a failed resource.
  if (line.type() === "error" && !/Failed to load resource|ERR_CONNECTION/.test(line.text())) wrong.push(line.text());
});
page.on("request", (request) => {
  if (!request.url().startsWith("data:") && new URL(request.url()).origin !== origin) wrong.push(request.url());
});

// ---- what a person does
const text = (selector) => page.locator(selector).innerText();
const until = async (selector, ...parts) => {
  for (const part of parts) {
    const found = page.locator(selector).filter({ hasText: part }).first();
    await found.waitFor().catch(async () => assert.fail(`no “${part}” in ${selector}: ${await text(selector)}`));
  }
};
const jwks = async () => (await context.request.get(`${origin}/.well-known/jwks.json`)).status();
const token = () => page.inputValue("#token");
const freshToken = async (button = "#get") => {
  const before = await token();
  await page.click(button);
  await page.waitForFunction((before) => ![before, ""].includes(document.querySelector("#token").value), before);
};
/** Sends a request, and reads its answer and its decision, which may come between those of other callers. */
const send = async (route, status, ...decision) => {
  await page.selectOption("#route", { label: route });
  await page.evaluate(() => document.querySelectorAll("#rows li").forEach((row) => row.setAttribute("data-old", "")));
  await page.click("#send");
  await until("#answer", String(status));
  const rows = page.locator("#rows li:not([data-old])");
  const row = [route, ...decision].reduce((rows, hasText) => rows.filter({ hasText }), rows);
  await row
    .first()
    .waitFor()
    .catch(async () => assert.fail(`${route}: no “${decision}” in ${await rows.allInnerTexts()}`));
};
const count = () => page.locator("#rows li").count();
const picture = async (name) => {
  if (screenshots) await page.screenshot({ path: join(screenshots, `${name}.png`), fullPage: true });
};
const looks = async (name) => {
  for (const width of [1280, 390]) {
    await page.setViewportSize({ width, height: 900 });
    const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(over <= 0, `${name}: ${over} pixels too wide at ${width}`);
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      const low = await page.evaluate(contrasts);
      assert.deepEqual(low, [], `${name}: texts of too little contrast at ${width}, ${colorScheme}`);
      await picture(`${name}-${width}-${colorScheme}`);
    }
  }
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.emulateMedia({ colorScheme: "light" });
};
/** Texts below WCAG's 4.5 to 1. Runs in the page. */
function contrasts() {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = (color) => {
    const [r, g, b] = rgba(color).map((part) =>
      part / 255 <= 0.04045 ? part / 3294.6 : ((part / 255 + 0.055) / 1.055) ** 2.4,
    );
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      if (rgba(color)[3] === 255) return color;
    }
    return "Canvas";
  };
  const low = [];
  for (const element of document.querySelectorAll("body *")) {
    const isText = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!isText || !element.checkVisibility() || element.closest("script, noscript, .skip")) continue;
    const [one, other] = [getComputedStyle(element).color, behind(element)].map(luminance);
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (ratio < 4.5) low.push(`${element.tagName} “${element.textContent.slice(0, 30)}” ${ratio.toFixed(2)}`);
  }
  return low;
}

try {
  // ---- before anything happened
  const loaded = await page.goto(stack.address.href);
  assert.match(loaded.headers()["content-security-policy"], /^default-src 'none'/);
  await until("#status", "Running");
  assert.equal(new URL(page.url()).hash, "", "the key leaves the address bar");
  assert.equal(await page.locator("#client option").count(), 4);
  await until("#last", "None yet");
  await page.waitForFunction(() => document.querySelector("#token").value);
  assert.equal(await page.inputValue("#client"), "storefront", "its token is at hand from the start");
  await looks("empty");
  await page.click("#forget");
  await page.click("#explain");
  await until("#verdict", "no token to explain");
  assert.equal(await page.evaluate(() => document.activeElement.id), "token");

  // ---- a token, requests with it, and the cache
  await page.selectOption("#client", "storefront");
  await send("GET /inventory", 401, "not known", "refused 401", "not asked");
  await page.locator("#rows summary").first().click();
  await until("#rows details[open]", "There is no token in the Authorization header");
  await freshToken();
  await send("GET /inventory", 200, "storefront", "allowed 200", "called", " ms");
  await send("GET /inventory/{sku}", 200, "allowed 200", "cached");
  await send("PATCH /orders/{id}", 403, "refused 403", "needs orders/status", "cached");
  await send("POST /orders", 201, "allowed 201");
  await send("GET /orders/{id}", 200, "GET /orders/{id}");
  await send("POST /payments", 201, "allowed 201");
  await until("#usage tr:has-text('storefront')", "100 a second", "of 200 ready", "5 of 5,000,000 used this day");
  await page.selectOption("#route", { label: "GET /inventory" });
  await page.fill("#path", "/nowhere");
  await page.click("#send");
  await until("#rows li:first-child", "no such route");
  await page.fill("#path", "//a.example/");
  await page.click("#send");
  await until("#answer", "must be one of this stack");

  // ---- the token box
  await page.selectOption("#call", "POST /orders");
  await page.click("#explain");
  await until("#verdict", "POST /orders: allowed");
  assert.ok((await page.locator("#checks li").count()) >= 26, "every check is shown");
  await until("#claims", '"client_id"', '"RS256"');
  const [, , signature] = (await token()).split(".");
  assert.ok(!(await page.evaluate(() => document.body.innerText)).includes(signature), "no signature is shown");
  await page.selectOption("#call", "PATCH /orders/{id}");
  await page.click("#explain");
  await until(
    "#verdict",
    "PATCH /orders/{id}: denied (403, insufficient_scope): the token does not hold orders/status",
  );
  await page.locator("#rows summary").filter({ hasText: "needs orders/status" }).first().click();
  await until("#rows details[open]", "does not hold orders/status", "payment-service", "Missing", "GET /reports/{date}");
  await looks("used");
  await freshToken("#expire");
  await send("GET /inventory", 401, "refused 401", "expired", "called");
  await page.click("#explain");
  await until("#verdict", "refused (401, expired)");
  await until("#checks li.now", "failed");
  await page.fill("#token", "not a token");
  await page.click("#explain");
  await until("#verdict", "refused (401, not_bearer)");
  await page.fill("#token", "x".repeat(30_000));
  await page.click("#explain");
  await until("#verdict", "too long");

  // ---- rotation: an old key is published once more, and then withdrawn
  await freshToken();
  const old = await token();
  const key = await text("#key");
  await page.click("#rotate");
  await page.waitForFunction((key) => document.querySelector("#key").textContent !== key, key);
  await freshToken();
  await send("GET /inventory", 200, "allowed 200", "called");
  await page.fill("#token", old);
  await send("GET /inventory", 200, "allowed 200", "called");

  // ---- an outage: what is kept still decides, a key that nobody can fetch does not
  await page.click("#jwks");
  await until("#jwks-state", "503");
  assert.equal(await jwks(), 503);
  await send("GET /inventory", 200, "allowed 200", "cached");
  await page.click("#rotate");
  await until("#done", "A new key signs");
  await freshToken();
  await send("GET /inventory", 401, "refused 401", "unknown_key");
  await page.click("#explain");
  await until("#verdict", "refused (401, unknown_key)");
  await looks("outage");
  await page.click("#jwks");
  await until("#jwks-state", "up");
  assert.equal(await jwks(), 200);

  // A fetch that failed is followed by a pause of ten seconds, in the authorizer and in explanations alike.
  const again = async (button, selector, hasText) => {
    for (let tries = 0; tries < 40; tries += 1) {
      await page.click(button);
      await page.waitForFunction((button) => document.querySelector(button).ariaBusy !== "true", button);
      if ((await text(selector)).includes(hasText)) return;
      await page.waitForTimeout(500);
    }
    assert.fail(`no “${hasText}” in ${selector} after 20 seconds: ${await text(selector)}`);
  };
  await page.selectOption("#call", "");
  await again("#send", "#answer", "200 OK");
  await again("#explain", "#verdict", ": allowed");

  // ---- the caches, and the scenarios with every step ticked off
  await until("#hits", "from the cache");
  await until("#answers", "storefront", "s left");
  await until("#keys", "holds 2 keys");
  for (const [scene, steps] of Object.entries({ rotation: 4, outage: 5, token: 3, call: 3 })) {
    await page.click(`#scene-${scene}`);
    await page.waitForFunction((id) => document.querySelector(id).ariaBusy !== "true", `#scene-${scene}`);
    assert.equal(await page.locator("#steps li.good").count(), steps, await text("#steps"));
  }
  await until("#steps", "404");
  await looks("scenario");

  // ---- pause
  await page.click("#pause");
  const shown = await count();
  await page.click("#send");
  await until("#pause", "Resume (1 new)");
  assert.equal(await count(), shown);
  await page.click("#pause");
  await page.waitForFunction((shown) => document.querySelector("#rows").children.length > shown, shown);

  // ---- more than a plan lets through, and more than the page keeps
  await page.selectOption("#client", "report-service");
  await freshToken();
  await page.evaluate(
    async (token) => {
      const headers = { Authorization: `Bearer ${token}` };
      await Promise.all(Array.from({ length: 250 }, () => fetch("/orders?cursor=", { headers })));
    },
    await token(),
  );
  await until("#usage tr:has-text('report-service')", "throttled");
  await until("#rows li", "refused 429");
  assert.ok((await count()) <= 200, "the page keeps 200");

  // ---- the keyboard alone, on a page that is new
  const last = await token();
  await page.reload();
  await until("#status", "Running");
  assert.notEqual(await token(), last, "a token does not outlive the page");
  const tab = async (id) => {
    for (let presses = 0; presses < 60; presses += 1) {
      await page.keyboard.press("Tab");
      const at = await page.evaluate(() => {
        const style = getComputedStyle(document.activeElement);
        return { id: document.activeElement.id, outline: `${style.outlineStyle} ${style.outlineWidth}` };
      });
      assert.equal(at.outline, "solid 3px", `focus is to be seen on #${at.id}`);
      if (at.id === id) return;
    }
    assert.fail(`#${id} cannot be reached with the Tab key`);
  };
  await tab("rows");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await until("#rows details[open]", "Why");
  await tab("rotate");
  await page.keyboard.press("Enter");
  await until("#done", "A new key signs");
  await tab("jwks");
  await page.keyboard.press("Enter");
  await until("#done", "answers 503");
  await page.keyboard.press("Enter");
  await until("#done", "answers again");
  await tab("client");
  await page.keyboard.type("storefront");
  await tab("get");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.querySelector("#token").value);
  await tab("explain");
  await page.keyboard.press("Space");
  await until("#verdict", "This token: allowed: 11 of 12 routes are open to it");
  await tab("send");
  await page.keyboard.press("Enter");
  await until("#answer", "200 OK");
  const unnamed = await page.evaluate(() =>
    [...document.querySelectorAll("input, select, textarea")]
      .filter((field) => !field.labels.length)
      .map(({ id }) => id),
  );
  assert.deepEqual(unnamed, [], "every field has a label");

  // ---- a stranger, without the key and from another site
  const press = (headers) => context.request.post(`${origin}/_local/rotate`, { data: "{}", headers });
  assert.equal((await press({})).status(), 401, "no button without the key");
  assert.equal((await press({ Origin: "http://a.example" })).status(), 403);
  assert.equal((await press({ Host: "a.example" })).status(), 403);
  const stranger = await context.newPage();
  await stranger.goto(`${origin}/_local/`);
  await until("#status", "Running");
  await stranger.locator("#notice").filter({ hasText: "need the key" }).waitFor();
  await stranger.click("#get");
  await stranger.locator("#verdict").filter({ hasText: "need the key" }).waitFor();
  assert.equal(await stranger.inputValue("#token"), "");
  await stranger.close();

  // ---- the stack goes, and another comes
  await stack.stop();
  await until("#status", "does not answer");
  await page.click("#rotate");
  await until("#done", "does not answer");
  await page.click("#send");
  await until("#answer", "was not answered");
  await looks("stopped");
  stack = await start(binary, stack.address.port);
  await until("#notice", "started anew");
  await until("#last", "None yet");
  assert.equal(await token(), "", "a token of the run before is gone");
  await page.click("#get");
  await until("#verdict", "need the key");
  await page.goto(stack.address.href);
  await page.locator("#notice").waitFor({ state: "hidden" });
  await freshToken();
  await send("GET /inventory", 200, "allowed 200");

  assert.deepEqual(wrong, []);
  console.log("console: decisions, the buttons, the token box, scenarios, keyboard, screens and outages are as they should be");
} finally {
  await close();
  await stack.stop();
}
