"""What counts towards a tier: the metric over its window, what is about to leave that window, and where buying leads.

The metric is apart from the balance: spending points lowers no tier. Everything counts at the date of its purchase, reversals
included, so they leave the window with it (membership semantics 2.2).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

from aggregates.calendar import add_months, anniversary_cycle, calendar_cycle
from aggregates.membership.events import Membership
from aggregates.membership.ledger.lots import Lot
from aggregates.membership.tiers.progress import Ahead
from aggregates.programme import Programme

MONTH = 30 * 86_400_000
"""What leaves within it is told; a forecast goes by it."""

PACE = 3 * MONTH
"""How far back buying is looked at for a forecast."""

YEAR = 12 * MONTH
"""How far a forecast looks ahead."""


class Counting(NamedTuple):
    """The metric of a membership by these terms, with what is being decided: ``more`` of it, dated ``at``."""

    terms: Programme
    state: Membership
    at: int = 0
    more: int = 0

    def between(self, since: int, until: int) -> int:
        """The metric of what is dated after ``since`` and not after ``until``."""
        more = self.more if since < self.at <= until else 0
        match self.terms.qualifying.metric:
            case "spend":
                return more + self.state.earning.purchases.spend(since, until)
            case "orders":
                return more + self.state.earning.purchases.orders(since, until)
            case "points":
                return more + sum(lot.earned for lot in self.earned(since, until))
            case "engagement":
                return more + sum(lot.earned for lot in self.earned(since, until) if lot.by_action)

    def earned(self, since: int, until: int) -> Iterator[Lot]:
        """Lots that count; what was adjusted, sent, or given back has earned nothing."""
        return (lot for lot in self.state.points.lots.between(since, until) if self.terms.qualifying.counts(lot.wallet))

    def opens(self, now: int) -> int:
        """What is dated after this instant, and not after ``now``, is in the window of ``now``."""
        if self.terms.qualifying.window == "rolling":
            return add_months(now, -self.terms.qualifying.months, self.terms.zone)
        return self.cycle(now)[0] - 1

    def cycle(self, now: int) -> tuple[int, int]:
        """The calendar or anniversary cycle of an instant: its first instant, and that of the next one."""
        months, zone = self.terms.qualifying.months, self.terms.zone
        if self.terms.qualifying.window == "calendar":
            return calendar_cycle(now, months, zone)
        return anniversary_cycle(now, months, zone, self.first)

    @property
    def first(self) -> int:
        """When something was told first that the metric may count: a purchase, or what a rule by action granted."""
        metric = self.terms.qualifying.metric
        bought = self.state.earning.purchases.first if metric != "engagement" else None
        told = [] if bought is None else [bought]
        if metric in ("points", "engagement"):
            told += [lot.at for lot in self.state.points.lots.all() if lot.by_action]
        return min(told, default=self.at)

    def metric(self, now: int) -> int:
        """Of the window of ``now``."""
        return self.between(self.opens(now), now)


def engaged(points: int, wallet: str, terms: Programme) -> int:
    """What points count for that were earned by something else than a purchase."""
    counts = terms.qualifying.metric in ("points", "engagement") and terms.qualifying.counts(wallet)
    return points if counts else 0


class OfWallet(Protocol):
    """Points earned, or taken back."""

    @property
    def wallet(self) -> str: ...

    @property
    def points(self) -> int: ...


def worth(net: int, points: Iterable[OfWallet], terms: Programme) -> int:
    """What an order of this net that earns these points counts for."""
    match terms.qualifying.metric:
        case "spend":
            return net
        case "points":
            return sum(one.points for one in points if terms.qualifying.counts(one.wallet))
        case "orders":
            return int(net > 0)
        case "engagement":
            return 0


def ahead(tier: str, metric: int, now: int, counting: Counting) -> Ahead:
    """The way from ``tier`` to the next one, with ``metric`` in the window of ``now``."""
    terms = counting.terms
    rolling = terms.qualifying.window == "rolling"
    since = counting.opens(now)
    leaving = counting.between(since, since + MONTH) if rolling else metric if counting.cycle(now)[1] <= now + MONTH else 0
    rank = terms.rank(tier)
    if rank == len(terms.tiers):
        return Ahead(terms.qualifying.metric, None, 0, leaving, None)
    threshold = terms.tiers[rank].threshold * terms.scale
    if metric >= threshold:
        return Ahead(terms.qualifying.metric, terms.tiers[rank].name, 0, leaving, now)
    reached = in_rolling(metric, threshold, now, since, counting) if rolling else in_cycles(metric, threshold, now, counting)
    return Ahead(terms.qualifying.metric, terms.tiers[rank].name, threshold - metric, leaving, reached)


def in_rolling(metric: int, threshold: int, now: int, since: int, counting: Counting) -> int | None:
    """When ``threshold`` is reached if as much is added a day as in the last 90 days, while what is in the window leaves it."""
    pace = counting.between(now - PACE, now)
    if pace <= 0 or metric + pace * YEAR // PACE < threshold:
        return None
    before = metric
    for later in range(MONTH, YEAR + 1, MONTH):
        then = metric - counting.between(since, since + later) + pace * later // PACE
        if then >= threshold:
            return now + later - MONTH * (then - threshold) // (then - before)
        before = then
    return None


def in_cycles(metric: int, threshold: int, now: int, counting: Counting) -> int | None:
    """The same within this cycle, or else within the next, which begins with nothing."""
    pace = counting.between(now - PACE, now)
    if pace <= 0:
        return None
    begins, ends = counting.cycle(now)
    reached = now + (threshold - metric) * PACE // pace
    if reached >= ends:
        reached = ends + threshold * PACE // pace
    return reached if reached < ends + (ends - begins) else None
