"""What a member's purchases earn by: each order's worth, and what its grants froze, so that a refund is judged as it was."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import assert_never

from aggregates.membership.earning.formula import Formula, plain
from aggregates.membership.earning.purchases import Grant, Purchase, Purchases
from aggregates.membership.points.grants import PointsClawedBack, PointsGranted


@dataclass(frozen=True)
class Earning:
    """``tags``: what the shop calls this member, for rules to name."""

    purchases: Purchases = field(default_factory=Purchases)
    tags: tuple[str, ...] = ()


def evolve(state: Earning, event: PointsGranted | PointsClawedBack) -> Earning:
    match event:
        case PointsGranted():
            return Earning(with_grant(state.purchases, event), state.tags) if event.order is not None else state
        case PointsClawedBack():
            bought = state.purchases[event.order or event.lot]
            grants = tuple(one._replace(kept=event.kept) if one.lot == event.lot else one for one in bought.grants)
            return Earning(state.purchases.with_purchase(bought._replace(net=event.net, grants=grants)), state.tags)
        case _:
            assert_never(event)


def with_grant(purchases: Purchases, event: PointsGranted) -> Purchases:
    order = event.order or event.lot
    if event.rule_is_plain:
        grant = Grant(event.lot, event.terms, plain(event.multiplier))
    else:
        formula = Formula(event.multiplier, event.lines, event.bonuses, event.minimum, event.cap)
        grant = Grant(event.lot, event.terms, formula, tuple([line.paid for line in event.lines]))
    known = purchases.at(order, event.at)
    if known is None:
        return purchases.with_purchase(Purchase(order, event.at, event.net, event.net, (grant,)))
    return purchases.with_purchase(known._replace(grants=(*known.grants, grant)))
