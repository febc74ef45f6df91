"""What a shop's events hold for an evaluation: baskets and visits as arrays of numbers.

Products are numbered in the order of their ids, so the lower number is the lower id. ``index`` is an event's place among all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from aggregates.behaviour import Clicked, Favourited, Viewed
from aggregates.cart_events import (
    CartItemAdded,
)
from aggregates.order.events import OrderPaid

Numbers: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]

Act: TypeAlias = Viewed | Clicked | Favourited | CartItemAdded | OrderPaid
ACTS: tuple[type[Act], ...] = Act.__args__

KINDS: dict[str, type[Act]] = {
    "view": Viewed,
    "click": Clicked,
    "favourite": Favourited,
    "add_to_cart": CartItemAdded,
    "order": OrderPaid,
}
"""Types of the shop-log that can be a step of a visit, each with its event."""

IDLE = 30 * 60_000
"""Milliseconds without an act after which a visit is taken to be over."""


@dataclass(frozen=True)
class Baskets:
    """Paid orders in the order of the log; ``member`` is -1 for a guest. Basket n holds ``items[starts[n]:starts[n + 1]]``."""

    products: list[str]
    members: list[str]
    orders: list[str]
    member: Numbers
    at: Numbers
    index: Numbers
    items: Numbers
    starts: Numbers

    def __len__(self) -> int:
        return len(self.orders)

    def of(self, basket: int) -> Numbers:
        """Return the distinct products of a basket, in the order of its lines."""
        return self.items[self.starts[basket] : self.starts[basket + 1]]

    @cached_property
    def of_member(self) -> list[Numbers]:
        """The baskets of each member, in the order of the log."""
        order = np.argsort(self.member, kind="stable")
        bounds = np.searchsorted(self.member[order], np.arange(len(self.members) + 1))
        return [order[first:last] for first, last in pairwise(bounds.tolist())]


def products_of(events: Iterable[object]) -> list[str]:
    """Return the ids of all products that were bought, or that anything was done with, in order."""
    products: set[str] = set()
    for event in events:
        if isinstance(event, ACTS):
            products.update(products_in(event))
    return sorted(products)


def baskets_of(events: Sequence[object], products: list[str]) -> Baskets:
    """Return the baskets of all paid orders with goods."""
    held = [(n, event, goods) for n, event in enumerate(events) if isinstance(event, OrderPaid) and (goods := goods_of(event))]
    members = sorted({event.member for _, event, _ in held if event.member is not None})
    number = {product: n for n, product in enumerate(products)}
    of_member = {member: n for n, member in enumerate(members)}
    return Baskets(
        products,
        members,
        [event.order for _, event, _ in held],
        np.array([-1 if event.member is None else of_member[event.member] for _, event, _ in held], np.int64),
        np.array([event.at for _, event, _ in held], np.int64),
        np.array([index for index, _, _ in held], np.int64),
        np.array([number[product] for _, _, goods in held for product in goods], np.int64),
        np.cumsum([0, *(len(goods) for _, _, goods in held)], dtype=np.int64),
    )


def products_in(act: Act) -> list[str]:
    """Return the products that an act is about."""
    return goods_of(act) if isinstance(act, OrderPaid) else [act.product]


def goods_of(order: OrderPaid) -> list[str]:
    """Return the distinct products of an order's lines, without mere adjustments."""
    return list(dict.fromkeys(line.product for line in order.lines if line.quantity))


@dataclass(frozen=True, slots=True)
class VisitStep:
    """An act of a visit: one product, or all of an order."""

    index: int
    at: int
    products: tuple[int, ...]


@dataclass(frozen=True)
class VisitHistory:
    """``names``: a session's id, or ``member@first instant``. ``steps``: of each visit, in the order of the log.

    ``who``: the member and session that each visit's latest act names.
    """

    products: list[str]
    names: list[str]
    steps: list[list[VisitStep]]
    who: list[tuple[str | None, str | None]]

    @cached_property
    def acts(self) -> list[tuple[int, int]]:
        """Every act as (visit, position), in the order of the log."""
        acts = [(step.index, visit, place) for visit, steps in enumerate(self.steps) for place, step in enumerate(steps)]
        return [(visit, place) for _, visit, place in sorted(acts)]


def visits_of(events: Sequence[object], products: list[str], kinds: Iterable[str]) -> VisitHistory:
    """Return the visits that acts of these types make up.

    A visit is a session. A member's acts without a session are a visit as long as no pause between them exceeds half an hour.
    """
    wanted = {KINDS[kind] for kind in kinds}
    told: defaultdict[str, list[tuple[int, int, list[str]]]] = defaultdict(list)
    who: dict[str, tuple[str | None, str | None]] = {}
    running: dict[str, tuple[str, int]] = {}
    for index, event in enumerate(events):
        if not isinstance(event, ACTS) or type(event) not in wanted:
            continue
        member, session, at, goods = event.member, event.session, event.at, products_in(event)
        if not goods or (member is None and session is None):
            continue
        name = session if session is not None else visit_of_member(str(member), at, running)
        told[name].append((index, at, goods))
        who[name] = member, session
    number = {product: n for n, product in enumerate(products)}
    steps = [
        [VisitStep(index, at, tuple(number[product] for product in goods)) for index, at, goods in acts]
        for acts in told.values()
    ]
    return VisitHistory(products, list(told), steps, list(who.values()))


def visit_of_member(member: str, at: int, running: dict[str, tuple[str, int]]) -> str:
    """Return the name of the visit that a member's act belongs to, and keep when it was."""
    name, latest = running.get(member, ("", -IDLE - 1))
    if at - latest > IDLE:
        name = f"{member}@{at}"
    running[member] = name, max(at, latest)
    return name
