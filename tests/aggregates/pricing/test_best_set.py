"""The best set of promotions equals the best of all sets, each priced."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from aggregates.pricing.best_set import SearchedCart, best_set, conflicts_of
from aggregates.pricing.candidate import Candidate
from aggregates.pricing.line_prices import cart_of, line_prices
from aggregates.pricing.pipeline import price, promotion_steps
from aggregates.pricing.preparing import lines_of, prepare, usable
from aggregates.pricing.request import PriceRequest
from tests.aggregates.pricing.carts import random_request
from tests.examples import many

SEEDS = st.integers(0, 10**9)


def searched(request: PriceRequest) -> tuple[tuple[Candidate, ...], SearchedCart]:
    items = lines_of(request)
    prices = line_prices(request, usable(request)[0], items)
    prepared = prepare(request, items, prices.locked)
    return prepared.candidates, cart_of(request.rules, prepared.items, prices)


def by_brute_force(candidates: tuple[Candidate, ...], cart: SearchedCart) -> tuple[int, int, int]:
    """Return pins used, what is taken off, and how few promotions that takes, of the best of all sets."""
    conflicts = conflicts_of(candidates)
    best = (0, 0, 0)
    for size in range(len(candidates) + 1):
        for chosen in combinations(range(len(candidates)), size):
            if any(conflicts[i] >> j & 1 for i in chosen for j in chosen):
                continue
            steps, _, _ = promotion_steps([candidates[i] for i in chosen], cart)
            if all(step.amount for step in steps):
                pins = sum(candidates[i].pinned for i in chosen)
                best = max(best, (pins, sum(step.amount for step in steps), -size))
    return best


@settings(max_examples=many(150))
@given(SEEDS, st.sampled_from([0.1, 0.3, 0.5]))
def test_the_best_set_equals_brute_force(seed: int, conflicts: float) -> None:
    request = random_request(seed, promotions=7, conflicts=conflicts)
    candidates, cart = searched(request)
    found = best_set(candidates, cart, request.rules.work)
    assert found.proven
    used = [candidates[i] for i in found.chosen]
    assert (sum(each.pinned for each in used), found.off, -len(used)) == by_brute_force(candidates, cart)


@given(SEEDS)
def test_what_the_search_takes_off_is_what_the_trace_says(seed: int) -> None:
    request = random_request(seed)
    candidates, cart = searched(request)
    found = best_set(candidates, cart, request.rules.work)
    trace = price(request).trace
    assert sum(step.amount for step in trace.steps if step.stage in (3, 4, 5, 7)) == found.off


@given(SEEDS)
def test_a_search_that_runs_out_of_work_says_that_it_is_not_proven(seed: int) -> None:
    request = random_request(seed, promotions=12, conflicts=0.1)
    candidates, cart = searched(request)
    found = best_set(candidates, cart, 3)
    better = best_set(candidates, cart, 10**7)
    assert found.off <= better.off or candidates_pinned(candidates)
    assert found.proven or found.work >= 3


def candidates_pinned(candidates: tuple[Candidate, ...]) -> bool:
    return any(each.pinned for each in candidates)
