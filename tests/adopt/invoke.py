"""Runs functions on a laptop: `python invoke.py 9000 Books=books.handler Scopegate=./bootstrap`.

A Lambda Invoke endpoint for `gateway` and `local`: Python handlers in this process, and programs that speak Lambda's Runtime API
(the authorizer's bootstrap, Node's and Java's runtime clients) as processes with this one's environment."""

import importlib, json, os, queue, subprocess, sys, threading, traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

port, functions = int(sys.argv[1]), dict(argument.split("=", 1) for argument in sys.argv[2:])
sys.path.insert(0, os.getcwd())
waiting, answers = {name: queue.Queue() for name in functions}, {}


class Endpoint(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body, parts = self.rfile.read(int(self.headers["Content-Length"])), self.path.split("/")
        if parts[2] == "2018-06-01":  # /NAME/2018-06-01/runtime/invocation/ID/response or /error
            answers[parts[5]].put((body, parts[6] == "error"))
            return self.reply(b"{}", 202)
        name = parts[4] if len(parts) == 6 else ""  # /2015-03-31/functions/NAME/invocations
        if name not in functions:
            return self.reply(b'{"message":"no such function"}', 404)
        if "/" in functions[name]:
            number = f"{name}-{threading.get_ident()}"
            answers[number] = queue.Queue()
            waiting[name].put((number, body))
            body, failed = answers[number].get()
        else:
            body, failed = python(functions[name], json.loads(body))
        self.reply(body, 200, {"X-Amz-Function-Error": "Unhandled"} if failed else {})

    def do_GET(self):  # /NAME/2018-06-01/runtime/invocation/next
        number, event = waiting[self.path.split("/")[1]].get()
        self.reply(event, 200, {"Lambda-Runtime-Aws-Request-Id": number, "Lambda-Runtime-Deadline-Ms": "9999999999999"})

    def reply(self, body, status, headers={}):
        self.send_response(status)
        for header in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(*header)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def python(handler, event):
    module, name = handler.rsplit(".", 1)
    try:
        return json.dumps(getattr(importlib.import_module(module), name)(event, None)).encode(), False
    except Exception as error:
        traceback.print_exc()
        return json.dumps({"errorType": type(error).__name__, "errorMessage": str(error)}).encode(), True


server = ThreadingHTTPServer(("127.0.0.1", port), Endpoint)
for name, program in functions.items():
    if "/" in program:
        lambda_environment = {"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{port}/{name}", "AWS_LAMBDA_FUNCTION_NAME": name}
        subprocess.Popen([program], env={**os.environ, **lambda_environment})
server.serve_forever()
