"""Owns the arithmetic: what a rate of requests asks of each part, in closed form. It takes every figure from
`inputs.py`; `simulation.py` checks the part about the authorizer's cache by playing it."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from inputs import CLIENTS, DEPLOYMENT, DURATIONS, PRICES, QUOTAS, SECONDS_A_MONTH, TRAFFIC

# A token is used until the client has the next one.
GENERATION = DEPLOYMENT.token_seconds * DEPLOYMENT.renewal_share


def decisions_a_token(rate: float, cache_seconds: float, life: float) -> float:
    """How often the authorizer decides about one token that is sent `rate` times a second for `life` seconds.

    The cache keeps an answer for `cache_seconds` from the call that put it there, however often it is used. So
    between two misses lie the cache time and the wait for the next request; with requests that come at random,
    miss number k (from 0) comes k cache times and k + 1 such waits after the start, and the sum of k + 1 waits is
    within t with the chance that a Poisson variable of mean rate * t exceeds k.
    """
    if cache_seconds == 0:
        return rate * life
    total = 0.0
    for k in range(int(life / cache_seconds) + 1):
        mean = rate * (life - k * cache_seconds)
        term = none = math.exp(-mean)
        for j in range(1, k + 1):
            term *= mean / j
            none += term
        total += max(0.0, 1.0 - none)
    return total


def decisions(requests: float, tokens: float, cache_seconds: float = DEPLOYMENT.cache_seconds) -> float:
    """Decisions a second for `requests` a second spread over `tokens` tokens at a time.

    Requests that arrive while the first decision about a token is under way find no answer yet and ask too.
    """
    rate = requests / tokens
    if cache_seconds == 0:
        return requests
    misses = tokens * decisions_a_token(rate, cache_seconds, GENERATION) / GENERATION
    return min(requests, misses * (1.0 + rate * DURATIONS.authorizer))


@dataclass(frozen=True)
class Load:
    """Everything a second of `outside` requests a second asks for."""

    outside: float

    @property
    def order_calls(self) -> float:
        """What the order function calls: all prices at once, and the stock movement."""
        return self.outside * TRAFFIC.place_order * 2

    @property
    def payment_calls(self) -> float:
        """What the payment function calls: the order, and its status."""
        return self.outside * TRAFFIC.pay * 2

    @property
    def requests(self) -> float:
        """All that API Gateway sees: the functions call each other through it."""
        return self.outside + self.order_calls + self.payment_calls

    @property
    def item_reads(self) -> float:
        """Of GET /inventory/{sku}, the busiest method."""
        return self.outside * TRAFFIC.read_item

    @property
    def processes(self) -> float:
        """Processes outside that hold a token: at least one for each client."""
        return max(CLIENTS, self.outside / TRAFFIC.requests_a_process)

    @property
    def function_rates(self) -> dict[str, tuple[float, float]]:
        """Invocations a second and seconds for each, of each function. Reports are too few to count."""
        orders, payments = self.outside * TRAFFIC.place_order, self.outside * TRAFFIC.pay
        inventory_reads = self.item_reads + self.outside * (TRAFFIC.list_items + TRAFFIC.place_order)
        order_reads = self.outside * TRAFFIC.read_order + 2 * payments
        return {
            "inventory": mean((inventory_reads, DURATIONS.read), (orders, DURATIONS.move_stock)),
            "order": mean((order_reads, DURATIONS.read), (orders, DURATIONS.place_order)),
            "payment": (payments, DURATIONS.pay),
        }

    @property
    def tokens(self) -> float:
        """Tokens in use: of the processes outside, and one for each instance of a function that calls."""
        callers = ("order", "payment")
        return self.processes + sum(instances(*self.function_rates[name]) for name in callers)

    def decisions(self, cache_seconds: float = DEPLOYMENT.cache_seconds) -> float:
        """Decisions of the authorizer a second."""
        return decisions(self.requests, self.tokens, cache_seconds)

    @property
    def authorizers(self) -> float:
        """Instances of the authorizer."""
        return max(1.0, instances(self.decisions(), DURATIONS.authorizer))

    @property
    def all_instances(self) -> float:
        """Concurrency that the account needs."""
        return self.authorizers + sum(instances(*of) for of in self.function_rates.values())

    @property
    def token_requests(self) -> float:
        """Token requests a second in steady state: each holder once a generation, or once a life if that is shorter."""
        callers = sum(instances(*self.function_rates[name]) for name in ("order", "payment"))
        return self.processes / GENERATION + callers * (1 / GENERATION + 1 / DURATIONS.instance_life)

    @property
    def stock_reads(self) -> float:
        """Read units a second on stock: an item is one, a page half a unit for each of eight shards, and a movement reads
        its reference, and its lines before and after."""
        orders = self.outside * TRAFFIC.place_order
        listed = 4 * self.outside * TRAFFIC.list_items
        return self.item_reads + listed + orders * (1 + 2 * TRAFFIC.lines)

    @property
    def stock_writes(self) -> float:
        """Write units a second on stock: two for each line, in a transaction, and one in the index."""
        return 3 * self.outside * TRAFFIC.place_order * TRAFFIC.lines

    @property
    def hot_sku_movements(self) -> float:
        """Movements a second of the SKU in fashion."""
        return self.outside * TRAFFIC.place_order * TRAFFIC.lines * TRAFFIC.hot_sku

    @property
    def day_writes(self) -> float:
        """Write units a second on one part of today's orders: two as one appears, one as it is paid."""
        return self.outside * (2 * TRAFFIC.place_order + TRAFFIC.pay) / DEPLOYMENT.shards

    @property
    def report_pages(self) -> float:
        """Pages that the scheduled run reads: three days of orders and payments."""
        made = self.outside * (TRAFFIC.place_order + TRAFFIC.pay) * 86_400
        return 3 * made / DEPLOYMENT.page

    @property
    def reads(self) -> float:
        """Read units a second of all tables: the attempt is looked for before and after each order and payment."""
        orders, payments = self.outside * TRAFFIC.place_order, self.outside * TRAFFIC.pay
        return self.stock_reads + 2 * orders + self.outside * TRAFFIC.read_order + 3 * payments

    @property
    def inventory_writes(self) -> float:
        """Write units a second of the inventory's table: lines and movement in a transaction, then its answer."""
        return self.stock_writes + 3 * self.outside * TRAFFIC.place_order

    @property
    def writes(self) -> float:
        """Write units a second of all tables, their indexes included: 9 for an order besides its stock, 10 + 2 for a
        payment."""
        orders, payments = self.outside * TRAFFIC.place_order, self.outside * TRAFFIC.pay
        return self.inventory_writes + 9 * orders + 12 * payments


def key_fetches(authorizers: float, life: float = DURATIONS.instance_life) -> float:
    """Requests for the key set a second: each instance at its start and once an hour."""
    return authorizers * (1 / life + 1 / DEPLOYMENT.keys_max_age)


def key_fetches_flooded(authorizers: float) -> float:
    """The same while every instance is shown a new unknown `kid` as often as its pause allows."""
    return authorizers / DEPLOYMENT.keys_pause


def mean(*parts: tuple[float, float]) -> tuple[float, float]:
    """The sum of the rates, and their durations' mean."""
    rate = sum(rate for rate, _ in parts)
    return rate, sum(rate * seconds for rate, seconds in parts) / rate


def instances(rate: float, seconds: float) -> float:
    """Instances for `rate` invocations a second: Little's law, but one instance takes ten a second at most."""
    return max(rate * seconds, rate / QUOTAS.lambda_requests_an_instance)


def tiered(amount: float, tiers: tuple) -> float:
    """The price of an amount whose parts cost less the more there are."""
    total = 0.0
    for size, price in tiers:
        part = min(amount, size)
        total += part * price
        amount -= part
    return total


def monthly_cost(load: Load) -> dict[str, float]:
    """Dollars a month, by part."""
    decided = load.decisions() * SECONDS_A_MONTH
    requests = load.requests * SECONDS_A_MONTH
    functions = load.function_rates.values()
    invocations = sum(rate for rate, _ in functions) * SECONDS_A_MONTH
    seconds = sum(rate * each for rate, each in functions) * SECONDS_A_MONTH
    compute = (invocations, seconds * DEPLOYMENT.memory_gb)
    deciding = (decided, decided * DURATIONS.authorizer * DEPLOYMENT.memory_gb)
    logs = (requests * TRAFFIC.log_bytes + decided * TRAFFIC.decision_log_bytes) / 1e9

    def of_lambda(calls: float, gb_seconds: float) -> float:
        return tiered(calls, PRICES.lambda_requests) + tiered(gb_seconds, PRICES.lambda_gb_seconds)

    return {
        "API Gateway": tiered(requests, PRICES.api_requests),
        "authorizer": of_lambda(*deciding),
        "functions": of_lambda(*compute),
        "DynamoDB": tiered(load.reads * SECONDS_A_MONTH, PRICES.reads)
        + tiered(load.writes * SECONDS_A_MONTH, PRICES.writes),
        "Cognito": tiered(load.token_requests * SECONDS_A_MONTH, PRICES.tokens),
        "logs": tiered(logs, PRICES.log_gb),
        "traces": tiered(requests * PRICES.traced_share, PRICES.traces),
        "data out": tiered(load.outside * SECONDS_A_MONTH * TRAFFIC.answer_bytes / 1e9, PRICES.out_gb),
    }


def breaking_rate(use: Callable[[Load], float], limit: float) -> float:
    """The rate from outside at which a use, which grows with it, comes to its limit."""
    low, high = 1e-3, 1e12
    for _ in range(200):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if use(Load(middle)) < limit else (low, middle)
    return low
