"""What counts towards a tier: the metric over its window, what is about to leave the window, and when the next tier is reached.

The metric is apart from the balance: spending points lowers no tier. Everything counts at the date of its purchase, reversals
included, so it leaves the window with its purchase (membership semantics 2.2).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

from aggregates.calendar import add_months, anniversary_cycle, calendar_cycle
from aggregates.membership.ledger.lots import Lot
from aggregates.membership.state import Membership
from aggregates.membership.tiers.state import TierProgress
from aggregates.programme import Programme

MONTH = 30 * 86_400_000
"""What leaves within it is told; a forecast goes by it."""

PACE = 3 * MONTH
"""How far back buying is looked at for a forecast."""

YEAR = 12 * MONTH
"""How far a forecast looks ahead."""


class Qualification(NamedTuple):
    """The metric of a membership by these terms, with ``more`` of it that is being decided, dated ``at``."""

    terms: Programme
    state: Membership
    at: int = 0
    more: int = 0

    def between(self, since: int, until: int) -> int:
        """Return the metric of what is dated after ``since`` and not after ``until``."""
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
        """Yield the lots that count. Points that were adjusted, sent or given back count as not earned."""
        return (lot for lot in self.state.points.lots.between(since, until) if self.terms.qualifying.counts(lot.wallet))

    def opens(self, now: int) -> int:
        """Return the instant after which the window of ``now`` begins."""
        if self.terms.qualifying.window == "rolling":
            return add_months(now, -self.terms.qualifying.months, self.terms.zone)
        return self.cycle(now)[0] - 1

    def cycle(self, now: int) -> tuple[int, int]:
        """Return the calendar or anniversary cycle of an instant: its first instant, and that of the next cycle."""
        months, zone = self.terms.qualifying.months, self.terms.zone
        if self.terms.qualifying.window == "calendar":
            return calendar_cycle(now, months, zone)
        return anniversary_cycle(now, months, zone, self.first)

    @property
    def first(self) -> int:
        """Return when the first thing happened that the metric may count: a purchase, or a grant by action."""
        metric = self.terms.qualifying.metric
        bought = self.state.earning.purchases.first if metric != "engagement" else None
        told = [] if bought is None else [bought]
        if metric in ("points", "engagement"):
            told += [lot.at for lot in self.state.points.lots.all() if lot.by_action]
        return min(told, default=self.at)

    def metric(self, now: int) -> int:
        """Return the metric of the window of ``now``."""
        return self.between(self.opens(now), now)


def metric_of_action(points: int, wallet: str, terms: Programme) -> int:
    """Return what points that were earned by an action add to the metric."""
    counts = terms.qualifying.metric in ("points", "engagement") and terms.qualifying.counts(wallet)
    return points if counts else 0


class WalletPoints(Protocol):
    """Points of a wallet, earned or taken back."""

    @property
    def wallet(self) -> str: ...

    @property
    def points(self) -> int: ...


def metric_of_order(net: int, points: Iterable[WalletPoints], terms: Programme) -> int:
    """Return what an order with this net and these points adds to the metric."""
    match terms.qualifying.metric:
        case "spend":
            return net
        case "points":
            return sum(one.points for one in points if terms.qualifying.counts(one.wallet))
        case "orders":
            return int(net > 0)
        case "engagement":
            return 0


def progress_to_next(tier: str, metric: int, now: int, counting: Qualification) -> TierProgress:
    """Return the progress from ``tier`` to the next one, with ``metric`` in the window of ``now``."""
    terms = counting.terms
    rolling = terms.qualifying.window == "rolling"
    since = counting.opens(now)
    leaving = counting.between(since, since + MONTH) if rolling else metric if counting.cycle(now)[1] <= now + MONTH else 0
    rank = terms.rank(tier)
    if rank == len(terms.tiers):
        return TierProgress(terms.qualifying.metric, None, 0, leaving, None)
    threshold = terms.tiers[rank].threshold * terms.scale
    if metric >= threshold:
        return TierProgress(terms.qualifying.metric, terms.tiers[rank].name, 0, leaving, now)
    reached = in_rolling(metric, threshold, now, since, counting) if rolling else in_cycles(metric, threshold, now, counting)
    return TierProgress(terms.qualifying.metric, terms.tiers[rank].name, threshold - metric, leaving, reached)


def in_rolling(metric: int, threshold: int, now: int, since: int, counting: Qualification) -> int | None:
    """Return when ``threshold`` is reached at the pace of the last 90 days, while the oldest part leaves the window; None if
    never.
    """
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


def in_cycles(metric: int, threshold: int, now: int, counting: Qualification) -> int | None:
    """Return the same within this cycle, or within the next, which begins at 0."""
    pace = counting.between(now - PACE, now)
    if pace <= 0:
        return None
    begins, ends = counting.cycle(now)
    reached = now + (threshold - metric) * PACE // pace
    if reached >= ends:
        reached = ends + threshold * PACE // pace
    return reached if reached < ends + (ends - begins) else None
