// Calls the API with Node 20 or later and no package. Concurrent calls share one token request.
import { setTimeout as sleep } from 'node:timers/promises';

const { TOKEN_URL, API_URL, CLIENT_ID, CLIENT_SECRET } = process.env;
const basic = `Basic ${Buffer.from(`${CLIENT_ID}:${CLIENT_SECRET}`).toString('base64')}`;

async function send(url, authorization, { headers, ...options }) {
  for (let tries = 1; ; tries += 1) {
    const request = { redirect: 'manual', signal: AbortSignal.timeout(10_000), headers: { ...headers, authorization }, ...options };
    const answer = await fetch(url, request);
    const wait = answer.headers.get('retry-after') ?? '';
    if (answer.status !== 429 || !/^\d+$/.test(wait) || tries === 3) return answer;
    await sleep(Math.min(Number(wait), 30) * 1000);
  }
}

let cached = { due: 0 }; // { promise, token, due }
async function request(entry, began = performance.now()) {
  const body = new URLSearchParams({ grant_type: 'client_credentials' });
  const answer = await send(TOKEN_URL, basic, { method: 'POST', body });
  if (!answer.ok) throw new Error(`no token: ${answer.status}`);
  const { access_token, expires_in } = await answer.json();
  return Object.assign(entry, { token: access_token, due: began + expires_in * 750 }).token;
}
/** The cached token, or a new one if that is due for renewal or was refused. */
function token(refused) {
  if (performance.now() >= cached.due || (refused && cached.token === refused)) {
    const entry = (cached = { due: Infinity });
    entry.promise = request(entry).catch((error) => { entry.due = 0; throw error; });
  }
  return cached.promise;
}

export async function call(path, options = {}) {
  const bearer = await token();
  const answer = await send(API_URL + path, `Bearer ${bearer}`, options);
  return answer.status === 401 ? send(API_URL + path, `Bearer ${await token(bearer)}`, options) : answer;
}

for (let n = 0; n < 2; n += 1) console.log((await call('/inventory')).status);
