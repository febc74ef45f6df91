"""What was cancelled or refunded taught nothing, as far as counters go: they are those of the purchases that stand.

The reference counts the standing purchases of the whole history anew, with plain loops.
"""

from __future__ import annotations

import random
from collections import Counter
from itertools import combinations
from typing import Any

import pytest

from aggregates.decider import Recorded
from aggregates.order.events import OrderCancelled, OrderLine, OrderPaid, OrderRefunded
from models.learner import Learner
from models.recommender.habits import FIRST, LAST, LATEST, TIMES
from models.recommender.trending import weights_of
from tests.shop import HOUR, START

DAY = 24 * HOUR
PRODUCTS = [f"p{n}" for n in range(7)]
SAMPLE, ALL = 100, 10_000

Standing = dict[str, tuple[OrderPaid, Counter[str]]]
"""Orders with the units that were not given back."""


def paid(order: str, member: str | None, units: Counter[str], at: int) -> OrderPaid:
    lines = tuple(OrderLine(product, quantity, 1, 1, 1) for product, quantity in units.items())
    return OrderPaid(order=order, member=member, session=None, currency="EUR", lines=lines, net=1, at=at)


def given_back(chance: random.Random, order: OrderPaid, left: Counter[str], at: int) -> OrderCancelled | OrderRefunded:
    """Return a cancellation, or a refund of all or some units that are left, and take them off."""
    who: dict[str, Any] = {"order": order.order, "member": order.member, "session": None, "currency": "EUR", "at": at}
    some = Counter({product: chance.randint(0, units) for product, units in left.items()})
    back = left.copy() if chance.random() < 0.5 else some
    lines = tuple(OrderLine(product, units, 1, 1, 1) for product, units in back.items())
    left.subtract(back)
    left -= Counter()
    if not left and chance.random() < 0.5:
        return OrderCancelled(**who, reason="", lines=lines)
    return OrderRefunded(**who, refund=f"{order.order} {at}", parts=(), lines=lines, net_retained=0, complete=not left)


def history(chance: random.Random, per_day: int, days: int) -> tuple[list[Recorded], Standing]:
    """Return orders and what is given back of them, ``per_day`` orders of each member and day; and what stands."""
    events: list[OrderPaid | OrderCancelled | OrderRefunded] = []
    standing: Standing = {}
    for day in range(chance.randint(1, days)):
        for member in (*("ann", "bob", "eve")[: chance.randint(0, 3)], None):
            for n in range(chance.randint(0, per_day)):
                units = Counter({p: chance.randint(1, 3) for p in chance.sample(PRODUCTS, chance.randint(1, 4))})
                order = paid(f"{day} {member} {n}", member, units, START + day * DAY + n * HOUR)
                events.append(order)
                standing[order.order] = order, units
        while standing and chance.random() < 0.5:
            order, left = standing[chance.choice(list(standing))]
            if left:
                events.append(given_back(chance, order, left, START + day * DAY + 9 * HOUR))
                standing[order.order] = order, +left
    return [Recorded(position, event) for position, event in enumerate(events, 1)], standing


def products_of(order: OrderPaid) -> list[str]:
    return [line.product for line in order.lines]


def learned(events: list[Recorded]) -> Learner:
    learner = Learner("UTC")
    learner.fold(events)
    return learner


def hold_habits(learner: Learner, standing: Standing, known_firsts: bool) -> None:
    """Compare members' habits. ``known_firsts``: nobody bought anything more often than hours are kept."""
    hours: dict[tuple[str, str], list[int]] = {}
    for order, left in standing.values():
        for product in left if order.member is not None else ():
            hours.setdefault((str(order.member), product), []).append(order.at // HOUR)
    habits = {member: learner.repeat.members[member] for member in learner.repeat.members}
    assert {(member, product) for member, held in habits.items() for product in held.products} == hours.keys()
    for (member, product), known in hours.items():
        column = habits[member].table[:, habits[member].places[product]]
        assert (column[TIMES], column[LAST]) == (len(known), max(known)), (member, product)
        assert column[FIRST] <= min(known), "an earlier one may have been forgotten: the hours of the latest eight are kept"
        if known_firsts:
            assert column[FIRST] == min(known), (member, product)
    for member, held in habits.items():
        assert held.baskets == sum(bool(left) for order, left in standing.values() if order.member == member)


@pytest.mark.parametrize("count", [SAMPLE, pytest.param(ALL, marks=pytest.mark.slow)])
def test_what_is_counted_is_what_stands(count: int) -> None:
    backs = 0
    for seed in range(count):
        events, standing = history(random.Random(seed), per_day=1, days=25)
        learner = learned(events)
        bought = Counter((event.member, p) for _, event in events if isinstance(event, OrderPaid) for p in products_of(event))
        backs += sum(not isinstance(event, OrderPaid) for _, event in events)
        hold_habits(learner, standing, max(bought.values(), default=0) <= LATEST)
        scores: dict[str, Counter[int]] = {product: Counter() for product in PRODUCTS}
        pairs: Counter[frozenset[str]] = Counter()
        for order, left in standing.values():
            pairs.update(map(frozenset, combinations(left, 2)))
            for product in left:
                scores[product].update(dict(weights_of(order.at)))
        items = learner.items
        members = {(order.member, product) for order, left in standing.values() for product in left if order.member}
        for product in PRODUCTS:
            sold = [order for order, left in standing.values() if product in left]
            buyers = sum(known == product for _, known in members)
            mine = sum(order.member is not None for order in sold)
            assert (items[product].baskets, items[product].buyers) == (len(sold), buyers), (seed, product)
            assert items[product].returns == mine - buyers, (seed, product)
            assert learner.purchases.trending.scores.get(product, {}) == scores[product], (seed, product)
        assert items.baskets == sum(bool(left) for _, left in standing.values()), seed
        assert set(learner.hot.ranked()) == {product for product in PRODUCTS if items[product].baskets}
        for one, two in combinations(PRODUCTS, 2):
            together, once = learner.pairs.together.get(one, {}), learner.pairs.once.get(one, {})
            assert together.get(two, int(two in once)) == pairs[frozenset((one, two))], (seed, one, two)
    assert backs > count


@pytest.mark.parametrize("count", [SAMPLE, pytest.param(ALL, marks=pytest.mark.slow)])
def test_a_member_counts_once_a_day_for_a_product_as_long_as_one_purchase_of_that_day_stands(count: int) -> None:
    tried = 0
    for seed in range(count):
        events, standing = history(random.Random(seed), per_day=3, days=3)
        learner = learned(events)
        bought = Counter((event.member, p) for _, event in events if isinstance(event, OrderPaid) for p in products_of(event))
        if any(times > LATEST for (member, _), times in bought.items() if member is not None):
            continue
        tried += 1
        hold_habits(learner, standing, known_firsts=True)
        for product in PRODUCTS:
            sold = [order for order, left in standing.values() if product in left]
            days = {(order.member, order.at // DAY) for order in sold if order.member is not None}
            guests = [order for order in sold if order.member is None]
            assert learner.items[product].baskets == len(days) + len(guests), (seed, product)
    assert tried > count * 0.9
