// Tokens that are not Cognito's: the authorizer's binary against a real OpenID provider, both on loopback. The provider
// issues JWT access tokens (RFC 9068) for client credentials; this script plays the Lambda Runtime API.
//
//   node check.mjs PATH-OF-AUTHORIZER

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { generateKeyPairSync, randomUUID } from "node:crypto";
import { createServer } from "node:http";
import Provider from "oidc-provider";

const API = "https://api.example";
const SCOPES = "orders/read orders/write inventory/read";
const STAGE = "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/prod/";

const listen = (server) => new Promise((done) => server.listen(0, "127.0.0.1", () => done(server.address().port)));
const body = async (request) => {
  let text = "";
  for await (const chunk of request) text += chunk;
  return text;
};

// ---- the provider, with keys and secrets made for the run
const key = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" });
const secret = randomUUID();
const client = (client_id) => ({
  client_id,
  client_secret: secret,
  grant_types: ["client_credentials"],
  redirect_uris: [],
  response_types: [],
});
const issuerServer = createServer((request, response) => provider.callback()(request, response));
const issuer = `http://127.0.0.1:${await listen(issuerServer)}`;
const provider = new Provider(issuer, {
  clients: [client("order-service"), client("stranger")],
  jwks: { keys: [{ ...key, kid: "first", use: "sig", alg: "RS256" }] },
  scopes: SCOPES.split(" "),
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_context, audience) => ({
        audience,
        scope: SCOPES,
        accessTokenFormat: "jwt",
        accessTokenTTL: 300,
        jwt: { sign: { alg: "RS256" } },
      }),
    },
  },
});

const token = async (name, parameters) => {
  const answer = await fetch(`${issuer}/token`, {
    method: "POST",
    headers: { authorization: `Basic ${Buffer.from(`${name}:${secret}`).toString("base64")}` },
    body: new URLSearchParams({ grant_type: "client_credentials", ...parameters }),
  });
  const text = await answer.text();
  assert.equal(answer.status, 200, text);
  return JSON.parse(text).access_token;
};

// ---- the Lambda Runtime API
const events = [];
const waiting = new Map();
let poll;
const hand = () => {
  if (!poll || events.length === 0) return;
  const { id, event } = events.shift();
  poll.writeHead(200, {
    "content-type": "application/json",
    "lambda-runtime-aws-request-id": id,
    "lambda-runtime-deadline-ms": `${Date.now() + 15_000}`,
    "lambda-runtime-invoked-function-arn": "arn:aws:lambda:eu-central-1:123456789012:function:authorizer",
  });
  poll.end(JSON.stringify(event));
  poll = undefined;
};
const runtime = createServer(async (request, response) => {
  if (request.url.endsWith("/invocation/next")) {
    poll = response;
    return hand();
  }
  const [, id] = request.url.match(/\/invocation\/([^/]+)\/(?:response|error)$/);
  waiting.get(id)(JSON.parse(await body(request)));
  response.writeHead(202).end("{}");
});
const runtimePort = await listen(runtime);
const decide = (value) =>
  new Promise((done) => {
    const id = randomUUID();
    waiting.set(id, done);
    events.push({ id, event: { type: "TOKEN", authorizationToken: value, methodArn: `${STAGE}GET/orders` } });
    hand();
  });

// ---- the authorizer
const authorizer = spawn(process.argv[2], {
  stdio: ["ignore", "pipe", "inherit"],
  env: {
    AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${runtimePort}`,
    AWS_LAMBDA_FUNCTION_NAME: "authorizer",
    AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: "256",
    TOKEN_ISSUER: issuer,
    JWKS_URI: `${issuer}/jwks`,
    TOKEN_AUDIENCE: API,
    CLIENT_IDS: "order-service",
  },
});
let log = "";
authorizer.stdout.on("data", (chunk) => (log += chunk));
const over = setTimeout(() => {
  console.error("no answer within a minute");
  process.exit(1);
}, 60_000);

try {
  const good = await token("order-service", { resource: API, scope: "orders/read" });
  const [header, payload] = good.split(".", 2).map((part) => JSON.parse(Buffer.from(part, "base64url")));
  assert.deepEqual([header.typ, header.alg, payload.aud, payload.iss], ["at+jwt", "RS256", API, issuer]);

  const allowed = await decide(`Bearer ${good}`);
  assert.equal(allowed.principalId, "order-service");
  assert.equal(allowed.context.scope, "orders/read");
  assert.deepEqual(allowed.policyDocument.Statement, [
    { Action: "execute-api:Invoke", Effect: "Allow", Resource: [`${STAGE}GET/orders`, `${STAGE}GET/orders/*`] },
  ]);
  console.log("a token with orders/read: its two routes are allowed");

  const signature = good.split(".")[2];
  const changed = Buffer.from(JSON.stringify({ ...payload, scope: "inventory/write" })).toString("base64url");
  const refusals = [
    ["another client", "client_not_allowed", await token("stranger", { resource: API, scope: "orders/read" })],
    ["another audience", "audience", await token("order-service", { resource: "https://other.example", scope: "orders/read" })],
    ["no scope", "malformed_scope", await token("order-service", { resource: API })],
    ["an opaque token", "not_three_parts", await token("order-service", {})],
    ["a changed payload", "signature", `${good.split(".")[0]}.${changed}.${signature}`],
  ];
  for (const [name, label, value] of refusals) {
    const { errorType, errorMessage } = await decide(`Bearer ${value}`);
    assert.deepEqual([errorType, errorMessage], [label, "Unauthorized"], name);
    console.log(`${name}: 401 ${label}`);
    assert.ok(!log.includes(value.slice(-30)), "no token is logged");
  }
} finally {
  clearTimeout(over);
  authorizer.kill();
  for (const server of [runtime, issuerServer]) {
    server.closeAllConnections();
    server.close();
  }
}
