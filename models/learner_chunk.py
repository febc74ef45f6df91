"""What a chunk of the log holds for the learner: baskets, acts, and the shoppers and products that they concern."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from aggregates.behaviour import Searched
from aggregates.cart import CartItemAdded
from aggregates.decider import Recorded
from aggregates.order.events import OrderPaid
from models.recommender.browsing import Event as Act
from models.recommender.browsing import shopper_of

ACTS: tuple[type[Act], ...] = Act.__args__


def acts(chunk: Sequence[Recorded]) -> Iterator[tuple[int, Act]]:
    return ((recorded.position, recorded.event) for recorded in chunk if isinstance(recorded.event, ACTS))


def touched(chunk: Sequence[Recorded]) -> tuple[dict[str, set[str]], set[str]]:
    """Which products each shopper does something with, and whose visit goes on or begins for certain."""
    products: defaultdict[str, set[str]] = defaultdict(set)
    visiting: set[str] = set()
    for _, event in acts(chunk):
        shopper = shopper_of(event)
        if not isinstance(event, CartItemAdded):
            visiting.add(shopper)
        if not isinstance(event, Searched):
            products[shopper].add(event.product)
    for _, paid in baskets(chunk):
        if paid.member is not None or paid.session is not None:
            products[shopper_of(paid)].update(line.product for line in paid.lines)
    return products, visiting


def baskets(chunk: Sequence[Recorded]) -> Iterator[tuple[int, OrderPaid]]:
    return ((recorded.position, recorded.event) for recorded in chunk if isinstance(recorded.event, OrderPaid))
