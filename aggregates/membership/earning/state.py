"""The events and the state of earning: actions and missions, and for each order the formulas that its grants froze.

Purchases are kept in periods by date, each with the sum that it counts for. So a change costs the same however many there
are, and the spend of a window is a sum of periods.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple, TypeAlias, assert_never

from aggregates.membership.earning.formula import Formula, plain_formula
from aggregates.membership.ledger.events import PointsClawedBack, PointsGranted
from aggregates.value import Value


class ActionRecorded(Value, kw_only=True):
    """``occurrence`` tells this action from others of its kind: recorded again, it counts once. ``day`` is the shop's local
    day.
    """

    member: str
    action: str
    occurrence: str
    day: str
    at: int


class StreakExtended(Value, kw_only=True):
    """A streak of ``length`` days in a row up to ``day``; length 1 begins a new one."""

    member: str
    rule: str
    length: int
    day: str
    at: int


class MissionAdvanced(Value, kw_only=True):
    """``progress`` counts how often each step was done since ``began``; ``completed`` how often the mission was, this time
    included.
    """

    member: str
    mission: str
    progress: tuple[int, ...]
    began: int
    completed: int
    at: int


class MemberTagged(Value, kw_only=True):
    """``tags`` are all the tags that the member has from now on."""

    member: str
    tags: tuple[str, ...]
    actor: str
    at: int


EarningEvent: TypeAlias = ActionRecorded | StreakExtended | MissionAdvanced | MemberTagged


EarningFact: TypeAlias = PointsGranted | PointsClawedBack | EarningEvent


PERIOD = 30 * 86_400_000  # milliseconds


class Grant(NamedTuple):
    """The points of one rule for an order, in a lot of their own. ``kept`` is the money left of each line that earned."""

    lot: str
    terms: int
    formula: Formula
    kept: tuple[int, ...] = ()


class Purchase(NamedTuple):
    """``bought`` is what the order counted for when it was paid, ``net`` what it still counts for, in minor units."""

    order: str
    at: int
    bought: int
    net: int
    grants: tuple[Grant, ...] = ()


class PurchasePeriod(NamedTuple):
    net: int
    purchases: Mapping[str, Purchase]


class Purchases(Mapping[str, Purchase]):
    """
    >>> made = Purchases().with_purchase(Purchase("a", 5, 100, 100)).with_purchase(Purchase("b", PERIOD * 3, 200, 200))
    >>> list(made), made["b"].net, made.spend(since=5, until=PERIOD * 9), made.spend(since=4, until=PERIOD * 9)
    (['a', 'b'], 200, 200, 300)
    """

    def __init__(self, periods: dict[int, PurchasePeriod] | None = None) -> None:
        self._periods = periods or {}

    def __getitem__(self, order: str) -> Purchase:
        for period in reversed(self._periods.values()):
            if order in period.purchases:
                return period.purchases[order]
        raise KeyError(order)

    def __contains__(self, order: object) -> bool:
        for period in self._periods.values():  # noqa: SIM110 - a generator would take twice as long
            if order in period.purchases:
                return True
        return False

    def at(self, order: str, instant: int) -> Purchase | None:
        """Return the purchase of an order that was bought at a known instant, None if there is none."""
        period = self._periods.get(instant // PERIOD)
        return period.purchases.get(order) if period else None

    def __iter__(self) -> Iterator[str]:
        return (order for period in self._periods.values() for order in period.purchases)

    def __len__(self) -> int:
        return sum(len(period.purchases) for period in self._periods.values())

    def with_purchase(self, purchase: Purchase) -> Purchases:
        """Return these purchases with one added, or replaced if its order is known. A purchase keeps its date."""
        number = purchase.at // PERIOD
        before = self._periods.get(number, PurchasePeriod(0, {}))
        known = before.purchases.get(purchase.order)
        net = before.net + purchase.net - (known.net if known else 0)
        return Purchases({**self._periods, number: PurchasePeriod(net, {**before.purchases, purchase.order: purchase})})

    @property
    def first(self) -> int | None:
        """Return when the member first bought, None if never."""
        period = next(iter(self._periods.values()), None)
        return next(iter(period.purchases.values())).at if period else None

    def orders(self, since: int, until: int) -> int:
        """Return how many purchases of a time still count for anything."""
        return sum(
            bought.net > 0
            for number, period in self._periods.items()
            if since < (number + 1) * PERIOD and number * PERIOD <= until
            for bought in period.purchases.values()
            if since < bought.at <= until
        )

    def spend(self, since: int, until: int) -> int:
        """Return what purchases dated after ``since`` and not after ``until`` count for, in minor units."""
        first, last = since // PERIOD, until // PERIOD
        spans = range(first, last + 1) if last - first < len(self._periods) else self._periods
        total = 0
        for number in spans:
            period = self._periods.get(number)
            if period is None:
                continue
            if first < number < last:
                total += period.net
            elif first <= number <= last:
                total += sum([bought.net for bought in period.purchases.values() if since < bought.at <= until])
        return total


class MissionState(NamedTuple):
    """The steps of a mission done since it ``began``, and how often it was completed."""

    progress: tuple[int, ...]
    began: int
    completed: int


class EarningState(NamedTuple):
    """``actions`` holds the recorded actions by kind and occurrence. ``counts`` maps rules and periods to the number of grants.

    ``streaks`` maps rules to the latest day and the length of the streak.
    """

    purchases: Purchases = Purchases()
    tags: tuple[str, ...] = ()
    actions: frozenset[tuple[str, str]] = frozenset()
    counts: Mapping[tuple[str, str], int] = {}
    streaks: Mapping[str, tuple[str, int]] = {}
    missions: Mapping[str, MissionState] = {}


def evolve_earning(state: EarningState, event: EarningFact) -> EarningState:
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
            mission = MissionState(event.progress, event.began, event.completed)
            return state._replace(missions={**state.missions, event.mission: mission})
        case MemberTagged():
            return state._replace(tags=event.tags)
        case _:
            assert_never(event)


def with_grant(purchases: Purchases, order: str, event: PointsGranted) -> Purchases:
    if event.rule_is_plain:
        grant = Grant(event.lot, event.terms, plain_formula(event.multiplier))
    else:
        formula = Formula(event.multiplier, event.lines, event.bonuses, event.minimum, event.cap)
        grant = Grant(event.lot, event.terms, formula, tuple([line.paid for line in event.lines]))
    known = purchases.at(order, event.at)
    if known is None:
        return purchases.with_purchase(Purchase(order, event.at, event.net, event.net, (grant,)))
    return purchases.with_purchase(known._replace(grants=(*known.grants, grant)))
