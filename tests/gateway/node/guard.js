// The two authorizers, as AWS's blueprints are written: one answers by callback, one by promise.
"use strict";

const calls = { token: 0, request: 0 };

function policy(Effect, Resource, kind) {
  const Statement = [{ Action: "execute-api:Invoke", Effect, Resource }];
  return {
    principalId: "reader",
    policyDocument: { Version: "2012-10-17", Statement },
    context: { calls: calls[kind], trusted: true },
  };
}

exports.token = (event, context, callback) => {
  calls.token += 1;
  const stage = event.methodArn.split("/").slice(0, 2).join("/");
  switch (event.authorizationToken) {
    case "Bearer reader":
      return callback(null, policy("Allow", `${stage}/GET/books/*`, "token"));
    case "Bearer writer":
      return callback(null, policy("Allow", `${stage}/*`, "token"));
    case "Bearer banned":
      return callback(null, policy("Deny", "*", "token"));
    case "Bearer crash":
      throw new TypeError("no such key");
    case "Bearer odd":
      return callback(null, { principalId: "reader" });
    default:
      return callback("Unauthorized");
  }
};

exports.request = async (event) => {
  calls.request += 1;
  const allowed = event.headers["X-Key"] === event.queryStringParameters.tenant;
  return policy(allowed ? "Allow" : "Deny", event.methodArn, "request");
};
