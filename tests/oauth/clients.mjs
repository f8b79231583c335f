// Unmodified OAuth 2.0 clients in JavaScript: openid-client and simple-oauth2. Each prints what it gets for a route that
// its token opens, for the same one without a token, and for another route.

import * as openid from "openid-client";
import { ClientCredentials } from "simple-oauth2";

const { TOKEN_URL, API_URL, CLIENT_ID, CLIENT_SECRET } = process.env;

async function openidClient(authentication, scope) {
  const server = { issuer: new URL(TOKEN_URL).origin, token_endpoint: TOKEN_URL };
  const config = new openid.Configuration(server, CLIENT_ID, undefined, authentication(CLIENT_SECRET));
  // It asks for https unless told that plain http is meant; `local` is on loopback.
  openid.allowInsecureRequests(config);
  return (await openid.clientCredentialsGrant(config, scope)).access_token;
}

async function simpleOauth2(authorizationMethod) {
  const { origin, pathname } = new URL(TOKEN_URL);
  const client = new ClientCredentials({
    client: { id: CLIENT_ID, secret: CLIENT_SECRET },
    auth: { tokenHost: origin, tokenPath: pathname },
    options: { authorizationMethod },
  });
  return (await client.getToken({ scope: ["inventory/read"] })).token.access_token;
}

const status = async (path, token) => {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  const answer = await fetch(API_URL + path, { headers });
  await answer.text();
  return answer.status;
};

for (const [name, token] of [
  ["openid-client, Basic", await openidClient(openid.ClientSecretBasic, { scope: "inventory/read" })],
  ["openid-client, body", await openidClient(openid.ClientSecretPost, {})],
  ["simple-oauth2, Basic", await simpleOauth2("header")],
  ["simple-oauth2, body", await simpleOauth2("body")],
]) {
  const statuses = [await status("/inventory", token), await status("/inventory"), await status("/orders", token)];
  console.log(`${name}: ${statuses.join(" ")}`);
}
