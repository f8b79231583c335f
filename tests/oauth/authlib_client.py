"""The three outcomes, seen by unmodified OAuth 2.0 clients: Authlib and requests-oauthlib.

Needs a running `local`. Usage: authlib_client.py [BASE_URL [CLIENTS_FILE]]
"""

import json
import os
import sys

# Both libraries ask for https unless told that plain http is meant; `local` is on loopback.
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"

import requests
from authlib.integrations.requests_client import OAuth2Session as Authlib
from oauthlib.oauth2 import BackendApplicationClient
from requests_oauthlib import OAuth2Session as RequestsOauthlib

BASE = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:3000"
CLIENTS_FILE = sys.argv[2] if len(sys.argv) > 2 else ".local/clients.json"
TOKEN_URL = f"{BASE}/oauth2/token"


def authlib(client, method):
    session = Authlib(client["client_id"], client["client_secret"], token_endpoint_auth_method=method)
    session.fetch_token(TOKEN_URL, grant_type="client_credentials")
    return session


def requests_oauthlib(client):
    session = RequestsOauthlib(client=BackendApplicationClient(client_id=client["client_id"]))
    session.fetch_token(TOKEN_URL, client_id=client["client_id"], client_secret=client["client_secret"])
    return session


def main():
    with open(CLIENTS_FILE, encoding="utf-8") as file:
        client = json.load(file)["order-service"]
    wrong = []
    for name, session in [
        ("Authlib, Basic", authlib(client, "client_secret_basic")),
        ("Authlib, body", authlib(client, "client_secret_post")),
        ("requests-oauthlib", requests_oauthlib(client)),
    ]:
        seen = [
            session.get(f"{BASE}/inventory", timeout=10).status_code,
            requests.get(f"{BASE}/inventory", timeout=10).status_code,
            session.get(f"{BASE}/orders", timeout=10).status_code,
        ]
        print(f"{name}: {seen}")
        if seen != [200, 401, 403]:
            wrong.append(name)
    return f"not [200, 401, 403]: {', '.join(wrong)}" if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
