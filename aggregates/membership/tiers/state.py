"""The standing: the tier that is held, until when, what the latest upgrade ended, and what somebody has set by hand.

``qualifying`` is the metric of the window, in its own units. ``terms``: the version of the policy that decided. ``shown``: what
the member sees from then on; facts from before it was told have none.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from aggregates.programme import ENTRY_TIER, Benefits, Metric
from aggregates.value import Value

OverrideKind: TypeAlias = Literal["pin", "floor"]


class TierRaised(Value):
    """Held from ``at`` until ``valid_until``, when it is reviewed. A reversal takes it back until ``revocable_until``; until
    ``provisional_until`` it is shown as provisional.
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


class TierExtended(Value):
    """Reviewed and kept, at its end or in the grace after it. ``revocable_until``: as of an upgrade."""

    member: str
    tier: str
    qualifying: int
    valid_until: int
    revocable_until: int | None
    shown: TierView | None
    terms: int
    at: int


class TierGraceStarted(Value):
    """Reviewed and not kept: the tier is held on until ``grace_until``, and kept if ``needed`` is reached by then."""

    member: str
    tier: str
    qualifying: int
    needed: int
    grace_until: int
    shown: TierView
    terms: int
    at: int


class TierLowered(Value):
    """``reason``: ``review`` at the end of its time, or ``reversal`` of the purchase that had raised it."""

    member: str
    tier: str
    previous: str
    qualifying: int
    valid_until: int | None
    reason: str
    shown: TierView | None
    terms: int
    at: int


class TierOverridden(Value):
    """Set by hand until ``until`` (None: until it is ended): ``pin``, this tier and no other, or ``floor``, at least this one.

    ``override`` names it. It takes the place of the one before; what is earned goes on beneath it.
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


class TierOverrideEnded(Value):
    """By ``actor``, or by itself (None) when its time was over: what is earned is in effect again."""

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
    """A tier, since when, and when it is reviewed (the entry tier never is).

    ``revocable_until``: until when a reversal takes it back. ``reviewed``: whether it was kept or given by a review since.
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
    """``before``: what the latest upgrade ended, which a reversal of it brings back. ``overrides``: all there ever were."""

    now: HeldTier = HeldTier()
    before: HeldTier = HeldTier()
    grace_until: int | None = None
    override: TierOverride | None = None
    overrides: frozenset[str] = frozenset()

    @property
    def due(self) -> int | None:
        """When the tier is reviewed, its grace ends or the override runs out, whatever is first."""
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
    """A reversal brings back what the upgrade ended, or leaves a tier between, which another may take back as well."""
    if event.tier == state.before.tier:
        return replace(state, now=replace(state.before, valid_until=event.valid_until), before=HeldTier(), grace_until=None)
    return replace(state, now=replace(state.now, tier=event.tier, valid_until=event.valid_until))


class TierProgress(Value):
    """The way to the next tier, as of the fact that tells it. Amounts are the metric's: minor units, points, or orders.

    ``tier``: the next one, None above the highest; ``missing``: what it still takes. ``leaving``: what leaves the window within
    30 days. ``forecast``: when the next tier is reached if buying goes on as in the last 90 days, None if it is not.
    """

    metric: Metric
    tier: str | None
    missing: int
    leaving: int
    forecast: int | None


class TierView(Value):
    """``tier``: the one in effect, an override included, with its ``benefits``."""

    tier: str
    benefits: Benefits
    ahead: TierProgress
