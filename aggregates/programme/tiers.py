"""Tiers: what counts towards them, over which window, what each asks and gives, and how one is lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from aggregates.programme.rate import Rate

ENTRY_TIER = "member"

Metric: TypeAlias = Literal["spend", "points", "orders", "engagement"]


@dataclass(frozen=True)
class Benefits:
    """``early_access_hours`` before others; the higher ``service_priority`` first; ``extra_validity_days`` for points."""

    free_shipping: bool = False
    early_access_hours: int = 0
    service_priority: int = 0
    extra_validity_days: int = 0
    perks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tier:
    """``threshold`` reaches the tier, ``keep`` holds it at review: of the metric, spend in major units.

    ``multiplier``: of points by spending.
    """

    name: str
    threshold: int
    keep: int
    multiplier: Rate = (1, 1)
    benefits: Benefits = Benefits()


@dataclass(frozen=True)
class Qualifying:
    """``metric``: net spend, points earned, paid orders, or points of event rules, streaks and missions (engagement).

    ``wallets``: those whose points count (all if empty). ``window``: the last ``months``, or cycles of so many: of the
    calendar (12: years), or since the member's first purchase (of points, since the first that were earned). A tier is
    held for ``months``, or to the end of the next cycle; then the keep-threshold decides, after ``grace_days`` of grace if
    it is not met. ``downgrade``: one tier down, to what the metric keeps, or to the entry tier. A reversal takes an upgrade
    back ``never``, ``within`` so many days of it (None: the return window), or ``always``. ``provisional``: an upgrade is
    shown as such while purchases that carry it can be returned.
    """

    metric: Metric = "spend"
    wallets: tuple[str, ...] = ()
    window: Literal["rolling", "calendar", "anniversary"] = "rolling"
    months: int = 12
    grace_days: int = 0
    downgrade: Literal["one_down", "to_metric", "base"] = "to_metric"
    revoke: Literal["never", "within", "always"] = "within"
    revoke_days: int | None = None
    provisional: bool = False

    def counts(self, wallet: str) -> bool:
        """Whether points of a wallet count."""
        return not self.wallets or wallet in self.wallets
