"""Owns the limits that the load runs into: what is used, how much there is, and what to do when it is not enough."""

from inputs import DEPLOYMENT, QUOTAS
from model import breaking_rate, instances, key_fetches_flooded

# The limits in the order of the path of a request: name, what is used, how much there is, what to do.
LIMITS = [
    (
        "usage plan of one client, a day",
        lambda load: load.outside * 86_400,
        DEPLOYMENT.storefront_day,
        "raise `Quota.Limit` of the plan, or drop it: it is there to be set",
    ),
    (
        "usage plan of one client, a second",
        lambda load: load.outside,
        DEPLOYMENT.storefront_rate,
        "raise `Throttle` of the plan",
    ),
    (
        "usage plan of `order-service`, a second",
        lambda load: load.order_calls,
        DEPLOYMENT.service_rate,
        "raise it with the storefront's: an order is two calls of it, whatever its lines, and a cancelled one three",
    ),
    (
        "usage plan of `payment-service`, a second",
        lambda load: load.payment_calls,
        DEPLOYMENT.service_rate,
        "the same: a payment is two calls of it",
    ),
    (
        "usage plan of `report-service`, the scheduled run",
        lambda load: load.report_pages / DEPLOYMENT.report_seconds,
        DEPLOYMENT.report_rate,
        "raise it: pages are read eight at a time, and the run has 15 minutes for three days",
    ),
    (
        "throttle of the stage, each method",
        lambda load: load.item_reads,
        DEPLOYMENT.stage_rate,
        "raise `ThrottlingRateLimit`; it keeps a mistake from costing a fortune",
    ),
    (
        "Lambda concurrency of the account",
        lambda load: load.all_instances,
        QUOTAS.lambda_concurrency,
        "ask for more, early; shorter calls help only down to 0.1 s, since an instance takes ten calls a second",
    ),
    (
        "item of one SKU, movements",
        lambda load: load.hot_sku_movements,
        QUOTAS.item_movements,
        "split that SKU's stock over several SKUs, or sell it from a queue: transactions of one item do not overlap",
    ),
    (
        "tables, writes of a new one",
        lambda load: load.inventory_writes,
        QUOTAS.new_table_writes,
        "warm the table up before the day it is needed; it doubles by itself, after minutes of throttling",
    ),
    (
        "partition `day#…` of the orders, writes",
        lambda load: load.day_writes,
        QUOTAS.partition_writes,
        "more parts of a day, `SHARDS`, before the first day that needs them: a day keeps what it began with",
    ),
    (
        "API Gateway, requests of the account",
        lambda load: load.requests,
        QUOTAS.api_rate,
        "ask for more; the burst follows from it. Or several accounts behind one name",
    ),
    (
        "tables, reads of one",
        lambda load: load.stock_reads,
        QUOTAS.table_reads,
        "ask for more, and warm the table up before the day it is needed",
    ),
    (
        "tables, writes of one",
        lambda load: load.inventory_writes,
        QUOTAS.table_writes,
        "the same",
    ),
    (
        "reserved concurrency of the authorizer, if switched on",
        lambda load: instances(load.decisions(), 0.0),
        float(DEPLOYMENT.reserved_authorizers),
        "raise it; or a longer `AuthorizerCacheSeconds`",
    ),
    (
        "Cognito, token requests, if all holders start at once",
        lambda load: load.tokens / DEPLOYMENT.token_patience,
        QUOTAS.cognito_tokens,
        "fixed. Start in waves; `POST /token`; hold calling functions back with reserved concurrency",
    ),
    (
        "Cognito, token requests, steadily",
        lambda load: load.token_requests,
        QUOTAS.cognito_tokens,
        "fixed. Longer `TokenMinutes`, fewer holders (`POST /token`), several accounts",
    ),
    (
        "Cognito, key sets, while a flood of unknown `kid`s runs",
        lambda load: key_fetches_flooded(load.authorizers),
        QUOTAS.cognito_keys,
        "none needed",
    ),
]


def breaking() -> list[tuple[float, str, str]]:
    """Every limit, the one that breaks first at the top."""
    return sorted((breaking_rate(use, limit), name, what) for name, use, limit, what in LIMITS)
