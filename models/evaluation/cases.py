"""The cases of an evaluation: what is to be foretold, from what, and what may be learned before.

``last-basket``: of each member with two earlier orders or more, the last one; every other order of everybody is history.
``holdout``: each order, or each position of a visit, from an instant on; frozen, nothing is learned from that instant on, and a
visit that straddles it is a test visit and teaches nothing. ``prequential``: each one, before it is learned.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import TypeVar

import numpy as np

from models.evaluation.facts import Baskets, Numbers, VisitHistory

MOST_CASES = 50_000

Chosen = TypeVar("Chosen")


@dataclass(frozen=True, slots=True)
class Case:
    """``name``: an order's id, or ``session#position``, the position being the number of acts before it.

    ``index``: of the event it is about. ``owner``: the number of the member or visit. ``earlier``: the member's earlier
    baskets, or the products of the visit so far. ``shown``: the products of the cart that are known.
    """

    name: str
    index: int
    owner: int
    at: int
    truth: frozenset[int]
    earlier: Numbers
    known: frozenset[int]
    shown: Numbers


@dataclass(frozen=True)
class Plan:
    """``cases`` in the order of the log. ``held``: indices of events that are never learned.

    ``until``: the instant from which on there are cases, None if there are from the beginning, or if the last baskets are.
    ``online``: everything before a case is learned, else only what is before ``until`` and not held.
    """

    cases: list[Case]
    held: frozenset[int]
    online: bool
    until: int | None = None


@dataclass(frozen=True)
class Setting:
    """``cart``: half of the basket is shown. ``test_from``: epoch milliseconds."""

    protocol: str
    test_from: int | None = None
    freeze: bool = False
    cart: bool = False
    min_prefix: int = 1
    most: int = MOST_CASES


NOTHING: Numbers = np.zeros(0, np.int64)


def plan_of_baskets(baskets: Baskets, setting: Setting) -> Plan:
    """Return the cases of the tasks next-basket and cart-completion."""
    chosen: list[tuple[int, Numbers]] = []
    held: list[int] = []
    frozen = setting.protocol == "holdout" and setting.freeze
    for own in baskets.of_member:
        if setting.protocol == "last-basket":
            if len(own) > 2:
                chosen.append((int(own[-1]), own[:-1]))
                held.append(int(baskets.index[own[-1]]))
            continue
        since = baskets.at[own] >= (setting.test_from or 0)
        for place in np.flatnonzero(since).tolist():
            earlier = own[:place]
            chosen.append((int(own[place]), earlier[baskets.at[earlier] < (setting.test_from or 0)] if frozen else earlier))
    if frozen:
        held = baskets.index[baskets.at >= (setting.test_from or 0)].tolist()
    if setting.cart:
        chosen = [(basket, earlier) for basket, earlier in chosen if len(baskets.of(basket)) > 1]
    sampled = sample(chosen, lambda case: baskets.orders[case[0]], setting.most)
    cases = [basket_case(baskets, basket, earlier, setting.cart) for basket, earlier in sampled]
    cases.sort(key=lambda case: case.index)
    online = setting.protocol != "last-basket" and not frozen
    return Plan(cases, frozenset(held), online, None if setting.protocol == "last-basket" else setting.test_from)


def basket_case(baskets: Baskets, basket: int, earlier: Numbers, cart: bool) -> Case:
    goods = baskets.of(basket)
    shown = half_of(baskets.orders[basket], goods) if cart else NOTHING
    truth = frozenset(goods.tolist()) - frozenset(shown.tolist())
    known = frozenset(product for one in earlier.tolist() for product in baskets.of(one).tolist())
    owner, at = int(baskets.member[basket]), int(baskets.at[basket])
    return Case(baskets.orders[basket], int(baskets.index[basket]), owner, at, truth, earlier, known, shown)


def half_of(order: str, goods: Numbers) -> Numbers:
    """Return half of a basket, rounded down: the products whose hash with the order's id is lowest."""
    by_hash = sorted(goods.tolist(), key=lambda product: hashed(f"{order}/{product}"))
    return np.array(by_hash[: len(by_hash) // 2], np.int64)


def plan_of_visits(visits: VisitHistory, setting: Setting) -> Plan:
    """Return the cases of the task next-item."""
    since = setting.test_from or 0
    frozen = setting.protocol == "holdout" and setting.freeze
    chosen: list[tuple[int, int]] = []
    held: set[int] = set()
    for visit, steps in enumerate(visits.steps):
        if frozen and max(step.at for step in steps) >= since:
            held.update(step.index for step in steps)
        first = max(1, setting.min_prefix)
        chosen += [(visit, place) for place in range(first, len(steps)) if steps[place].at >= since]
    sampled = sample(chosen, lambda case: f"{visits.names[case[0]]}#{case[1]}", setting.most)
    cases = [visit_case(visits, visit, place) for visit, place in sampled]
    cases.sort(key=lambda case: case.index)
    return Plan(cases, frozenset(held), not frozen, setting.test_from)


def visit_case(visits: VisitHistory, visit: int, place: int) -> Case:
    steps = visits.steps[visit]
    earlier = np.array([product for step in steps[:place] for product in step.products], np.int64)
    truth = frozenset(steps[place].products)
    name = f"{visits.names[visit]}#{place}"
    step = steps[place]
    return Case(name, step.index, visit, step.at, truth, earlier, frozenset(earlier.tolist()), NOTHING)


def sample(chosen: Sequence[Chosen], name_of: Callable[[Chosen], str], most: int) -> list[Chosen]:
    """Return at most so many cases: those whose names have the lowest hashes, so that the same ones are drawn each time."""
    if len(chosen) <= most:
        return list(chosen)
    return sorted(chosen, key=lambda case: hashed(name_of(case)))[:most]


def hashed(text: str) -> bytes:
    return blake2b(text.encode(), digest_size=8).digest()
