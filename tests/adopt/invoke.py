"""Runs functions on a laptop: `python invoke.py 9000 Books=books.handler Scopegate=./bootstrap`.

A Lambda Invoke endpoint for `gateway` and `local`. Python handlers run in this process; a program that speaks Lambda's Runtime API, such
as the authorizer's bootstrap or Node's runtime client, is started with this one's environment and a Runtime API of its own."""

import importlib, json, os, queue, subprocess, sys, threading, traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def body(self):
        return self.rfile.read(int(self.headers["Content-Length"] or 0))

    def reply(self, body=b"{}", status=200, **headers):
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Invoke(Handler):
    def do_POST(self):  # /2015-03-31/functions/NAME/invocations
        event, function = self.body(), functions.get(self.path.split("/")[3])
        if not function:
            return self.reply(b'{"Message":"no such function"}', 404)
        body, failed = function(event)
        self.reply(body, **({"X_Amz_Function_Error": "Unhandled"} if failed else {}))


class Program:
    """A program and its Runtime API; calling it hands it an event and waits for the answer."""

    def __init__(self, name, path):
        self.waiting, self.answers = queue.Queue(), {}
        program = self

        class Runtime(Handler):
            def do_GET(self):  # /2018-06-01/runtime/invocation/next
                number, event = program.waiting.get()
                self.reply(event, Lambda_Runtime_Aws_Request_Id=number, Lambda_Runtime_Deadline_Ms="9999999999999")

            def do_POST(self):  # /2018-06-01/runtime/invocation/ID/response or /error, or /2018-06-01/runtime/init/error
                body, parts = self.body(), self.path.split("/")
                if parts[3] == "invocation":
                    program.answers.pop(parts[4]).put((body, parts[5] == "error"))
                self.reply(status=202)

        api = f"127.0.0.1:{serve(Runtime, 0)}"
        own = {"RUNTIME_API": api, "FUNCTION_NAME": name, "FUNCTION_VERSION": "1", "FUNCTION_MEMORY_SIZE": "256"}
        subprocess.Popen([path], env={**os.environ, **{f"AWS_LAMBDA_{variable}": value for variable, value in own.items()}})

    def __call__(self, event):
        answer, number = queue.Queue(), str(threading.get_ident())
        self.answers[number] = answer
        self.waiting.put((number, event))
        return answer.get()


def python(path):
    module, name = path.rsplit(".", 1)
    handler = getattr(importlib.import_module(module), name)

    def call(event):
        try:
            return json.dumps(handler(json.loads(event), None)).encode(), False
        except Exception as error:
            traceback.print_exc()
            return json.dumps({"errorType": type(error).__name__, "errorMessage": str(error)}).encode(), True

    return call


def serve(handler, port):
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    threading.Thread(target=server.serve_forever).start()
    return server.server_port


sys.path.insert(0, os.getcwd())
named = (argument.split("=", 1) for argument in sys.argv[2:])
functions = {name: Program(name, path) if "/" in path else python(path) for name, path in named}
print(f"Serving functions on http://127.0.0.1:{serve(Invoke, int(sys.argv[1]))}", flush=True)
