"""What a member earns by: what each order's grants froze, so that a refund is judged as it was, and how far rules have come."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, TypeAlias, assert_never

from aggregates.membership.earning import events as facts
from aggregates.membership.earning.events import ActionRecorded, MemberTagged, MissionAdvanced, StreakExtended
from aggregates.membership.earning.formula import Formula, plain
from aggregates.membership.earning.purchases import Grant, Purchase, Purchases
from aggregates.membership.ledger.grants import PointsClawedBack, PointsGranted

Event: TypeAlias = PointsGranted | PointsClawedBack | facts.Event


class Mission(NamedTuple):
    """A mission's steps done since it ``began``, and how many times it was completed."""

    progress: tuple[int, ...]
    began: int
    completed: int


class Earning(NamedTuple):
    """``tags``: what the shop calls this member. ``actions``: what was told, by kind and name. ``counts``: grants by rule and
    period. ``streaks``: the latest day and the length of a row, by rule.
    """

    purchases: Purchases = Purchases()
    tags: tuple[str, ...] = ()
    actions: frozenset[tuple[str, str]] = frozenset()
    counts: Mapping[tuple[str, str], int] = {}
    streaks: Mapping[str, tuple[str, int]] = {}
    missions: Mapping[str, Mission] = {}


def evolve(state: Earning, event: Event) -> Earning:
    match event:
        case PointsGranted():
            if event.order is not None:
                return state._replace(purchases=with_grant(state.purchases, event.order, event))
            key = event.rule, event.period or ""
            return state._replace(counts={**state.counts, key: state.counts.get(key, 0) + 1})
        case PointsClawedBack():
            bought = state.purchases[event.order or event.lot]
            grants = tuple(one._replace(kept=event.kept) if one.lot == event.lot else one for one in bought.grants)
            return state._replace(purchases=state.purchases.with_purchase(bought._replace(net=event.net, grants=grants)))
        case ActionRecorded():
            return state._replace(actions=state.actions | {(event.action, event.occurrence)})
        case StreakExtended():
            return state._replace(streaks={**state.streaks, event.rule: (event.day, event.length)})
        case MissionAdvanced():
            mission = Mission(event.progress, event.began, event.completed)
            return state._replace(missions={**state.missions, event.mission: mission})
        case MemberTagged():
            return state._replace(tags=event.tags)
        case _:
            assert_never(event)


def with_grant(purchases: Purchases, order: str, event: PointsGranted) -> Purchases:
    if event.rule_is_plain:
        grant = Grant(event.lot, event.terms, plain(event.multiplier))
    else:
        formula = Formula(event.multiplier, event.lines, event.bonuses, event.minimum, event.cap)
        grant = Grant(event.lot, event.terms, formula, tuple([line.paid for line in event.lines]))
    known = purchases.at(order, event.at)
    if known is None:
        return purchases.with_purchase(Purchase(order, event.at, event.net, event.net, (grant,)))
    return purchases.with_purchase(known._replace(grants=(*known.grants, grant)))
