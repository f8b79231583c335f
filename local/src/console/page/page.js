'use strict';
const KEPT = 200;
const $ = id => document.getElementById(id);
/** An element with a text, or with the children of a list. Texts are never markup. */
const make = (tag, content = '', kind = '') => {
  const element = document.createElement(tag);
  if (Array.isArray(content)) element.append(...content); else element.textContent = content;
  if (kind) element.className = kind;
  return element;
};
const table = (id, heads, rows) => {
  const head = make('tr', heads.map(text => { const th = make('th', text); th.scope = 'col'; return th; }));
  $(id).replaceChildren(make('thead', [head]), make('tbody', rows));
};
/** A row of a table that becomes a list of cards on a narrow screen: each cell knows its column. */
const row = cells => {
  const tr = make('tr', cells.map(([label, content, kind, tag = 'td']) => {
    const cell = make(tag, content, kind);
    cell.dataset.label = label;
    cell.setAttribute('role', tag === 'th' ? 'rowheader' : 'cell');
    return cell;
  }));
  tr.setAttribute('role', 'row');
  return tr;
};
const rowHeader = text => { const th = make('th', text); th.scope = 'row'; return th; };
const put = (id, text, kind) => {
  if ($(id).textContent !== text) $(id).textContent = text;
  if (kind !== undefined) $(id).classList.remove('good', 'bad', 'warn', 'soft');
  if (kind) $(id).classList.add(kind);
};

// ---- the key: it is in the address that `local` printed, leaves the address bar at once, and stays with this tab
const KEY = 'console-key';
if (location.hash.length > 30) {
  sessionStorage.setItem(KEY, location.hash.slice(1));
  history.replaceState(null, '', location.pathname);
}
const NO_KEY = 'You can watch, but the buttons need the key of this run: open the console address that “local” printed when it started.';
const notice = text => { put('notice', text); $('notice').hidden = !text; };

const PROBLEMS = {
  no_client: 'There is no such client.',
  call: 'That route cannot be explained.',
  malformed: 'The stack does not understand this: is the token too long?',
  no_authorizer: 'The template does not say all of the authorizer’s settings, so nothing can be explained here.',
  cross_site: 'The stack answers only its own page at 127.0.0.1 or localhost.',
};
/** Presses a button. Throws what a person should read. */
async function press(button, body) {
  let answer;
  try {
    answer = await fetch('/_local/' + button, { method: 'POST', body: JSON.stringify(body),
      headers: { 'Content-Type': 'application/json', 'X-Console-Key': sessionStorage.getItem(KEY) || '' } });
  } catch { throw new Error('The stack does not answer. Is “local” still running?'); }
  const told = await answer.json().catch(() => ({}));
  if (answer.ok) return told;
  if (answer.status === 401) { notice(NO_KEY); throw new Error(NO_KEY); }
  throw new Error(PROBLEMS[told.error] || `That did not work (${answer.status}).`);
}
/** Makes a button do `work`, once at a time, and say at `place` what went wrong. */
function on(button, place, work) {
  $(button).onclick = async () => {
    if ($(button).disabled) return;
    $(button).disabled = true;
    try { await work(); } catch (error) { put(place, error.message, 'bad'); }
    $(button).disabled = false;
    $(button).focus();
  };
}

// ---- state: who there is, who may call what, usage, the issuer
let state = null;
let run = null;
function show(next) {
  const isOther = run !== null && run !== next.run;
  state = next;
  put('key', next.key_id);
  put('jwks-state', next.jwks_down ? 'down: it answers 503' : 'up', next.jwks_down ? 'bad' : 'good');
  put('jwks', next.jwks_down ? 'Bring the JWKS endpoint up' : 'Take the JWKS endpoint down');
  put('status', next.jwks_down ? 'Running, JWKS endpoint down' : 'Running', next.jwks_down ? 'warn' : 'good');
  usage();
  if (isOther) {
    sessionStorage.removeItem(KEY);
    notice('The stack was started anew, with another key and other secrets. Open the console address that it printed; what is below is of the new run.');
    forget();
    clear();
  } else if (run === null) notice(sessionStorage.getItem(KEY) ? '' : NO_KEY);
  if (run === next.run) return;
  run = next.run;
  const names = next.routes.map(route => `${route.method} ${route.path}`);
  $('client').replaceChildren(...next.clients.map(client => new Option(client.name)));
  $('route').replaceChildren(...names.map((name, index) => new Option(name, index)));
  $('call').replaceChildren(new Option('every route', ''), ...names.map(name => new Option(name)));
  table('matrix', ['Route', 'Needs', ...next.clients.map(client => client.name)], next.routes.map((route, index) =>
    make('tr', [rowHeader(names[index]), make('td', route.scopes.join(' '), 'soft'),
      ...next.clients.map(({ allowed }) => allowed[index] ? make('td', 'allowed', 'good') : make('td', 'denied', 'soft'))])));
  choose();
}
const number = value => value.toLocaleString('en', { maximumFractionDigits: 1 });
/** A text with a meter below it; at `good`, 0 or the maximum, all is well. */
const gauge = (value, max, good, text, label) => {
  const meter = make('meter');
  Object.assign(meter, { max, low: max * .1, high: max * .9, optimum: good, value });
  meter.setAttribute('aria-label', label);
  return [make('div', [make('span', text), meter])];
};
function usage() {
  $('usage').replaceChildren(...state.clients.map(({ name, usage: plan }) => {
    const client = ['Client', name, '', 'th'];
    if (!plan) return row([client, ['Plan', 'none: its calls are forbidden', 'warn'], ['Rate', ''], ['Burst', ''], ['Quota', ''], ['Turned away', '']]);
    const away = [plan.throttled && `${number(plan.throttled)} too fast`, plan.over_quota && `${number(plan.over_quota)} over quota`].filter(Boolean);
    return row([client, ['Plan', plan.plan, 'soft'],
      ['Rate', plan.rate === null ? 'no limit' : `${number(plan.rate)} a second`],
      ['Burst', plan.burst === null ? 'no limit' : gauge(plan.ready, plan.burst, plan.burst, `${number(Math.floor(plan.ready))} of ${number(plan.burst)} ready`, `Burst of ${name}`)],
      ['Quota', plan.quota === null ? 'none' : gauge(plan.quota - plan.left, plan.quota, 0, `${number(plan.quota - plan.left)} of ${number(plan.quota)} used this ${plan.period}`, `Quota of ${name} that is used`)],
      ['Turned away', away.join(', ') || 'none', away.length ? 'bad' : 'soft']]);
  }));
}

// ---- token and explanation
function forget() {
  $('token').value = '';
  $('explanation').hidden = true;
  put('verdict', 'Get a token or paste one above, then press “Explain the token”. It stays on this machine.', 'soft');
}
const fill = async button => {
  const { token } = await press(button, { client: $('client').value });
  $('token').value = token;
  put('done', '');
  put('verdict', `${button === 'token' ? 'A token' : 'An expired token'} of ${$('client').value} is in the box. Send a request with it, or have it explained.`, 'soft');
  $('explanation').hidden = true;
};
on('get', 'verdict', () => fill('token'));
on('expire', 'verdict', () => fill('expired'));
on('forget', 'verdict', forget);
on('explain', 'verdict', async () => {
  $('explanation').hidden = true;
  const token = $('token').value.trim();
  if (!token) { $('token').focus(); throw new Error('There is no token to explain: get one, or paste one into the box.'); }
  explained(await press('explain', { token, ...$('call').value && { call: $('call').value } }));
});
const VERDICTS = { passed: ['✓ passed', 'good'], failed: ['✗ failed', 'bad'], undecided: ['? undecided', 'warn'],
  not_asked: ['– not asked', 'soft'], not_reached: ['· not reached', 'soft'] };
const KINDS = { allowed: 'good', denied: 'bad', refused: 'bad', undecided: 'warn' };
const coded = text => text.split('`').map((part, index) => index % 2 ? make('code', part) : part);
function explained(told) {
  const ending = [told.status && `${told.status}`, told.reason].filter(Boolean).join(', ');
  put('verdict', '', KINDS[told.outcome]);
  $('verdict').replaceChildren(make('b', `${told.call || 'Every route'}: ${told.outcome}${ending ? ` (${ending})` : ''}`),
    ...told.because ? [': ', ...coded(told.because)] : [told.call ? '' : ': at least one route is open to this token']);
  $('checks').replaceChildren(...told.checks.map(check => {
    const [text, kind] = VERDICTS[check.verdict];
    const what = make('span', coded(check.check));
    if (check.reason) what.append(` (${check.reason})`);
    return make('li', [make('span', text, kind), what], check.verdict === 'failed' || check.verdict === 'undecided' ? 'now' : '');
  }));
  const { header, claims } = told;
  put('claims', header || claims ? JSON.stringify({ header, claims }, null, 2) : 'Nothing that can be read.');
  put('expiry', claims && Number.isFinite(claims.exp) ? expiry(claims.exp) : '');
  $('covered').hidden = !told.policy;
  table('routes', ['Route', 'Verdict', 'Missing scope'], told.routes.map(route => make('tr', [rowHeader(route.route),
    make('td', route.allowed ? 'allowed' : 'denied', route.allowed ? 'good' : 'bad'), make('td', route.missing.join(' '), 'soft')])));
  put('policy', told.policy ? JSON.stringify(told.policy, null, 2) : '');
  $('explanation').hidden = false;
}
function expiry(exp) {
  const seconds = Math.round(exp - Date.now() / 1000);
  const size = Math.abs(seconds);
  const text = size < 120 ? `${size} seconds` : size < 7200 ? `${Math.round(size / 60)} minutes` : `${number(Math.round(size / 3600))} hours`;
  return seconds > 0 ? `Its life ends in ${text}.` : `Its life ended ${text} ago.`;
}

// ---- request: examples are filled in; what an answer calls an id is used for the paths behind it
const known = { sku: 'coffee-1kg', order: null, payment: null, total: 1890 };
const today = () => new Date().toISOString().slice(0, 10);
const BODIES = {
  'POST /inventory': () => ({ reference: `console-${Date.now()}`, lines: [{ sku: known.sku, change: 5 }] }),
  'POST /orders': () => ({ lines: [{ sku: known.sku, quantity: 1 }] }),
  'PATCH /orders/{id}': () => ({ status: 'cancelled' }),
  'POST /payments': () => ({ order_id: known.order || 'place an order first', amount: known.total }),
  'POST /reports': () => ({ date: today() }),
};
const chosen = () => state.routes[$('route').value];
function choose() {
  const { method, path } = chosen();
  const values = { sku: known.sku, date: today(), id: (path.startsWith('/orders') ? known.order : known.payment) || '1' };
  $('path').value = path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(values[name] || '1'));
  $('body-label').hidden = method === 'GET';
  $('body').value = JSON.stringify((BODIES[`${method} ${path}`] || (() => ({})))(), null, 1).replace(/\n */g, ' ');
}
$('route').onchange = choose;
on('send', 'answer', async () => {
  if (!state) throw new Error('There is no stack to send it to yet.');
  const { method } = chosen(), headers = {}, token = $('token').value.trim();
  if (token) headers.Authorization = token.includes(' ') ? token : `Bearer ${token}`;
  const isRead = method === 'GET';
  if (!isRead) Object.assign(headers, { 'Content-Type': 'application/json', 'Idempotency-Key': crypto.randomUUID() });
  const url = new URL($('path').value, location.origin);
  if (url.origin !== location.origin || !$('path').value.startsWith('/')) throw new Error('The path must be one of this stack, and begin with a slash.');
  let answer;
  try { answer = await fetch(url, { method, headers, body: isRead ? undefined : $('body').value, cache: 'no-store' }); } catch (error) {
    throw new Error(navigator.onLine && error.message.includes('headers') ? 'The token is not on one line.' : 'The request was not answered. Is “local” still running, and the token on one line?');
  }
  const text = await answer.text();
  let shown = text;
  try { const value = JSON.parse(text); learn(value); shown = JSON.stringify(value, null, 2); } catch { /* it is shown as it is */ }
  const type = answer.headers.get('x-amzn-ErrorType');
  put('answer', `${answer.status} ${answer.statusText}${type ? ` · ${type}` : ''}\n${shown.slice(0, 4000)}`, answer.ok ? 'good' : 'bad');
});
function learn({ order_id: order, payment_id: payment, total }) {
  if (payment) known.payment = payment;
  else if (order) Object.assign(known, { order, total: total ?? known.total });
}

// ---- issuer
on('rotate', 'done', async () => { show(await press('rotate', {})); put('done', 'A new key signs from now on; the one before is still published.', 'soft'); });
on('jwks', 'done', async () => {
  const down = !state?.jwks_down;
  show(await press('jwks', { down }));
  put('done', down ? 'The JWKS endpoint answers 503 until you bring it up.' : 'The JWKS endpoint answers again.', 'soft');
});

// ---- decisions, as server-sent events: an answer ends with what it tells, and the browser asks for the next
let waiting = [], isPaused = false, isTelling = false, source = null, seen = 0, lastCount = 0;
function clear() { $('rows').replaceChildren(); $('decisions').hidden = true; waiting = []; seen = 0; lastCount = 0; put('last', 'None yet. Send a request here or from a terminal; it appears at once.', ''); }
function decided({ data, lastEventId }) {
  const count = Number(lastEventId.split('.')[1]);
  if (count <= seen && lastEventId.startsWith(run || lastEventId)) return;
  seen = count;
  waiting.push(JSON.parse(data));
  if (waiting.length > KEPT) waiting.shift();
  if (!isTelling) { isTelling = true; requestAnimationFrame(tell); }
}
function tell() {
  isTelling = false;
  if (isPaused) { put('pause', `Resume (${waiting.length === KEPT ? `${KEPT} or more` : waiting.length} new)`); return; }
  if (!waiting.length) return;
  const missed = seen - lastCount - waiting.length;
  lastCount = seen;
  const rows = waiting.reverse().map(one => row([
    ['Time', new Date(one.at_ms).toLocaleTimeString('en-GB')],
    ['Client', one.client || one.client_id || 'not known', one.client ? '' : 'soft'],
    ['Route', one.route || 'no such route', one.route ? '' : 'soft'],
    ['Outcome', `${one.outcome} ${one.status}`, one.outcome === 'allowed' ? one.status < 400 ? 'good' : 'warn' : 'bad'],
    ['Reason', one.reason || ''],
    ['Authorizer', one.cached === null ? 'not asked' : one.cached ? 'cached' : `called, ${one.authorizer_ms.toFixed(2)} ms`, one.cached ? 'good' : 'soft'],
    ['Latency', `${one.latency_ms.toFixed(2)} ms`, 'number']]));
  const [last] = waiting;
  waiting = [];
  $('rows').prepend(...rows);
  while ($('rows').rows.length > KEPT) $('rows').lastElementChild.remove();
  $('decisions').hidden = false;
  put('last', `${number(seen)} since the start${missed > 0 ? `, ${number(missed)} of them came too fast to be shown` : ''}. The last: ${last.client || 'a caller not known'}, ${last.route || 'no such route'}, ${last.outcome} ${last.status}${last.reason ? `, ${last.reason}` : ''}.`, '');
  refresh();
}
on('pause', 'last', () => {
  isPaused = !isPaused;
  $('pause').setAttribute('aria-pressed', isPaused);
  put('pause', isPaused ? 'Resume' : 'Pause');
  tell();
});
function listen() {
  source = new EventSource('/_local/events');
  source.onmessage = decided;
  // An end is asked for anew by the browser itself; closed, it was turned away, and `watch` tries again.
  source.onerror = () => { if (source.readyState === EventSource.CLOSED) put('last', 'Decisions do not arrive: too many pages are open, or the stack has stopped. This page keeps trying.', 'warn'); };
}

// ---- keeping up: every few seconds, and soon after something happened
let soon = null;
function refresh() { soon ??= setTimeout(async () => { soon = null; await look(); }, 300); }
async function look() {
  try {
    const answer = await fetch('/_local/state', { cache: 'no-store' });
    if (!answer.ok) throw new Error();
    show(await answer.json());
    if (!source || source.readyState === EventSource.CLOSED) listen();
  } catch { put('status', 'The stack does not answer; this page keeps trying', 'bad'); }
}
async function watch() { await look(); setTimeout(watch, 3000); }
watch();
