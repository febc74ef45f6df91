"""A member's tier, slow and obvious: at every instant all purchases are counted anew, and time is walked through."""

from __future__ import annotations

from dataclasses import dataclass

from aggregates.calendar import add_days, add_months, calendar_cycle, end_of_day
from aggregates.programme import ENTRY_TIER, Programme
from aggregates.value import replace
from tests.verify.points.reference_points import CENTS, Order


@dataclass(frozen=True)
class Held:
    """``rank``: 0 is the entry tier. ``kept``: by a review."""

    rank: int = 0
    until: int | None = None
    revocable_until: int | None = None
    kept: bool = False


class Tiers:
    """``orders``: as they stand now. ``changes``: (instant, tier earned, until when) after each rise, review and reversal."""

    def __init__(self, terms: Programme, orders: dict[str, Order]) -> None:
        self.terms, self.orders = terms, orders
        self.now, self.before = Held(), Held()
        self.grace_until: int | None = None
        self.override: tuple[str, str, int | None] | None = None
        self.changes: list[tuple[int, str, int | None]] = []
        self.latest = 0

    # What happens

    def bought(self, now: int) -> None:
        rank = sum(self.metric(now) >= asked for asked in self.thresholds())
        if rank > self.now.rank:
            until = self.held_until(now)
            self.before, self.now = self.now, Held(rank, until, self.revocable(now, until))
            self.grace_until = None
            self.change(now)
        elif self.grace_until is not None and self.keeps(self.in_grace(now)) == self.now.rank:
            self.extend(now)

    def refunded(self, now: int) -> None:
        """An upgrade that nothing carries any more goes, down to what it had ended."""
        held = self.now
        if held.revocable_until is None or now >= held.revocable_until:
            return
        metric = self.metric(now)
        least = 0 if held.kept else self.before.rank
        rank = self.keeps(metric) if held.kept else sum(metric >= asked for asked in self.thresholds())
        rank = max(rank, least)
        if rank >= held.rank:
            return
        if rank == self.before.rank:
            until = held.until if held.kept and rank else self.before.until if not held.kept else None
            self.now, self.before = replace(self.before, until=until), Held()
            self.grace_until = None
        else:
            self.now = replace(held, rank=rank, until=held.until if rank else None)
        self.change(now)

    def overridden(self, kind: str, tier: str, until: int | None) -> None:
        self.override = kind, tier, until

    def advance(self, now: int) -> None:
        """Every review, and every end of a grace, up to an instant."""
        while (due := self.now.until if self.grace_until is None else self.grace_until) is not None and due <= now:
            self.review(due)

    def review(self, due: int) -> None:
        asked = self.terms.qualifying
        metric = self.metric(due - 1) if self.grace_until is None else self.in_grace(due - 1)
        kept = self.keeps(metric)
        if kept == self.now.rank > 0:
            self.extend(due)
        elif self.grace_until is None and asked.grace_days and self.now.rank:
            self.grace_until = add_days(due, asked.grace_days, self.terms.zone)
        else:
            rank = {"one_down": max(0, self.now.rank - 1), "to_metric": kept, "base": 0}[asked.downgrade]
            self.now = Held(rank, self.renewed(self.now.until or due) if rank else None, None, kept=True)
            self.grace_until = None
            self.change(due)

    def extend(self, now: int) -> None:
        until = self.renewed(self.now.until or now)
        self.now = Held(self.now.rank, until, until if self.terms.qualifying.revoke == "always" else None, kept=True)
        self.grace_until = None
        self.change(now)

    def change(self, now: int) -> None:
        """Told when it is due; where a reversal brings back a tier whose time is over, when that is known."""
        self.latest = max(self.latest, now)
        self.changes.append((self.latest, self.name(self.now.rank), self.now.until))

    # What it is judged by

    def in_effect(self, now: int) -> str:
        earned = self.name(self.now.rank)
        if self.override is None or (self.override[2] is not None and self.override[2] <= now):
            return earned
        kind, tier, _ = self.override
        names = [ENTRY_TIER, *(known.name for known in self.terms.tiers)]
        return tier if kind == "pin" else max(earned, tier, key=names.index)

    def name(self, rank: int) -> str:
        return self.terms.tiers[rank - 1].name if rank else ENTRY_TIER

    def thresholds(self) -> list[int]:
        return [tier.threshold * self.scale for tier in self.terms.tiers]

    def keeps(self, metric: int) -> int:
        """The highest rank up to the one held whose keep-threshold is met."""
        met = [rank for rank, tier in enumerate(self.terms.tiers, 1) if metric >= tier.keep * self.scale]
        return max((rank for rank in met if rank <= self.now.rank), default=0)

    @property
    def scale(self) -> int:
        return CENTS if self.terms.qualifying.metric == "spend" else 1

    def metric(self, now: int) -> int:
        asked, zone = self.terms.qualifying, self.terms.zone
        if asked.window == "rolling":
            return self.between(add_months(now, -asked.months, zone), now)
        return self.between(calendar_cycle(now, asked.months, zone)[0] - 1, now)

    def in_grace(self, now: int) -> int:
        if self.terms.qualifying.window == "rolling":
            return self.metric(now)
        year = calendar_cycle((self.now.until or now) - 1, self.terms.qualifying.months, self.terms.zone)
        return self.between(year[0] - 1, now)

    def between(self, since: int, until: int) -> int:
        return sum(self.counts(order) for order in self.orders.values() if since < order.at <= until)

    def counts(self, order: Order) -> int:
        if self.terms.qualifying.metric == "spend":
            return order.net
        wallets = {rule.id: rule.wallet for rule in self.terms.earning.spend}
        asked = self.terms.qualifying.wallets
        return sum(points for rule, points in order.earned.items() if not asked or wallets[rule] in asked)

    def held_until(self, now: int) -> int:
        asked, zone = self.terms.qualifying, self.terms.zone
        if asked.window == "rolling":
            return end_of_day(add_months(now, asked.months, zone), zone)
        return calendar_cycle(calendar_cycle(now, asked.months, zone)[1], asked.months, zone)[1]

    def renewed(self, until: int) -> int:
        asked, zone = self.terms.qualifying, self.terms.zone
        if asked.window == "rolling":
            return self.held_until(until - 1)
        return calendar_cycle(until, asked.months, zone)[1]

    def revocable(self, now: int, until: int) -> int | None:
        asked = self.terms.qualifying
        if asked.revoke == "within":
            days = self.terms.return_days if asked.revoke_days is None else asked.revoke_days
            return add_days(now, days, self.terms.zone)
        return until if asked.revoke == "always" else None
