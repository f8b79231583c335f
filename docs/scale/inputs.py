"""Owns every figure that comes from outside: quotas, list prices, and what is assumed of the traffic.

Change one, run `docs/scale/make`, and the page follows. What follows from them is left to `model.py`.
"""

from dataclasses import dataclass

REGION = "us-east-1"
LOOKED_UP = "November 2026"

# Requests a second from outside, for which everything is worked out.
STEPS = (10, 100, 1_000, 10_000, 100_000, 1_000_000)

SECONDS_A_MONTH = 30 * 86_400


@dataclass(frozen=True)
class Traffic:
    """What is assumed. Every share is of the requests from outside."""

    read_item: float = 0.60  # GET /inventory/{sku}
    list_items: float = 0.10  # GET /inventory
    read_order: float = 0.20  # GET /orders/{id}
    place_order: float = 0.06  # POST /orders
    pay: float = 0.04  # POST /payments
    lines: int = 2  # of an order
    hot_sku: float = 0.10  # share of the order lines that name the SKU in fashion
    requests_a_process: float = 10.0  # a second, from one process of a client: each holds a token of its own
    answer_bytes: int = 600  # of an answer, headers included
    log_bytes: int = 1_200  # for a request: the access log, the function's line, and Lambda's own
    decision_log_bytes: int = 700  # for a decision of the authorizer


@dataclass(frozen=True)
class Deployment:
    """What template.yaml and the client set; `make` compares the first six with the template."""

    cache_seconds: int = 300  # AuthorizerCacheSeconds
    token_seconds: int = 3_600  # TokenMinutes
    stage_rate: float = 500.0  # ThrottlingRateLimit: of each method
    storefront_rate: float = 100.0  # the plan of the client that sends what comes from outside
    storefront_day: float = 5_000_000.0
    reserved_authorizers: int = 100  # ReserveConcurrency=true
    token_patience: float = 8.0  # the client's time limit for one token, all retries included
    renewal_share: float = 0.75  # of a token's life after which the client asks for the next
    service_rate: float = 200.0  # plans of order-service and payment-service
    report_rate: float = 20.0  # plan of report-service
    report_seconds: float = 900.0  # of a scheduled run, for three days
    page: int = 500  # orders or payments that a report reads at a time
    shards: int = 8
    keys_max_age: int = 3_600  # JWKS_MAX_AGE_SECONDS
    keys_pause: int = 10  # JWKS_COOLDOWN_SECONDS
    memory_gb: float = 0.25


@dataclass(frozen=True)
class Durations:
    """Seconds for one warm invocation, assumed; the network to DynamoDB and back is most of them."""

    authorizer: float = 0.002
    read: float = 0.010
    move_stock: float = 0.030
    place_order: float = 0.120
    pay: float = 0.100
    instance_life: float = 7_200.0  # AWS promises nothing; hours are what is seen


@dataclass(frozen=True)
class Quotas:
    """Defaults of one account in one region."""

    api_rate: float = 10_000.0
    api_burst: float = 5_000.0
    lambda_concurrency: float = 1_000.0
    lambda_requests_an_instance: float = 10.0
    lambda_instances_a_second: float = 100.0  # 1,000 in 10 s, for each function
    cognito_tokens: float = 150.0  # ClientAuthentication: fixed
    cognito_keys: float = 50_000.0
    partition_reads: float = 3_000.0
    partition_writes: float = 1_000.0
    table_reads: float = 40_000.0
    table_writes: float = 40_000.0
    new_table_writes: float = 4_000.0  # of a table on demand that never had more
    item_movements: float = 50.0  # of one item a second: `given_up` of simulation.py


# US dollars. A list of tiers holds (how many, price of each), the last one without an end.
END = float("inf")
MILLION = 1e6


@dataclass(frozen=True)
class Prices:
    """List prices without any free tier."""

    api_requests: tuple = (
        (333e6, 3.50 / MILLION),
        (667e6, 2.80 / MILLION),
        (19e9, 2.38 / MILLION),
        (END, 1.51 / MILLION),
    )
    lambda_requests: tuple = ((END, 0.20 / MILLION),)
    lambda_gb_seconds: tuple = ((7.5e9, 0.0000133334), (11.25e9, 0.0000120001), (END, 0.0000106667))  # arm64
    reads: tuple = ((END, 0.125 / MILLION),)
    writes: tuple = ((END, 0.625 / MILLION),)
    tokens: tuple = ((END, 2.25 / 1_000),)  # the first tier: more cost less; no fee for a client since 3 November 2025
    log_gb: tuple = ((10e3, 0.50), (20e3, 0.25), (20e3, 0.10), (END, 0.05))  # Lambda's tiers, for all logs
    out_gb: tuple = ((10e3, 0.09), (40e3, 0.085), (100e3, 0.07), (END, 0.05))
    traces: tuple = ((END, 5.0 / MILLION),)
    traced_share: float = 0.05


TRAFFIC, DEPLOYMENT, DURATIONS, QUOTAS, PRICES = Traffic(), Deployment(), Durations(), Quotas(), Prices()
CLIENTS = 4
