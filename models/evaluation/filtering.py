"""The preparation that published figures of Complete Journey go by, named ``1.4``.

The last order of each member is the truth and stays whole. Of the others, products in fewer than five baskets and members with
fewer than three baskets go, until none is left, and each member keeps the latest fifty. Guests' orders go, too.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from aggregates.order.events import OrderPaid
from aggregates.value import replace

LEAST_BASKETS_OF_PRODUCT = 5
LEAST_BASKETS_OF_MEMBER = 3
MOST_BASKETS = 50


def filtered(events: Sequence[object]) -> list[object]:
    """Return the events with the orders that remain, in their order."""
    goods: defaultdict[str, dict[int, set[str]]] = defaultdict(dict)
    for n, event in enumerate(events):
        if isinstance(event, OrderPaid) and event.member is not None:
            bought = {line.product for line in event.lines if line.quantity}
            if bought:
                goods[event.member][n] = bought
    last = {member: max(baskets) for member, baskets in goods.items()}
    training = {member: {n: bought for n, bought in baskets.items() if n != last[member]} for member, baskets in goods.items()}
    while pruned(training):
        pass
    kept = {n: bought for baskets in training.values() for n, bought in sorted(baskets.items())[-MOST_BASKETS:]}
    kept |= {last[member]: goods[member][last[member]] for member in training}
    remaining: list[object] = []
    for n, event in enumerate(events):
        if not isinstance(event, OrderPaid):
            remaining.append(event)
        elif n in kept:
            remaining.append(replace(event, lines=tuple(line for line in event.lines if line.product in kept[n])))
    return remaining


def pruned(training: dict[str, dict[int, set[str]]]) -> bool:
    """Take rare products and rare members away once; return whether there were any."""
    sold = Counter(product for baskets in training.values() for bought in baskets.values() for product in bought)
    rare = {product for product, count in sold.items() if count < LEAST_BASKETS_OF_PRODUCT}
    for baskets in training.values():
        for n in list(baskets):
            baskets[n] -= rare
            if not baskets[n]:
                del baskets[n]
    few = [member for member, baskets in training.items() if len(baskets) < LEAST_BASKETS_OF_MEMBER]
    for member in few:
        del training[member]
    return bool(rare or few)
