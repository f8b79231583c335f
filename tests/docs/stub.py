"""A stand-in for the token endpoint and the API: answers from a script, and records the requests."""

import base64
import json
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CLIENT_ID, CLIENT_SECRET = "3n4b5urk1ft4fl3mg5e62d9ado", "secret"

# Status and headers of one answer.
Answer = tuple[int, dict[str, str]]


@dataclass
class Script:
    """The answers, in order; then 200."""

    api: list[Answer] = field(default_factory=list)
    tokens: list[Answer] = field(default_factory=list)
    life: int = 3600


@dataclass
class Stub:
    """The address and what it received: how many token requests, and the paths and tokens of the calls."""

    url: str
    token_requests: int = 0
    calls: list[tuple[str, str]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


@contextmanager
def stub(script: Script):
    """Runs the stand-in for the time of the block."""
    lock = threading.Lock()
    basic = "Basic " + base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_) -> None:
            pass

        def answer(self, scripted: Answer, body: dict) -> None:
            content = json.dumps(body).encode()
            self.send_response(scripted[0])
            for name, value in scripted[1].items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            with lock:
                scripted = script.tokens.pop(0) if script.tokens else (200, {})
                seen.token_requests += 1
                token = f"a.b.{seen.token_requests}"
                if (self.headers["Authorization"], body) != (basic, "grant_type=client_credentials"):
                    seen.wrong.append(f"token request {dict(self.headers)} {body}")
            answer = {"access_token": token, "expires_in": script.life, "token_type": "Bearer"}
            self.answer(scripted, answer if scripted[0] == 200 else {"error": "invalid_request"})

        def do_GET(self) -> None:
            with lock:
                scripted = script.api.pop(0) if script.api else (200, {})
                seen.calls.append((self.path, self.headers["Authorization"].removeprefix("Bearer ")))
            self.answer(scripted, {})

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_) -> None:
            # A client may disconnect at any time.
            if not isinstance(sys.exception(), ConnectionError):
                super().handle_error(*_)

    server = Server(("127.0.0.1", 0), Handler)
    seen = Stub(f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield seen
    finally:
        server.shutdown()
        server.server_close()
