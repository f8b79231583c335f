// Loaded before aws-lambda-ric, in place of its native HTTP client, which takes minutes to build. All else is the package's own:
// its loop, how it loads handlers, and how it words answers and errors.
"use strict";

const http = require("node:http");
const Module = require("node:module");

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
// One connection: the next invocation is asked for behind the answer to the last.
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

function ask(method, path, body, headers) {
  return new Promise((resolve, reject) => {
    const request = http.request({ host, port, method, path: `/2018-06-01/runtime/invocation/${path}`, headers, agent }, (answer) => {
      const parts = [];
      answer.on("data", (part) => parts.push(part));
      answer.on("end", () => resolve({ bodyJson: Buffer.concat(parts).toString(), headers: answer.headers }));
    });
    request.on("error", reject);
    request.end(body);
  });
}

exports.initializeClient = () => {};
exports.next = () => ask("GET", "next");
exports.done = (id, body) => ask("POST", `${id}/response`, body, { "Content-Type": "application/json" });
exports.error = (id, body) => ask("POST", `${id}/error`, body, { "Content-Type": "application/json" });

const resolve = Module._resolveFilename;
Module._resolveFilename = function (request, ...rest) {
  return request.endsWith("rapid-client.node") ? __filename : resolve.call(this, request, ...rest);
};
