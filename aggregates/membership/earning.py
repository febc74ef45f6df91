"""What a member's purchases earn by: each order's worth, and what its grant froze, so that a refund is judged as it was."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import assert_never

from aggregates.membership.points import PointsClawedBack, PointsGranted
from aggregates.membership.purchases import Purchase, Purchases


@dataclass(frozen=True)
class Earning:
    purchases: Purchases = field(default_factory=Purchases)


def evolve(state: Earning, event: PointsGranted | PointsClawedBack) -> Earning:
    match event:
        case PointsGranted():
            bought = Purchase(event.order, event.at, event.net, event.multiplier, event.terms)
        case PointsClawedBack():
            bought = replace(state.purchases[event.lot], net=event.net)
        case _:
            assert_never(event)
    return Earning(state.purchases.with_purchase(bought))
