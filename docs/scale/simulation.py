"""Owns the check of the closed form: the gateway's cache, played request by request.

One token is sent at random moments; its answer is kept for the cache time from when it was put there, an answer that
has been used does not live longer for it, and the client's next token starts with nothing in the cache.
"""

import heapq
import random
from functools import cache

from model import GENERATION, decisions_a_token

# Requests a second of one token; a busy token only repeats what the last one shows.
RATES = (0.0005, 0.003, 0.02, 0.1, 0.5, 3.0)
CACHE_SECONDS = (60, 300, 3_600)

# So many decisions are seen, or this many tokens, whichever is more.
ENOUGH = 3_000
TOKENS = 60

# The seed is part of the page: the same numbers come out each time.
SEED = 20_261_121


class Cache:
    """Answers by token, each until its time has passed. A time of nought keeps nothing."""

    def __init__(self, seconds: float):
        self.seconds = seconds
        self.until: dict[int, float] = {}

    def answers(self, token: int, now: float) -> bool:
        """Whether there is an answer; if not, one is asked for and kept."""
        if self.until.get(token, 0.0) > now:
            return True
        self.until[token] = now + self.seconds
        return False


def simulated(rate: float, cache_seconds: float) -> float:
    """Decisions for each token, by playing."""
    draw = random.Random(f"{SEED} {rate} {cache_seconds}")
    cache = Cache(cache_seconds)
    decided = token = 0
    expected = max(decisions_a_token(rate, cache_seconds, GENERATION), 1e-9)
    for token in range(max(TOKENS, round(ENOUGH / expected / max(1.0, rate * 100)))):
        now = token * GENERATION
        end = now + GENERATION
        while (now := now + draw.expovariate(rate)) < end:
            decided += not cache.answers(token, now)
        cache.until.clear()
    return decided / (token + 1)


# One movement's transaction holds its items for so long; the function tries ten times, with pauses as in `store.rs`.
HELD, TRIES, FIRST_PAUSE, LONGEST_PAUSE = 0.012, 10, 0.010, 0.320


@cache
def given_up(movements: float, seconds: float = 600.0) -> float:
    """The share of the movements of one SKU that give up, at so many a second: the later of two that meet is cancelled."""
    draw = random.Random(f"{SEED} {movements}")
    waiting, now = [], 0.0
    while (now := now + draw.expovariate(movements)) < seconds:
        waiting.append((now, 0))
    heapq.heapify(waiting)
    total, lost = len(waiting), 0
    free = 0.0  # when the transaction under way ends

    def again(at: float, tries: int) -> int:
        if tries + 1 == TRIES:
            return 1
        pause = draw.random() * min(FIRST_PAUSE * 2**tries, LONGEST_PAUSE)
        heapq.heappush(waiting, (at + pause, tries + 1))
        return 0

    while waiting:
        now, tries = heapq.heappop(waiting)
        if free > now:
            lost += again(now, tries)
        else:
            free = now + HELD
    return lost / total


@cache
def comparison() -> list[tuple[int, float, float, float]]:
    """Cache time, rate, simulated, closed form; fails if the two are apart."""
    rows = []
    for seconds in CACHE_SECONDS:
        for rate in RATES:
            found, expected = simulated(rate, seconds), decisions_a_token(rate, seconds, GENERATION)
            if abs(found - expected) > 0.05 * expected:
                raise AssertionError(f"{rate} requests a second, {seconds} s: {found} is not {expected}")
            rows.append((seconds, rate, found, expected))
    return rows
