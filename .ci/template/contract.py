"""Owns what the template has to agree with: the code's own tables, and the contract of names and scopes."""

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


def routes() -> dict[tuple[str, str], tuple[str, str]]:
    """The route table in access/src/route.rs: method and path, to scopes and function."""
    text = (ROOT / "access/src/route.rs").read_text()
    scopes = dict(re.findall(r'const (\w+): Scope<\'static> = Scope::of_table\("([^"]+)"\)', text))
    rows = re.findall(r'Route::new\(Method::(\w+), "([^"]+)", &\[([\w, ]+)\], Function::(\w+)\)', text)
    table = re.search(r"pub const ROUTES: &\[Route\] = &\[(.*?)\];", text, re.S)
    assert table and len(rows) == table[1].count("Route::new"), "the route table is not written as it used to be"
    return {
        (method.upper(), path): (" ".join(scopes[name.strip()] for name in names.split(",")), function.lower())
        for method, path, names, function in rows
    }


def scopes() -> set[str]:
    """Every scope that a route asks for."""
    return {scope for names, _ in routes().values() for scope in names.split()}


def required_settings(binary: str) -> set[str]:
    """The settings without which a function does not start. One that calls others has credentials."""
    if binary == "authorizer":
        return {"USER_POOL_ID", "CLIENT_IDS"}
    calls_others = "CallingConfig" in (ROOT / f"handlers/src/bin/{binary}.rs").read_text()
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
