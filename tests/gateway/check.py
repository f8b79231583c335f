"""Serves the Node and the Python project beside this file with `gateway`, their functions in AWS's runtime interface clients,
and compares the answers with what API Gateway gives."""

import http.client
import json
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import endpoint

HERE = Path(__file__).parent
GATEWAY = HERE.parents[1] / "target/debug/gateway"
HANDLERS = {
    "TokenGuard": "guard.token",
    "RequestGuard": "guard.request",
    "Books": "books.handler",
    "Reports": "reports.handler",
}
RUNTIMES = {
    "python": [sys.executable, "-m", "awslambdaric"],
    "node": ["node", "--require", HERE / "native.cjs", HERE / "node_modules/.bin/aws-lambda-ric"],
}
COVER = bytes(range(256)) * 2
UNAUTHORIZED = {"message": "Unauthorized"}
DENIED = {"Message": "User is not authorized to access this resource"}
EXPLICITLY = {"Message": DENIED["Message"] + " with an explicit deny"}
NOT_DECIDED = {"message": None}
BROKEN = {"message": "Internal server error"}


def book(number, path, ident):
    return [f"/books/{path}", {"id": ident}, "reader", str(number), "true"]


def token(value):
    return {"Authorization": f"Bearer {value}"}


def key(value):
    return {"X-Key": value}


# In this order: what an authorizer answers is cached. The number in an answer is how often its authorizer has been called.
CASES = [
    ("no token: 401 without a call", "/books/1", {}, 401, UNAUTHORIZED),
    ("a token that is refused", "/books/1", token("nobody"), 401, UNAUTHORIZED),
    ("a valid token", "/books/1", token("reader"), 200, book(2, "1", "1")),
    ("from the cache, parameters encoded", "/books/a%2Fb%20c?q=1", token("reader"), 200, book(2, "a%2Fb%20c", "a%2Fb%20c")),
    ("a trailing slash", "/books/1/", token("reader"), 200, book(2, "1/", "1")),
    ("the policy of another token", "/books/1", token("writer"), 200, book(3, "1", "1")),
    ("an explicit Deny", "/books/1", token("banned"), 403, EXPLICITLY),
    ("a Deny is cached", "/books/2", token("banned"), 403, EXPLICITLY),
    ("an authorizer that fails", "/books/1", token("crash"), 500, NOT_DECIDED),
    ("an authorizer's answer without policy", "/books/1", token("odd"), 500, NOT_DECIDED),
    ("neither was cached", "/books/1", token("odd"), 500, NOT_DECIDED),
    ("what has been cached stays", "/books/3", token("reader"), 200, book(2, "3", "3")),
    ("no route", "/pens", token("reader"), 403, {"message": "Missing Authentication Token"}),
    ("one identity source is missing", "/reports?tenant=a", {}, 401, UNAUTHORIZED),
    ("the other is empty", "/reports?tenant=", key("a"), 401, UNAUTHORIZED),
    ("both are there", "/reports?tenant=a", key("a"), 200, [{"tenant": "a"}, "1"]),
    ("both again: cached", "/reports?tenant=a&page=2", key("a"), 200, [{"tenant": "a", "page": "2"}, "1"]),
    ("another key: called, and denied", "/reports?tenant=a", key("b"), 403, EXPLICITLY),
    ("another tenant: called", "/reports?tenant=b", key("b"), 200, [{"tenant": "b"}, "3"]),
    ("an open route", "/open/fine", {}, 200, ["GET", None]),
    ("a function that fails", "/open/crash", {}, 502, BROKEN),
    ("a malformed answer", "/open/malformed", {}, 502, BROKEN),
    ("past its Timeout", "/open/slow", {}, 502, BROKEN),
]


class Gateway:
    """A running gateway, and everything that it has written."""

    def __init__(self, stack, project, functions):
        command = [GATEWAY, "--template", HERE / project / "template.yaml", "--functions", f"http://{functions}", "--port", "0"]
        self.process = stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        stack.callback(self.process.kill)
        for line in self.process.stdout:
            if line.startswith("Serving "):
                self.port = int(line.split("127.0.0.1:")[1].split(",")[0])
                return
        raise SystemExit(f"{project}: the gateway did not start")

    def ask(self, path, headers, method="GET", body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer, answer.read()

    def log(self):
        self.process.terminate()
        return self.process.stdout.read()


def expect(what, seen, expected):
    if seen != expected:
        raise SystemExit(f"{what}: {seen} instead of {expected}")


def check(project):
    with ExitStack() as stack:
        address, functions = endpoint.start(HANDLERS)
        for name, function in functions.items():
            environment = {
                **os.environ,
                "AWS_LAMBDA_RUNTIME_API": function.address,
                "AWS_LAMBDA_FUNCTION_NAME": name,
                "LAMBDA_TASK_ROOT": str(HERE / project),
                "PYTHONDONTWRITEBYTECODE": "1",
            }
            command = [*RUNTIMES[project], HANDLERS[name]]
            process = subprocess.Popen(
                command, cwd=HERE / project, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            stack.enter_context(process)
            stack.callback(process.kill)
        for name, function in functions.items():
            if not function.ready.wait(30):
                raise SystemExit(f"{project}: {name} did not ask for an invocation")
        gateway = Gateway(stack, project, address)
        for what, path, headers, status, body in CASES:
            answer, seen = gateway.ask(path, headers)
            expect(f"{project}: {what}", (answer.status, json.loads(seen)), (status, body))
            expect(f"{project}: {what}: request id", len(answer.headers["x-amzn-RequestId"]), 36)
        images = {"Content-Type": "image/png", "Accept": "image/png"}
        answer, seen = gateway.ask("/covers", {**token("writer"), **images}, "POST", COVER)
        expect(f"{project}: bytes", (answer.status, answer.headers["X-Bytes"], seen), (201, str(len(COVER)), COVER))
        answer, seen = gateway.ask("/covers", {**token("reader"), **images}, "POST", COVER)
        expect(f"{project}: the cached policy, for another method", (answer.status, json.loads(seen)), (403, DENIED))
        log = gateway.log()
        for reason in ["failed with", "malformed", "ran into its Timeout", "the authorizer failed", "policyDocument"]:
            expect(f"{project}: the log tells `{reason}`", reason in log, True)
        expect(f"{project}: the log keeps the function's message", "secret" in log, False)
    print(f"{project}: {len(CASES) + 2} answers are API Gateway's")


for each in sys.argv[1:] or RUNTIMES:
    check(each)
