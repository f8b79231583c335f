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
        "raise `Throttle` of the plan; the plan of `order-service` (200/s) with it",
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
        "item of one SKU, writes",
        lambda load: load.hot_sku_writes,
        QUOTAS.partition_writes,
        "split that SKU's stock over several items, or sell it from a queue: no partition is faster than its one item",
    ),
    (
        "partition `stock`, reads",
        lambda load: load.stock_reads,
        QUOTAS.partition_reads,
        "a partition key for each SKU; until then DynamoDB splits between SKUs by itself, after minutes of throttling",
    ),
    (
        "partition `stock`, writes",
        lambda load: load.stock_writes,
        QUOTAS.partition_writes,
        "the same",
    ),
    (
        "partition `day#…` of the orders, writes",
        lambda load: load.day_writes,
        QUOTAS.partition_writes,
        "shard the day: `day#{day}#{n}`, n from the id; see below",
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
        "fixed. Start in waves; `TokenCache=true`; hold calling functions back with reserved concurrency",
    ),
    (
        "Cognito, token requests, steadily",
        lambda load: load.token_requests,
        QUOTAS.cognito_tokens,
        "fixed. Longer `TokenMinutes`, fewer holders (`TokenCache=true`), several accounts",
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
