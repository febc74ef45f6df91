"""The events and the state of tiers: the tier held, until when, what the latest upgrade replaced, and the override.

``qualifying`` is the metric of the window, in its own units. ``terms`` is the version of the policy that decided. ``shown``
is what the member sees from then on; old events have none.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from aggregates.programme import ENTRY_TIER, Benefits, Metric
from aggregates.value import Value

OverrideKind: TypeAlias = Literal["pin", "floor"]


class TierRaised(Value, kw_only=True):
    """Held from ``at`` until ``valid_until``, when it is reviewed. A reversal takes it back until ``revocable_until``, and it
    is shown as provisional until ``provisional_until``.
    """

    member: str
    tier: str
    previous: str
    qualifying: int
    valid_until: int
    revocable_until: int | None
    provisional_until: int | None
    shown: TierView | None
    terms: int
    at: int


class TierExtended(Value, kw_only=True):
    """Reviewed and kept, at its end or in the grace after it. ``revocable_until`` is as in an upgrade."""

    member: str
    tier: str
    qualifying: int
    valid_until: int
    revocable_until: int | None
    shown: TierView | None
    terms: int
    at: int


class TierGraceStarted(Value, kw_only=True):
    """Reviewed and not kept: the tier is held on until ``grace_until``, and kept if ``needed`` is reached by then."""

    member: str
    tier: str
    qualifying: int
    needed: int
    grace_until: int
    shown: TierView
    terms: int
    at: int


class TierLowered(Value, kw_only=True):
    """``reason`` is ``review`` at the end of its time, or ``reversal`` of the purchase that raised it."""

    member: str
    tier: str
    previous: str
    qualifying: int
    valid_until: int | None
    reason: str
    shown: TierView | None
    terms: int
    at: int


class TierOverridden(Value, kw_only=True):
    """Set by hand until ``until`` (None: until it is ended): ``pin`` is this tier and no other, ``floor`` at least this one.

    ``override`` is its id. It replaces the override before it; the earned tier goes on beneath it.
    """

    member: str
    override: str
    kind: OverrideKind
    tier: str
    reason: str
    actor: str
    until: int | None
    shown: TierView
    terms: int
    at: int


class TierOverrideEnded(Value, kw_only=True):
    """Ended by ``actor``, or by itself (None) when its time was over: the earned tier is in effect again."""

    member: str
    override: str
    reason: str
    actor: str | None
    shown: TierView
    terms: int
    at: int


TierEvent: TypeAlias = TierRaised | TierExtended | TierGraceStarted | TierLowered | TierOverridden | TierOverrideEnded


@dataclass(frozen=True)
class HeldTier:
    """A tier, since when, and when it is reviewed; the entry tier never is.

    A reversal takes it back until ``revocable_until``. ``reviewed`` says whether a review kept or gave it since.
    """

    tier: str = ENTRY_TIER
    raised_at: int = 0
    valid_until: int | None = None
    revocable_until: int | None = None
    reviewed: bool = False


@dataclass(frozen=True)
class TierOverride:
    override: str
    kind: OverrideKind
    tier: str
    until: int | None


@dataclass(frozen=True)
class TierState:
    """``before`` is the tier that the latest upgrade replaced, which a reversal brings back. ``overrides`` holds the ids of
    all.
    """

    now: HeldTier = HeldTier()
    before: HeldTier = HeldTier()
    grace_until: int | None = None
    override: TierOverride | None = None
    overrides: frozenset[str] = frozenset()

    @property
    def due(self) -> int | None:
        """Return when the tier is reviewed, its grace ends or the override runs out, whichever comes first."""
        held = self.now.valid_until if self.grace_until is None else self.grace_until
        ends = self.override.until if self.override else None
        return held if ends is None or (held is not None and held <= ends) else ends


def evolve_tier(state: TierState, event: TierEvent) -> TierState:
    match event:
        case TierRaised():
            held = HeldTier(event.tier, event.at, event.valid_until, event.revocable_until)
            return replace(state, now=held, before=state.now, grace_until=None)
        case TierLowered(reason="reversal"):
            return take_back_upgrade(state, event)
        case TierExtended() | TierLowered():
            revocable_until = event.revocable_until if isinstance(event, TierExtended) else None
            held = HeldTier(event.tier, state.now.raised_at, event.valid_until, revocable_until, reviewed=True)
            return replace(state, now=held, grace_until=None)
        case TierGraceStarted():
            return replace(state, grace_until=event.grace_until)
        case TierOverridden():
            override = TierOverride(event.override, event.kind, event.tier, event.until)
            return replace(state, override=override, overrides=state.overrides | {event.override})
        case TierOverrideEnded():
            return replace(state, override=None)


def take_back_upgrade(state: TierState, event: TierLowered) -> TierState:
    """Return the state after a reversal: the tier before the upgrade, or one between that another may take back."""
    if event.tier == state.before.tier:
        return replace(state, now=replace(state.before, valid_until=event.valid_until), before=HeldTier(), grace_until=None)
    return replace(state, now=replace(state.now, tier=event.tier, valid_until=event.valid_until))


class TierProgress(Value):
    """The way to the next tier, as of the event that tells it. Amounts are in the metric's units: minor units, points, or
    orders.

    ``tier`` is the next one, None above the highest, and ``missing`` what it still takes. ``leaving`` leaves the window
    within 30 days. ``forecast`` is when the next tier is reached at the pace of the last 90 days, None if it is not.
    """

    metric: Metric
    tier: str | None
    missing: int
    leaving: int
    forecast: int | None


class TierView(Value):
    """What a member sees: the ``tier`` in effect, an override included, with its ``benefits`` and the way ahead."""

    tier: str
    benefits: Benefits
    ahead: TierProgress
