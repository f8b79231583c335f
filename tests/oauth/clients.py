"""Unmodified OAuth 2.0 clients in Python: Authlib, requests-oauthlib and requests-oauth2client.

Each prints what it gets for a route that its token opens, for the same one without a token, and for another route.
"""

import os

TOKEN_URL, API_URL = os.environ["TOKEN_URL"], os.environ["API_URL"]
CLIENT_ID, CLIENT_SECRET = os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"]

# These ask for https unless told that plain http is meant; `local` is on loopback.
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"

import requests
from authlib.integrations.requests_client import OAuth2Session as Authlib
from oauthlib.oauth2 import BackendApplicationClient
from requests_oauth2client import ClientSecretBasic, ClientSecretPost, OAuth2Client
from requests_oauth2client import OAuth2ClientCredentialsAuth as ClientCredentials
from requests_oauthlib import OAuth2Session as RequestsOauthlib


def authlib(method):
    session = Authlib(
        CLIENT_ID, CLIENT_SECRET, token_endpoint=TOKEN_URL, grant_type="client_credentials",
        scope="inventory/read inventory/write", token_endpoint_auth_method=method,
    )
    session.fetch_token()
    return session


def requests_oauthlib():
    session = RequestsOauthlib(client=BackendApplicationClient(client_id=CLIENT_ID))
    session.fetch_token(TOKEN_URL, client_id=CLIENT_ID, client_secret=CLIENT_SECRET)
    return session


def requests_oauth2client(method):
    client = OAuth2Client(TOKEN_URL, auth=method(CLIENT_ID, CLIENT_SECRET), testing=True)
    session = requests.Session()
    session.auth = ClientCredentials(client, scope="inventory/read")
    return session


for name, session in [
    ("Authlib, Basic", authlib("client_secret_basic")),
    ("Authlib, body", authlib("client_secret_post")),
    ("requests-oauthlib", requests_oauthlib()),
    ("requests-oauth2client, Basic", requests_oauth2client(ClientSecretBasic)),
    ("requests-oauth2client, body", requests_oauth2client(ClientSecretPost)),
]:
    statuses = [
        session.get(f"{API_URL}/inventory", timeout=10).status_code,
        requests.get(f"{API_URL}/inventory", timeout=10).status_code,
        session.get(f"{API_URL}/orders", timeout=10).status_code,
    ]
    print(f"{name}: {' '.join(map(str, statuses))}")
