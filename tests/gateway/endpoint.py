"""Lambda's Invoke endpoint, and behind it a Runtime API for each function, for the runtime interface clients to run them."""

import itertools
import json
import queue
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def reply(self, status, body=b"", headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def serve(handler, **attributes):
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (handler,), attributes))
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    return f"127.0.0.1:{server.server_port}"


class Function:
    """One function: what waits for it, and who waits for its answers. `ready` once its process has asked for work."""

    def __init__(self, name):
        self.name, self.ready = name, Event()
        self.waiting, self.replies, self.lock = queue.Queue(), {}, Lock()
        self.numbers = itertools.count(1)
        self.address = serve(RuntimeApi, function=self)

    def invoke(self, event):
        reply = queue.Queue()
        with self.lock:
            number = f"00000000-0000-4000-8000-{next(self.numbers):012}"
            self.replies[number] = reply
        self.waiting.put((number, event))
        return reply.get(timeout=30)

    def settle(self, number, body, is_error):
        with self.lock:
            reply = self.replies.pop(number)
        reply.put((body, is_error))


class RuntimeApi(Handler):
    def do_GET(self):
        self.function.ready.set()
        number, event = self.function.waiting.get()
        arn = f"arn:aws:lambda:us-east-1:123456789012:function:{self.function.name}"
        headers = [
            ("Content-Type", "application/json"),
            ("Lambda-Runtime-Aws-Request-Id", number),
            ("Lambda-Runtime-Deadline-Ms", str(int(time.time() * 1000) + 29_000)),
            ("Lambda-Runtime-Invoked-Function-Arn", arn),
        ]
        self.reply(200, event, headers)

    def do_POST(self):
        body, parts = self.body(), self.path.split("/")
        if parts[3] == "invocation":
            self.function.settle(parts[4], body, parts[5] == "error")
        else:
            print(f"{self.function.name} did not start: {body.decode()}", flush=True)
        self.reply(202)


class Invoke(Handler):
    def do_POST(self):
        event = self.body()
        function = self.functions.get(self.path.split("/")[3])
        if function is None:
            missing = {"Type": "User", "Message": "Function not found"}
            return self.reply(404, json.dumps(missing).encode())
        body, is_error = function.invoke(event)
        self.reply(200, body, [("X-Amz-Function-Error", "Unhandled")] if is_error else [])


def start(names):
    """The address of the endpoint, and its functions by name."""
    functions = {name: Function(name) for name in names}
    return serve(Invoke, functions=functions), functions
