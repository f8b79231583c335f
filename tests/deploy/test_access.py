"""Who gets through: every client on every route, and requests that show no good token."""

import sys
from pathlib import Path

import pytest
import requests
from conftest import Stack

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / ".ci/template"))
from contract import CLIENTS, routes  # noqa: E402

ROUTES = routes()


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_client_reaches_exactly_the_routes_of_its_scopes(stack: Stack, client: str, method: str, path: str) -> None:
    needed, _ = ROUTES[method, path]
    body = {} if method != "GET" else None
    real = path.replace("{date}", "2020-01-01").replace("{id}", "0").replace("{sku}", "none")
    answer = stack.call(client, method, real, body)
    if set(needed.split()) <= set(CLIENTS[client].split()):
        # The function answers, if only to say that there is nothing or that the body will not do.
        expected = (400,) if method != "GET" else (200, 400, 404)
        assert answer.status_code in expected, answer.text
        assert answer.status_code == 200 or answer.json()["error"] in ("invalid_request", "not_found"), answer.text
    else:
        assert answer.status_code == 403, answer.text


@pytest.mark.parametrize(
    ("what", "authorization"),
    [
        ("no header", None),
        ("another scheme", "Basic dXNlcjpwYXNz"),
        ("no token", "Bearer"),
        ("no JWT", "Bearer abc"),
        ("another key", "Bearer {head}.{claims}.AAAA"),
        ("another payload", "Bearer {head}.e30.{signature}"),
        ("no signature", "Bearer eyJhbGciOiJub25lIn0.{claims}.AAAA"),
    ],
    ids=lambda it: it if isinstance(it, str) and "Bearer" not in it else None,
)
def test_no_good_token_is_401(stack: Stack, what: str, authorization: str | None) -> None:
    head, claims, signature = stack.token("storefront").split(".")
    headers = {}
    if authorization is not None:
        headers["Authorization"] = authorization.format(head=head, claims=claims, signature=signature)
    answer = requests.get(f"{stack.api_url}/orders", headers=headers, timeout=30)
    assert answer.status_code == 401, f"{what}: {answer.text}"


def test_the_casing_of_the_scheme_does_not_matter(stack: Stack) -> None:
    for scheme in ("bearer", "BEARER"):
        answer = stack.call("storefront", "GET", "/inventory", Authorization=f"{scheme} {stack.token('storefront')}")
        assert answer.status_code == 200, answer.text


def test_a_token_of_fewer_scopes_reaches_fewer_routes(stack: Stack) -> None:
    headers = {"Authorization": f"Bearer {stack.token('storefront', 'orders/read')}"}
    assert requests.get(f"{stack.api_url}/orders", headers=headers, timeout=30).status_code == 200
    assert requests.get(f"{stack.api_url}/inventory", headers=headers, timeout=30).status_code == 403


def test_each_decision_is_one_log_line_without_secrets(stack: Stack) -> None:
    before = len(stack.log_lines())
    stack.call("storefront", "GET", "/inventory", Authorization="Bearer a.b.c")
    stack.call("payment-service", "GET", "/orders")
    refused, *answered = stack.log_lines()[before:]
    assert (refused["outcome"], refused["route"]) == ("refused", "GET /inventory") and refused["reason"]
    # The emulator keeps an answer for its token: the authorizer may have had no need to decide again.
    assert answered[-1]["outcome"] == "answered" and answered[-1]["route"] == "GET /orders"
    assert answered[-1]["client_id"] == stack.credentials("payment-service")["client_id"]
    assert {"allowed", "refused", "answered"} == {line["outcome"] for line in stack.log_lines()}
    written = stack.log.read_text()
    for client in CLIENTS:
        assert stack.credentials(client)["client_secret"] not in written
        assert stack.token(client).split(".")[2] not in written
