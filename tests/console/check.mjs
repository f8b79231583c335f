// Uses the console as a person would. The address comes as the only argument, its key behind `#`.
import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';

const address = process.argv[2];
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'],
});
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  const violations = [], outside = [];
  page.on('pageerror', error => violations.push(error.message));
  // Refused requests are what this test is about; the browser notes each as a failed resource.
  page.on('console', line => {
    if (line.type() === 'error' && !line.text().startsWith('Failed to load resource')) violations.push(line.text());
  });
  page.on('request', request => {
    const url = new URL(request.url());
    if (url.protocol !== 'data:' && url.origin !== new URL(address).origin) outside.push(url.origin);
  });
  await page.goto(address);
  await page.waitForFunction(() => document.querySelector('#client').options.length === 4);
  assert.equal(new URL(page.url()).hash, '', 'the key leaves the address bar');
  await page.selectOption('#client', 'storefront');

  const press = async (button, path) => {
    const [answer] = await Promise.all([page.waitForResponse(answer => answer.url().endsWith(path)), page.click(button)]);
    assert.equal(answer.status(), 200, path);
    await page.waitForTimeout(50);
  };
  const send = async (route, status, ...decision) => {
    await page.selectOption('#route', { label: route });
    await page.click('#send');
    await page.waitForFunction(status => document.querySelector('#answer').textContent.startsWith(status), String(status));
    const first = page.locator('#decisions tr').first();
    try {
      await page.waitForFunction(texts => texts.every(text =>
        document.querySelector('#decisions tr').textContent.includes(text)), decision, { timeout: 5000 });
    } catch { assert.fail(`${route}: ${decision} is not in: ${await first.textContent()}`); }
    await page.evaluate(() => { document.querySelector('#answer').textContent = ''; });
  };

  await press('#get', '/token');
  await send('GET /inventory', 200, 'storefront', 'allowed 200', 'called');
  await send('GET /inventory', 200, 'allowed 200', 'cached');
  await send('PATCH /orders/{id}', 403, 'refused 403', 'insufficient_scope', 'cached');
  await press('#expire', '/expired');
  await send('GET /inventory', 401, 'refused 401', 'expired', 'called');
  await press('#rotate', '/rotate');
  await press('#get', '/token');
  await send('GET /inventory', 200, 'allowed 200', 'called');
  await press('#jwks', '/jwks');
  assert.equal((await page.request.get(new URL('/.well-known/jwks.json', address).href)).status(), 503);
  await send('GET /inventory', 200, 'allowed 200', 'cached');
  await press('#jwks', '/jwks');
  assert.equal((await page.request.get(new URL('/.well-known/jwks.json', address).href)).status(), 200);

  const folder = process.env.SCREENSHOTS;
  for (const width of [1280, 390]) {
    await page.setViewportSize({ width, height: 900 });
    const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(over <= 0, `${over} pixels too wide at ${width}`);
    for (const colorScheme of folder ? ['light', 'dark'] : []) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: `${folder}/${width}-${colorScheme}.png`, fullPage: true });
    }
  }
  const stranger = await page.request.post(new URL('/_local/rotate', address).href, { data: '{}' });
  assert.equal(stranger.status(), 401, 'no button without the key');
  assert.deepEqual(violations, []);
  assert.deepEqual(outside, []);
  console.log('console: every button works');
} finally {
  await browser.close();
}
