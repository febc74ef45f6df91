"""Points that come by earning, and those that a refund takes back."""

from __future__ import annotations

from typing import TypeAlias

from aggregates.membership.ledger.lots import DEFAULT_WALLET
from aggregates.membership.tiers.progress import Ahead
from aggregates.programme import Rate
from aggregates.value import Value

Allocations: TypeAlias = tuple[tuple[str, int], ...]
"""Points by the lot they are taken from, or given back to."""


class EarningLine(Value):
    """A line of an order that earned: ``net`` minor units (of ``paid``, without its share of the tax) at ``rate`` points a
    major unit. ``number`` counts the order's lines from 1.
    """

    number: int
    product: str
    paid: int
    net: int
    rate: Rate


class PointsGranted(Value):
    """What an order, or something else that a member did, earned by one ``rule`` under version ``terms`` of the policy.

    An order's points = floor(``net`` × ``multiplier``) in major units; where ``lines`` are told, floor of the sum over them of
    their net × rate. Then each of ``bonuses``, (net that it asks for, points), that is reached; nothing below ``minimum``; at
    most ``cap``. A refund is judged by the same, whatever the policy says by then.
    ``net``: what the order counts for. ``qualifying``: the spend of the rolling window, this order included.
    ``period``: what a limit counts in, as the day on which it began. ``ahead``: the way to the next tier, told once
    an order, and not by a grant that raises one.
    """

    member: str
    lot: str
    order: str | None
    points: int
    net: int
    tier: str
    multiplier: Rate
    qualifying: int
    terms: int
    at: int
    wallet: str = DEFAULT_WALLET
    rule: str = "purchase"
    lines: tuple[EarningLine, ...] = ()
    bonuses: tuple[tuple[int, int], ...] = ()
    minimum: int = 0
    cap: int | None = None
    period: str | None = None
    ahead: Ahead | None = None

    @property
    def rule_is_plain(self) -> bool:
        """Whether the order's net and the multiplier are all there is to it."""
        return not self.lines and not self.bonuses and not self.minimum and self.cap is None


class LotActivated(Value):
    """From ``active_from`` on, until ``expires_at``, the lot's points are spendable.

    Decided at delivery, when the return window is known, or when what activates it happens.
    """

    member: str
    lot: str
    active_from: int
    at: int
    expires_at: int | None = None
    wallet: str = DEFAULT_WALLET


class PointsClawedBack(Value):
    """``points`` that an order no longer earns = those ``allocations`` take + ``debt_added``, which later points settle before
    any is spendable + ``lapsed``, which had expired unused + ``written_off``.

    ``kept``: what is left of the money of each line that earned, where the grant told lines. ``ahead``: as of a grant.
    """

    member: str
    lot: str
    reversal: str
    points: int
    allocations: Allocations
    debt_added: int
    net: int
    qualifying: int
    at: int
    lapsed: int = 0
    written_off: int = 0
    kept: tuple[int, ...] = ()
    order: str | None = None
    wallet: str = DEFAULT_WALLET
    ahead: Ahead | None = None


Event: TypeAlias = PointsGranted | LotActivated | PointsClawedBack
