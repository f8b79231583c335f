"""Owns what the page shows: its plots and its tables. Where the numbers come from is left to `model.py`."""

from inputs import CLIENTS, QUOTAS, STEPS, TRAFFIC
from limits import breaking
from model import (
    GENERATION,
    Load,
    decisions,
    decisions_a_token,
    instances,
    key_fetches,
    key_fetches_flooded,
    monthly_cost,
)
from plot import Line, Plot, short
from simulation import CACHE_SECONDS, comparison

RATES = [10 ** (power / 4) for power in range(4, 25)]


def plots() -> dict[str, Plot]:
    """Every picture by its file's name."""
    compared = comparison()
    rates = [10 ** (power / 4) for power in range(-14, 7)]
    hits = [
        Line(
            f"cache {seconds} s",
            [(rate, decisions_a_token(rate, seconds, GENERATION) / (rate * GENERATION)) for rate in rates],
            [(rate, found / (rate * GENERATION)) for its, rate, found, _ in compared if its == seconds],
        )
        for seconds in CACHE_SECONDS
    ]
    return {
        "decisions": Plot(
            "Decisions of the authorizer, by cache time",
            "requests a second from outside",
            "decisions a second",
            [
                over(f"cache {seconds} s" if seconds else "no cache", lambda load, s=seconds: load.decisions(s))
                for seconds in (0, 60, 300, 3_600)
            ],
        ),
        "clients": Plot(
            "Decisions at 10,000 requests a second, by how many tokens share them",
            "tokens in use",
            "decisions a second",
            [
                Line(f"cache {seconds} s", [(tokens, decisions(10_000.0, tokens, seconds)) for tokens in RATES])
                for seconds in CACHE_SECONDS
            ],
        ),
        "simulation": Plot(
            "Share of requests that reach the authorizer: curves computed, circles played",
            "requests a second with one token",
            "share",
            hits,
        ),
        "tokens": Plot(
            "Token requests to Cognito",
            "requests a second from outside",
            "token requests a second",
            [
                over("a token for each request", lambda load: load.requests),
                over("the client's cache", lambda load: load.token_requests),
            ],
            [("ClientAuthentication: 150, fixed", QUOTAS.cognito_tokens)],
        ),
        "keys": Plot(
            "Requests for the key set, by instances of the authorizer",
            "instances",
            "requests a second",
            [
                Line("flood of unknown kids", [(count, key_fetches_flooded(count)) for count in RATES]),
                Line("instances live 5 min", [(count, key_fetches(count, 300.0)) for count in RATES]),
                Line("instances live 2 h", [(count, key_fetches(count, 7_200.0)) for count in RATES]),
            ],
            [("Cognito: 50,000", QUOTAS.cognito_keys)],
        ),
        "dynamodb": Plot(
            "Use of single DynamoDB partition keys, as a share of what one partition bears",
            "requests a second from outside",
            "share",
            [
                over("one part of today's orders, writes", lambda load: load.day_writes / QUOTAS.partition_writes),
                over("one SKU's item, movements", lambda load: load.hot_sku_movements / QUOTAS.item_movements),
            ],
            [("all of one partition", 1.0)],
        ),
        "cost": Plot(
            "Dollars a month, by part",
            "requests a second from outside",
            "dollars a month",
            [over(part, lambda load, part=part: monthly_cost(load)[part]) for part in monthly_cost(Load(1.0))],
            floor=0.01,
        ),
    }


def over(name: str, value) -> Line:
    """A line over all rates."""
    return Line(name, [(rate, value(Load(rate))) for rate in RATES])


def table(head: list[str], rows: list[list[str]]) -> str:
    """A table in Markdown: words to the left, numbers to the right."""
    lines = [head, ["---", *("---:" for _ in head[1:])], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def by_step(rows: list[tuple[str, object]]) -> str:
    """A table with a column for each step."""
    head = ["requests a second", *(f"{step:,}" for step in STEPS)]
    return table(head, [[name, *(short(value(Load(step))) for step in STEPS)] for name, value in rows])


def tables() -> dict[str, str]:
    """Every generated table by its name on the page."""
    steps = []
    for low, high in zip((0, *STEPS), STEPS):
        broken = [f"{name} ({short(rate)}/s)" for rate, name, _ in breaking() if low < rate <= high]
        steps.append([f"up to {high:,}", "; ".join(broken) or "nothing more"])
    compared = comparison()
    costs = [(part, lambda load, part=part: monthly_cost(load)[part]) for part in monthly_cost(Load(1.0))]
    return {
        "steps": table(["requests a second", "what breaks, in this order"], steps).replace("---:", "---"),
        "limits": table(
            ["limit", "breaks at", "what to do"],
            [[name, f"{short(rate)}/s", what] for rate, name, what in breaking()],
        ).replace("---: | ---:", "---: | ---"),
        "decisions": by_step(
            [
                ("requests at API Gateway, the functions' own included", lambda load: load.requests),
                ("tokens in use", lambda load: load.tokens),
                *(
                    (f"decisions, cache {seconds} s", lambda load, s=seconds: load.decisions(s))
                    for seconds in (0, 60, 300, 3_600)
                ),
            ]
        ),
        "simulation": table(
            [
                "requests a second with one token",
                *(
                    f"cache {seconds} s: played" if column == 0 else "computed"
                    for seconds in CACHE_SECONDS
                    for column in (0, 1)
                ),
            ],
            [
                [
                    f"{rate:g}",
                    *(
                        f"{value:.2f}"
                        for seconds in CACHE_SECONDS
                        for its, at, *both in compared
                        if (its, at) == (seconds, rate)
                        for value in both
                    ),
                ]
                for rate in sorted({rate for _, rate, *_ in compared})
            ],
        ),
        "tokens": by_step(
            [
                ("without the client's cache", lambda load: load.requests),
                ("with it", lambda load: load.token_requests),
                (
                    "seconds until all holders have one, if all start at once",
                    lambda load: load.tokens / QUOTAS.cognito_tokens,
                ),
            ]
        ),
        "keys": by_step(
            [
                ("instances of the authorizer, at most", lambda load: load.authorizers),
                ("key set requests a second", lambda load: key_fetches(load.authorizers)),
                ("while a flood of unknown `kid`s runs", lambda load: key_fetches_flooded(load.authorizers)),
            ]
        ),
        "dynamodb": by_step(
            [
                ("reads of stock, all partitions", lambda load: load.stock_reads),
                ("writes of stock, all partitions", lambda load: load.stock_writes),
                ("movements of one SKU (50)", lambda load: load.hot_sku_movements),
                ("writes on one part of today's orders (1,000)", lambda load: load.day_writes),
                ("pages of the scheduled report (18,000)", lambda load: load.report_pages),
            ]
        ),
        "lambda": by_step(
            [
                ("concurrency that the account needs", lambda load: load.all_instances),
                (
                    "seconds to get there from nothing",
                    lambda load: (
                        max(instances(*of) for of in load.function_rates.values()) / QUOTAS.lambda_instances_a_second
                    ),
                ),
            ]
        ),
        "cost": by_step(
            [
                *costs,
                ("**together**", lambda load: sum(monthly_cost(load).values())),
                (
                    "dollars per million requests",
                    lambda load: sum(monthly_cost(load).values()) / (load.outside * 2.592),
                ),
            ]
        ),
        "assumed": f"{TRAFFIC.read_item:.0%} read one item, {TRAFFIC.list_items:.0%} list items, {TRAFFIC.read_order:.0%} read an order, "
        f"{TRAFFIC.place_order:.0%} place one of {TRAFFIC.lines} lines, {TRAFFIC.pay:.0%} pay one; {TRAFFIC.hot_sku:.0%} of the lines name the same SKU; "
        f"a process of a client sends {TRAFFIC.requests_a_process:g} requests a second; {CLIENTS} clients.",
    }
