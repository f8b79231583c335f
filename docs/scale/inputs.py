"""Every figure that comes from outside: quotas, list prices, and what is assumed of the traffic. Change one, run `docs/scale/make`,
and the page follows."""

from types import SimpleNamespace

REGION, LOOKED_UP = "us-east-1", "November 2026"
# Requests a second from outside, for which everything is worked out.
STEPS = (10, 100, 1_000, 10_000, 100_000, 1_000_000)
MONTH = 30 * 86_400
CLIENTS = 4

# What is assumed. Every share is of the requests from outside.
TRAFFIC = SimpleNamespace(
    read_item=0.60,  # GET /inventory/{sku}
    list_items=0.10,  # GET /inventory
    read_order=0.20,  # GET /orders/{id}
    place_order=0.06,  # POST /orders
    pay=0.04,  # POST /payments
    lines=2,  # of an order
    hot_sku=0.10,  # share of the order lines that name the SKU in fashion
    requests_a_process=10.0,  # a second, from one process of a client: each holds a token of its own
    answer_bytes=600,  # of an answer, headers included
    log_bytes=1_200,  # for a request: the access log, the function's line, and Lambda's own
    decision_log_bytes=700,  # for a decision of the authorizer
)
# What template.yaml and the client set; `make` compares the first six with the template.
DEPLOYMENT = SimpleNamespace(
    cache_seconds=300,  # AuthorizerCacheSeconds
    token_seconds=3_600,  # TokenMinutes
    stage_rate=500.0,  # ThrottlingRateLimit: of each method
    storefront_rate=100.0,  # the plan of the client that sends what comes from outside
    storefront_day=5_000_000.0,
    reserved_authorizers=100,  # ReserveConcurrency=true
    token_patience=8.0,  # the client's time limit for one token, all retries included
    renewal_share=0.75,  # of a token's life after which the client asks for the next
    service_rate=200.0,  # plans of order-service and payment-service
    report_rate=20.0,  # plan of report-service
    report_seconds=900.0,  # of a scheduled run, for three days
    page=500,  # orders or payments that a report reads at a time
    shards=8,
    keys_max_age=3_600,  # JWKS_MAX_AGE_SECONDS
    keys_pause=10,  # JWKS_COOLDOWN_SECONDS
    memory_gb=0.25,
)
# Seconds for one warm invocation, assumed; the network to DynamoDB and back is most of them.
DURATIONS = SimpleNamespace(
    authorizer=0.002, read=0.010, move_stock=0.030, place_order=0.120, pay=0.100,
    instance_life=7_200.0,  # AWS promises nothing; hours are what is seen
)  # fmt: skip
# Defaults of one account in one region.
QUOTAS = SimpleNamespace(
    api_rate=10_000.0, lambda_concurrency=1_000.0, lambda_requests_an_instance=10.0,
    lambda_instances_a_second=100.0,  # 1,000 in 10 s, for each function
    cognito_tokens=150.0,  # ClientAuthentication: fixed
    cognito_keys=50_000.0, partition_writes=1_000.0, table_reads=40_000.0, table_writes=40_000.0,
    new_table_writes=4_000.0,  # of a table on demand that never had more
    item_movements=50.0,  # of one item a second: of transactions of 12 ms, a few in 100 give up
)  # fmt: skip

# US dollars, list prices without any free tier. A list of tiers holds (how many, price of each), the last one without an end.
END, MILLION = float("inf"), 1e6
PRICES = SimpleNamespace(
    api_requests=((333e6, 3.50 / MILLION), (667e6, 2.80 / MILLION), (19e9, 2.38 / MILLION), (END, 1.51 / MILLION)),
    lambda_requests=((END, 0.20 / MILLION),),
    lambda_gb_seconds=((7.5e9, 0.0000133334), (11.25e9, 0.0000120001), (END, 0.0000106667)),  # arm64
    reads=((END, 0.125 / MILLION),),
    writes=((END, 0.625 / MILLION),),
    tokens=((END, 2.25 / 1_000),),  # the first tier: more cost less; no fee for a client since 3 November 2025
    log_gb=((10e3, 0.50), (20e3, 0.25), (20e3, 0.10), (END, 0.05)),  # Lambda's tiers, for all logs
    out_gb=((10e3, 0.09), (40e3, 0.085), (100e3, 0.07), (END, 0.05)),
    traces=((END, 5.0 / MILLION),),
    traced_share=0.05,
)
# What is billed although nobody calls: what, how many with Monitoring=full and basic (`.ci/template` counts the same), dollars of each.
IDLE = (
    ("secrets", 4, 4, 0.40),
    ("metrics that alarms look at", 56, 3, 0.10),
    ("composite alarms", 4, 0, 0.50),
    ("dashboards", 1, 0, 3.00),
    ("own metrics that the sweeps fill", 4, 0, 0.30),
    ("sweeps, two a minute: 86,400 calls, their time and what they read", 1, 1, 0.42),
)
