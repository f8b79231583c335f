"""What the template has to agree with: routes.json, what the functions serve, and the contract of names and scopes."""

import json
import re

from deployed import ROOT

# Each client and exactly its scopes.
CLIENTS = {
    "order-service": "inventory/read inventory/write",
    "payment-service": "orders/read orders/status",
    "report-service": "orders/read payments/read",
    "storefront": "inventory/read inventory/write orders/read orders/write payments/read payments/write "
    "reports/read reports/write",
}

LOGICAL_IDS = {
    "order-service": "OrderService",
    "payment-service": "PaymentService",
    "report-service": "ReportService",
    "storefront": "Storefront",
}


# Methods without the authorizer: whoever asks there proves themselves with their client's own secret.
OPEN = {("POST", "/token"): "token"}


def routes() -> dict[tuple[str, str], tuple[str, str]]:
    """Method and path of each route, to its scopes in routes.json and the function that says it serves it."""
    served: dict[str, str] = {}
    modules = {"inventory": "inventory", "order": "orders", "payment": "payments", "report": "reports"}
    for binary, module in modules.items():
        text = (ROOT / f"handlers/src/{module}.rs").read_text()
        listed = re.search(r"const ROUTES: &'static \[&'static str\] =\s*&\[(.*?)\];", text, re.S)
        assert listed, f"{module}.rs does not list its routes as it used to"
        served |= {name: binary for name in re.findall(r'"([^"]+)"', listed[1])}
    table = json.loads((ROOT / "routes.json").read_text())
    assert served.keys() == table.keys(), "what is served is not what routes.json has"
    return {tuple(name.split(" ")): (" ".join(scopes), served[name]) for name, scopes in table.items()}


def scopes() -> set[str]:
    """Every scope that a route asks for."""
    return {scope for names, _ in routes().values() for scope in names.split()}


def required_settings(binary: str) -> set[str]:
    """The settings without which a function does not start. One that calls others has credentials."""
    if binary == "authorizer":
        return {"USER_POOL_ID", "CLIENT_IDS"}
    if binary == "token":
        return {"TOKEN_URL", "TOKENS_TABLE"}
    if binary == "rotate":
        return {"USER_POOL_ID", "TOKEN_URL"}
    calls_others = "run_calling" in (ROOT / f"handlers/src/bin/{binary}.rs").read_text()
    return {"TABLE_NAME"} | ({"CREDENTIALS_SECRET"} if calls_others else set())


def outcomes() -> set[str]:
    """The outcomes that a log line can have."""
    text = (ROOT / "access/src/log.rs").read_text()
    body = re.search(r"pub enum Outcome \{(.*?)\n\}", text, re.S)
    assert body
    return {name.lower() for name in re.findall(r"^    (\w+),", body[1], re.M)}


def literals(crate: str) -> set[str]:
    """The texts that stand in a crate's sources."""
    found: set[str] = set()
    for path in (ROOT / crate / "src").rglob("*.rs"):
        found |= set(re.findall(r'"(\w+)"', path.read_text()))
    return found
