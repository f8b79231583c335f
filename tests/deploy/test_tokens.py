"""Tokens: from the emulator's token endpoint, checked against its keys as any resource server would."""

import json
import sys
from pathlib import Path

import jwt
import pytest
import requests
from conftest import CLIENTS, Stack

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / ".ci/template"))
from contract import CLIENTS as SCOPES  # noqa: E402


@pytest.mark.parametrize("client", CLIENTS)
def test_a_token_verifies_against_the_pools_keys(stack: Stack, client: str) -> None:
    token = stack.token(client)
    key = jwt.PyJWKClient(stack.jwks_url).get_signing_key_from_jwt(token)
    issuer = f"https://cognito-idp.us-east-1.amazonaws.com/{stack.outputs['UserPoolId']}"
    claims = jwt.decode(token, key, algorithms=["RS256"], issuer=issuer, options={"require": ["exp", "iat", "jti"]})
    assert claims["client_id"] == claims["sub"] == stack.credentials(client)["client_id"]
    assert claims["token_use"] == "access"
    assert sorted(claims["scope"].split()) == sorted(SCOPES[client].split())
    assert "aud" not in claims


def test_fewer_scopes_may_be_asked_for_and_no_others(stack: Stack) -> None:
    assert jwt.decode(stack.token("storefront", "orders/read"), options={"verify_signature": False})["scope"] == "orders/read"
    answer = stack.ask_for_token("order-service", scope="orders/read")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")


def test_a_wrong_secret_gets_no_token(stack: Stack) -> None:
    own = stack.credentials("storefront")
    answer = requests.post(
        stack.token_url, auth=(own["client_id"], "x"), data={"grant_type": "client_credentials"}, timeout=10
    )
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client")


def test_no_secret_is_told_to_functions_or_outputs(stack: Stack) -> None:
    told = json.dumps(stack.outputs) + json.dumps(stack.aws("lambda").list_functions(), default=str)
    for client in CLIENTS:
        assert stack.credentials(client)["client_secret"] not in told
