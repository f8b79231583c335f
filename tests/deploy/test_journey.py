"""The whole journey: stock comes in, an order takes some, a payment settles it, a report adds it up."""

import json
from datetime import UTC, datetime

from conftest import Stack


def test_order_payment_report(stack: Stack) -> None:
    def storefront(method: str, path: str, body=None, **headers: str):
        return stack.call("storefront", method, path, body, **headers)

    today = datetime.now(UTC).date().isoformat()
    delivery = {"reference": "po-1", "lines": [{"sku": "A-1", "change": 10, "unit_price": 1250}]}
    for _ in range(2):  # the same reference again changes nothing
        moved = storefront("POST", "/inventory", delivery)
        assert moved.status_code == 200, moved.text
        assert moved.json()["lines"] == [{"sku": "A-1", "on_hand": 10}]

    wanted = {"lines": [{"sku": "A-1", "quantity": 3}]}
    placed = storefront("POST", "/orders", wanted, **{"Idempotency-Key": "cart-1"})
    assert placed.status_code == 201, placed.text
    order = placed.json()
    assert (order["status"], order["total"], order["currency"]) == ("pending", 3750, "EUR")
    again = storefront("POST", "/orders", wanted, **{"Idempotency-Key": "cart-1"})
    assert again.json()["order_id"] == order["order_id"]
    # The order function took the stock with its own token.
    assert storefront("GET", "/inventory/A-1").json()["on_hand"] == 7

    short = storefront("POST", "/orders", {"lines": [{"sku": "A-1", "quantity": 8}]}, **{"Idempotency-Key": "cart-2"})
    assert (short.status_code, short.json()["error"]) == (409, "insufficient_stock"), short.text

    wrong = {"order_id": order["order_id"], "amount": 1}
    assert storefront("POST", "/payments", wrong, **{"Idempotency-Key": "pay-0"}).status_code == 409
    settled = storefront(
        "POST", "/payments", {"order_id": order["order_id"], "amount": 3750}, **{"Idempotency-Key": "pay-1"}
    )
    assert settled.status_code == 201, settled.text
    assert settled.json()["status"] == "settled"
    # The payment function marked the order with its own token: the storefront may not.
    assert storefront("GET", f"/orders/{order['order_id']}").json()["status"] == "paid"
    assert storefront("PATCH", f"/orders/{order['order_id']}", {"status": "cancelled"}).status_code == 403

    made = storefront("POST", "/reports", {"date": today})
    assert made.status_code == 201, made.text
    report = storefront("GET", f"/reports/{today}").json()
    assert (report["orders"]["count"], report["orders"]["total"]) == (1, 3750)
    assert report["orders"]["by_status"]["paid"] == 1
    assert report["payments"] == {"count": 1, "total": 3750}
    assert report["by_sku"] == [{"sku": "A-1", "quantity": 3, "revenue": 3750}]


def test_the_schedule_reports_the_day_before(stack: Stack) -> None:
    events = stack.aws("events")
    rules = [rule for rule in events.list_rules()["Rules"] if "ScheduleExpression" in rule]
    (daily,) = [rule["Name"] for rule in rules if rule["ScheduleExpression"].startswith("cron(")]
    (target,) = events.list_targets_by_rule(Rule=daily)["Targets"]
    event = {
        "version": "0", "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa", "detail-type": "Scheduled Event",
        "source": "aws.events", "account": "123456789012", "time": "2026-03-02T00:15:00Z", "region": "us-east-1",
        "resources": ["arn:aws:events:us-east-1:123456789012:rule/daily"], "detail": {},
    }  # fmt: skip
    answer = stack.aws("lambda").invoke(FunctionName=target["Arn"], Payload=json.dumps(event))
    assert "FunctionError" not in answer, answer["Payload"].read()
    assert stack.call("storefront", "GET", "/reports/2026-03-01").json()["orders"]["count"] == 0


def test_the_sweeps_run_each_minute(stack: Stack) -> None:
    events = stack.aws("events")
    rules = [rule for rule in events.list_rules()["Rules"] if rule.get("ScheduleExpression") == "rate(1 minute)"]
    assert len(rules) == 2, rules
    for rule in rules:
        (target,) = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
        event = {
            "version": "0", "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eab", "detail-type": "Scheduled Event",
            "source": "aws.events", "account": "123456789012", "time": "2026-03-02T00:15:00Z", "region": "us-east-1",
            "resources": [rule["Arn"]], "detail": {},
        }  # fmt: skip
        answer = stack.aws("lambda").invoke(FunctionName=target["Arn"], Payload=json.dumps(event))
        assert "FunctionError" not in answer, answer["Payload"].read()
