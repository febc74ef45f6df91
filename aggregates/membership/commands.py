"""What may be asked of a membership. ``policies`` are filled in by the shell, so that a decision needs nothing but its stream.

Whatever a member or the shop's people ask for has a name; the same name again changes nothing. ``wallet`` None: the
programme's first. ``by``: who of a pool's members asks, where ``member`` is a pool.
"""

from __future__ import annotations

from typing import TypeAlias

from aggregates.membership.commands_of_people import (
    AdjustPoints,
    By,
    Done,
    EnterPool,
    JoinPool,
    LeavePool,
    ReceivePoints,
    RecordAction,
    ReinstatePoints,
    TagMember,
    TransferPoints,
)
from aggregates.membership.commands_of_use import (
    ActivateLot,
    CaptureHold,
    ClaimReward,
    HoldPoints,
    RedeemPoints,
    ReleaseHold,
    ReturnPoints,
    Use,
)
from aggregates.membership.earning.spending import BoughtLine
from aggregates.membership.tiers.state import Kind
from aggregates.programme import Policies
from aggregates.value import Value

__all__ = [
    "ActivateLot",
    "ActivatePoints",
    "AdjustPoints",
    "Asked",
    "By",
    "CaptureHold",
    "ClaimReward",
    "ClawBackPoints",
    "Command",
    "Done",
    "EndTierOverride",
    "EnterPool",
    "GrantPoints",
    "HoldPoints",
    "JoinPool",
    "LeavePool",
    "OfOrder",
    "OfTier",
    "OverrideTier",
    "ReceivePoints",
    "RecordAction",
    "RecordDue",
    "RedeemPoints",
    "ReinstatePoints",
    "ReleaseHold",
    "ReturnPoints",
    "TagMember",
    "TransferPoints",
    "Use",
]


class GrantPoints(Value):
    """An order was paid. ``lines``: told where a rule asks for them."""

    member: str
    order: str
    net: int
    policies: Policies
    at: int
    lines: tuple[BoughtLine, ...] = ()


class ActivatePoints(Value):
    """The order was delivered ``at``: its return window begins."""

    member: str
    order: str
    policies: Policies
    at: int


class ClawBackPoints(Value):
    """A refund or cancellation: the order now counts for ``net``, ``given_back`` is the money of each line that goes back now.

    ``complete``: nothing is left of it.
    """

    member: str
    order: str
    reversal: str
    net: int
    policies: Policies
    at: int
    given_back: tuple[int, ...] = ()
    complete: bool = False


class OverrideTier(Value):
    """Set a tier by hand, until ``until`` (None: until it is ended); ``override`` names it: the same again changes nothing."""

    member: str
    override: str
    kind: Kind
    tier: str
    reason: str
    actor: str
    at: int
    until: int | None = None
    policies: Policies = Policies()


class EndTierOverride(Value):
    member: str
    override: str
    reason: str
    actor: str
    at: int
    policies: Policies = Policies()


class RecordDue(Value):
    """Record what time has brought by ``at``, and nothing more."""

    member: str
    at: int
    policies: Policies = Policies()


OfOrder: TypeAlias = GrantPoints | ActivatePoints | ClawBackPoints
OfTier: TypeAlias = OverrideTier | EndTierOverride
Asked: TypeAlias = Use | By
Command: TypeAlias = OfOrder | Asked | Done | OfTier | RecordDue
