"""The terms of points: when they can be spent and until when, for how much, and what a refund does to them.

A programme may have several wallets, each a currency of points with terms of its own; the first is the one meant when none is
named. The defaults are those of a programme that says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from aggregates.programme.rate import Rate
from aggregates.programme.validity import Validity

Activates: TypeAlias = Literal["at_payment", "after_return_window", "on_action"]
Sources: TypeAlias = Literal["own_pending", "own", "all"]
Shortfall: TypeAlias = Literal["debt", "write_off"]


@dataclass(frozen=True)
class Redemption:
    """Points for a discount. ``value``: major units of money for one point.

    At least ``minimum`` points at a time, a multiple of ``multiple``; all those of an order worth at most ``share`` of it.
    """

    allowed: bool = True
    value: Rate = (1, 100)
    minimum: int = 1
    multiple: int = 1
    share: Rate = (1, 1)


@dataclass(frozen=True)
class Clawback:
    """What a refund un-earns is taken from ``sources``: the order's own lot while pending, that lot, or it and then others.

    The rest is owed (``debt``, up to ``debt_cap`` points in all; None: without bound) or written off.
    """

    sources: Sources = "all"
    shortfall: Shortfall = "debt"
    debt_cap: int | None = None


@dataclass(frozen=True)
class Transfers:
    """Between members: at least ``minimum`` at a time, at most ``daily_cap`` sent a local day.

    Received points wait ``cool_down_days`` before they may be sent on.
    """

    allowed: bool = False
    minimum: int = 1
    daily_cap: int | None = None
    cool_down_days: int = 0


@dataclass(frozen=True)
class Pools:
    """Households that share their points. ``members``: how many there may be in one; ``spending``: who may spend from it."""

    allowed: bool = False
    members: int = 6
    spending: Literal["owner", "anyone"] = "anyone"


@dataclass(frozen=True)
class Wallet:
    """``activates``: when what a purchase earned can be spent; what an event earned can be at once, or on action.

    ``hold_minutes``: how long points stay held for an order that is not settled. ``hold_grace_days``: how long they live at
    least when the shop cancelled that order. ``reissue_days``: how long points live that come back after their lot has lapsed.
    ``reinstate_days``: how long after their expiry points can be given back.
    """

    name: str = "points"
    activates: Activates = "after_return_window"
    validity: Validity = Validity()
    redemption: Redemption = Redemption()
    clawback: Clawback = Clawback()
    hold_minutes: int = 30
    hold_grace_days: int = 30
    reissue_days: int = 30
    reinstate_days: int = 0
    transfers: Transfers = Transfers()
    pools: Pools = Pools()
