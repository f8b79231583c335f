"""Calls the API with the standard library alone. Threads share the token, and one of them at a time requests it."""

import base64, json, os, threading, time, urllib.request
from urllib.error import HTTPError

TOKEN_URL, API_URL = os.environ["TOKEN_URL"], os.environ["API_URL"]
BASIC = base64.b64encode(f"{os.environ['CLIENT_ID']}:{os.environ['CLIENT_SECRET']}".encode()).decode()


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


opener = urllib.request.build_opener(NoRedirect)
lock, cached, due = threading.Lock(), None, 0.0


def send(url, authorization, body=None, method=None, headers={}):
    for last_try in (False, False, True):
        request = urllib.request.Request(url, body, {**headers, "Authorization": authorization}, method=method)
        try:
            with opener.open(request, timeout=10) as answer:
                return answer.status, answer.read()
        except HTTPError as answer:
            wait = answer.headers.get("Retry-After", "")
            if answer.code != 429 or not wait.isdecimal() or last_try:
                return answer.code, answer.read()
            time.sleep(min(int(wait), 30))


def token(refused=None):
    """The cached token, or a new one if that is due for renewal or was refused."""
    global cached, due
    with lock:
        began = time.monotonic()
        if cached in (None, refused) or began >= due:
            status, body = send(TOKEN_URL, f"Basic {BASIC}", b"grant_type=client_credentials")
            if status != 200:
                raise RuntimeError(f"no token: {status}")
            answer = json.loads(body)
            cached, due = answer["access_token"], began + answer["expires_in"] * 0.75
        return cached


def call(path, **options):
    bearer = token()
    status, body = send(API_URL + path, f"Bearer {bearer}", **options)
    if status == 401:
        status, body = send(API_URL + path, f"Bearer {token(refused=bearer)}", **options)
    return status, body


for _ in range(2):
    print(call("/inventory")[0])
