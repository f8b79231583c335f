"""What a rate of requests asks of each part, in closed form, what that costs, and at which rate each limit is reached."""

import math
from types import SimpleNamespace

from inputs import CLIENTS, DEPLOYMENT, DURATIONS, MONTH, PRICES, QUOTAS, TRAFFIC

# A token is used until the client has the next one.
GENERATION = DEPLOYMENT.token_seconds * DEPLOYMENT.renewal_share


def decisions(requests: float, tokens: float, cache_seconds: float) -> float:
    """Decisions of the authorizer a second.

    The cache keeps an answer for `cache_seconds` from the call that put it there. So between two misses of a token lie the cache time
    and the wait for the next request; with requests at random, miss k (from 0) comes k cache times and k + 1 such waits after the
    start, and those waits are within t with the chance that a Poisson variable of mean rate * t exceeds k. Requests that arrive
    while the first decision is under way ask too.
    """
    if cache_seconds == 0:
        return requests
    rate, misses = requests / tokens, 0.0
    for k in range(int(GENERATION / cache_seconds) + 1):
        mean = rate * (GENERATION - k * cache_seconds)
        term = none = math.exp(-mean)
        for j in range(1, k + 1):
            term *= mean / j
            none += term
        misses += max(0.0, 1.0 - none)
    return min(requests, tokens * misses / GENERATION * (1.0 + rate * DURATIONS.authorizer))


def instances(rate: float, seconds: float) -> float:
    """Instances for `rate` invocations a second: Little's law, but one instance takes ten a second at most."""
    return max(rate * seconds, rate / QUOTAS.lambda_requests_an_instance)


def load(outside: float, cache_seconds: float = DEPLOYMENT.cache_seconds) -> SimpleNamespace:
    """Everything a second of `outside` requests a second asks for."""
    orders, payments = outside * TRAFFIC.place_order, outside * TRAFFIC.pay
    item_reads = outside * TRAFFIC.read_item
    # Calls of the order function (all prices, the movement) and of the payment function (the order, its status) go through the API.
    order_calls, payment_calls = 2 * orders, 2 * payments
    requests = outside + order_calls + payment_calls
    # Invocations a second and seconds for each. Reports are too few to count.
    inventory_reads = item_reads + outside * TRAFFIC.list_items + orders
    order_reads = outside * TRAFFIC.read_order + payment_calls
    functions = {
        "inventory": (inventory_reads + orders, inventory_reads * DURATIONS.read + orders * DURATIONS.move_stock),
        "order": (order_reads + orders, order_reads * DURATIONS.read + orders * DURATIONS.place_order),
        "payment": (payments, payments * DURATIONS.pay),
    }
    running = {name: instances(rate, busy / rate) for name, (rate, busy) in functions.items()}
    processes = max(CLIENTS, outside / TRAFFIC.requests_a_process)
    callers = running["order"] + running["payment"]
    decided = decisions(requests, processes + callers, cache_seconds)
    authorizers = max(1.0, instances(decided, DURATIONS.authorizer))
    # Units of stock: an item is one read, a page of a hundred is two, a movement reads its reference, and its lines
    # before and after; it writes two for each line, in a transaction, and one in the index, then three for itself.
    stock_reads = item_reads + 2 * outside * TRAFFIC.list_items + orders * (1 + 2 * TRAFFIC.lines)
    stock_writes = 3 * orders * TRAFFIC.lines
    return SimpleNamespace(
        outside=outside, requests=requests, item_reads=item_reads, order_calls=order_calls, payment_calls=payment_calls,
        functions=functions, tokens=processes + callers, decisions=decided, authorizers=authorizers,
        instances=authorizers + sum(running.values()),
        seconds_to_start=max(running.values()) / QUOTAS.lambda_instances_a_second,
        token_requests=processes / GENERATION + callers * (1 / GENERATION + 1 / DURATIONS.instance_life),
        stock_reads=stock_reads, stock_writes=stock_writes + 3 * orders,
        hot_sku=orders * TRAFFIC.lines * TRAFFIC.hot_sku,
        # Two as an order appears, one as it is paid, on one part of its day.
        day_writes=(2 * orders + payments) / DEPLOYMENT.shards,
        report_pages=3 * 86_400 * (orders + payments) / DEPLOYMENT.page,
        # The attempt is looked for before and after each order and payment; 9 writes for an order besides its stock, 12 for a payment.
        reads=stock_reads + 2 * orders + outside * TRAFFIC.read_order + 3 * payments,
        writes=stock_writes + 3 * orders + 9 * orders + 12 * payments,
    )  # fmt: skip


def tiered(amount: float, tiers: tuple) -> float:
    """The price of an amount whose parts cost less the more there are."""
    total = 0.0
    for size, price in tiers:
        total += min(amount, size) * price
        amount -= min(amount, size)
    return total


def monthly_cost(outside: float) -> dict[str, float]:
    """Dollars a month, by part."""
    of = load(outside)
    decided, requests = of.decisions * MONTH, of.requests * MONTH
    calls, busy = (sum(parts) * MONTH for parts in zip(*of.functions.values()))

    def of_lambda(calls: float, seconds: float) -> float:
        return tiered(calls, PRICES.lambda_requests) + tiered(seconds * DEPLOYMENT.memory_gb, PRICES.lambda_gb_seconds)

    logs = (requests * TRAFFIC.log_bytes + decided * TRAFFIC.decision_log_bytes) / 1e9
    return {
        "API Gateway": tiered(requests, PRICES.api_requests),
        "authorizer": of_lambda(decided, decided * DURATIONS.authorizer),
        "functions": of_lambda(calls, busy),
        "DynamoDB": tiered(of.reads * MONTH, PRICES.reads) + tiered(of.writes * MONTH, PRICES.writes),
        "Cognito": tiered(of.token_requests * MONTH, PRICES.tokens),
        "logs": tiered(logs, PRICES.log_gb),
        "traces": tiered(requests * PRICES.traced_share, PRICES.traces),
        "data out": tiered(outside * MONTH * TRAFFIC.answer_bytes / 1e9, PRICES.out_gb),
    }


# What is used, how much there is, what to do when it is not enough.
D, Q = DEPLOYMENT, QUOTAS
LIMITS = [
    ("usage plan of one client, a day", lambda of: of.outside * 86_400, D.storefront_day, "raise `CallsPerDay` of the client: it is there to be set"),
    ("usage plan of one client, a second", lambda of: of.outside, D.storefront_rate, "raise `CallsPerSecond` and `Burst` of the client"),
    ("usage plan of `order-service`, a second", lambda of: of.order_calls, D.service_rate, "raise it with the storefront's: an order is two calls of it, whatever its lines, and a cancelled one three"),
    ("usage plan of `payment-service`, a second", lambda of: of.payment_calls, D.service_rate, "the same: a payment is two calls of it"),
    ("usage plan of `report-service`, the scheduled run", lambda of: of.report_pages / D.report_seconds, D.report_rate, "raise it: pages are read eight at a time, and the run has 15 minutes for three days"),
    ("throttle of the stage, each method", lambda of: of.item_reads, D.stage_rate, "raise `ThrottlingRateLimit`; it keeps a mistake from costing a fortune"),
    ("Lambda concurrency of the account", lambda of: of.instances, Q.lambda_concurrency, "ask for more, early; shorter calls help only down to 0.1 s, since an instance takes ten calls a second"),
    ("item of one SKU, movements", lambda of: of.hot_sku, Q.item_movements, "split that SKU's stock over several SKUs, or sell it from a queue: transactions of one item do not overlap"),
    ("tables, writes of a new one", lambda of: of.stock_writes, Q.new_table_writes, "warm the table up before the day it is needed; it doubles by itself, after minutes of throttling"),
    ("partition `day#…` of the orders, writes", lambda of: of.day_writes, Q.partition_writes, "more parts of a day, `SHARDS`, before the first day that needs them: a day keeps what it began with"),
    ("API Gateway, requests of the account", lambda of: of.requests, Q.api_rate, "ask for more; the burst follows from it. Or several accounts behind one name"),
    ("tables, reads of one", lambda of: of.stock_reads, Q.table_reads, "ask for more, and warm the table up before the day it is needed"),
    ("tables, writes of one", lambda of: of.stock_writes, Q.table_writes, "the same"),
    ("reserved concurrency of the authorizer, if switched on", lambda of: instances(of.decisions, 0.0), D.reserved_authorizers, "raise it; or a longer `AuthorizerCacheSeconds`"),
    ("Cognito, token requests, if all holders start at once", lambda of: of.tokens / D.token_patience, Q.cognito_tokens, "fixed. Start in waves; `POST /token`; hold calling functions back with reserved concurrency"),
    ("Cognito, token requests, steadily", lambda of: of.token_requests, Q.cognito_tokens, "fixed. Longer `TokenMinutes`, fewer holders (`POST /token`), several accounts"),
    ("Cognito, key sets, while a flood of unknown `kid`s runs", lambda of: of.authorizers / D.keys_pause, Q.cognito_keys, "none needed"),
]


def breaking() -> list[tuple[float, str, str]]:
    """At which rate from outside each limit breaks, and what to do; the one that breaks first at the top."""
    found = []
    for name, use, limit, what in LIMITS:
        low, high = 1e-3, 1e12
        for _ in range(200):
            middle = math.sqrt(low * high)
            low, high = (middle, high) if use(load(middle)) < limit else (low, middle)
        found.append((low, name, what))
    return sorted(found)
