"""The standing: the tier that is held, until when, what the latest upgrade ended, and what somebody has set by hand.

``qualifying`` is the metric of the window, in its own units. ``terms``: the version of the policy that decided. ``shown``: what
the member sees from then on; facts from before it was told have none.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from aggregates.membership.tiers.progress import Shown
from aggregates.programme import ENTRY_TIER
from aggregates.value import Value

Kind: TypeAlias = Literal["pin", "floor"]


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
    shown: Shown | None
    terms: int
    at: int


class TierExtended(Value):
    """Reviewed and kept, at its end or in the grace after it. ``revocable_until``: as of an upgrade."""

    member: str
    tier: str
    qualifying: int
    valid_until: int
    revocable_until: int | None
    shown: Shown | None
    terms: int
    at: int


class TierGraceStarted(Value):
    """Reviewed and not kept: the tier is held on until ``grace_until``, and kept if ``needed`` is reached by then."""

    member: str
    tier: str
    qualifying: int
    needed: int
    grace_until: int
    shown: Shown
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
    shown: Shown | None
    terms: int
    at: int


class TierOverridden(Value):
    """Set by hand until ``until`` (None: until it is ended): ``pin``, this tier and no other, or ``floor``, at least this one.

    ``override`` names it. It takes the place of the one before; what is earned goes on beneath it.
    """

    member: str
    override: str
    kind: Kind
    tier: str
    reason: str
    actor: str
    until: int | None
    shown: Shown
    terms: int
    at: int


class TierOverrideEnded(Value):
    """By ``actor``, or by itself (None) when its time was over: what is earned is in effect again."""

    member: str
    override: str
    reason: str
    actor: str | None
    shown: Shown
    terms: int
    at: int


Event: TypeAlias = TierRaised | TierExtended | TierGraceStarted | TierLowered | TierOverridden | TierOverrideEnded


@dataclass(frozen=True)
class Held:
    """A tier, since when, and when it is reviewed (the entry tier never is).

    ``revocable_until``: until when a reversal takes it back. ``reviewed``: whether it was kept or given by a review since.
    """

    tier: str = ENTRY_TIER
    raised_at: int = 0
    valid_until: int | None = None
    revocable_until: int | None = None
    reviewed: bool = False


@dataclass(frozen=True)
class Override:
    override: str
    kind: Kind
    tier: str
    until: int | None


@dataclass(frozen=True)
class Standing:
    """``before``: what the latest upgrade ended, which a reversal of it brings back. ``overrides``: all there ever were."""

    now: Held = Held()
    before: Held = Held()
    grace_until: int | None = None
    override: Override | None = None
    overrides: frozenset[str] = frozenset()

    @property
    def due(self) -> int | None:
        """When the tier is reviewed, its grace ends or the override runs out, whatever is first."""
        held = self.now.valid_until if self.grace_until is None else self.grace_until
        ends = self.override.until if self.override else None
        return held if ends is None or (held is not None and held <= ends) else ends


def evolve(state: Standing, event: Event) -> Standing:
    match event:
        case TierRaised():
            held = Held(event.tier, event.at, event.valid_until, event.revocable_until)
            return replace(state, now=held, before=state.now, grace_until=None)
        case TierLowered(reason="reversal"):
            return brought_back(state, event)
        case TierExtended() | TierLowered():
            revocable_until = event.revocable_until if isinstance(event, TierExtended) else None
            held = Held(event.tier, state.now.raised_at, event.valid_until, revocable_until, reviewed=True)
            return replace(state, now=held, grace_until=None)
        case TierGraceStarted():
            return replace(state, grace_until=event.grace_until)
        case TierOverridden():
            override = Override(event.override, event.kind, event.tier, event.until)
            return replace(state, override=override, overrides=state.overrides | {event.override})
        case TierOverrideEnded():
            return replace(state, override=None)


def brought_back(state: Standing, event: TierLowered) -> Standing:
    """A reversal brings back what the upgrade ended, or leaves a tier between, which another may take back as well."""
    if event.tier == state.before.tier:
        return replace(state, now=replace(state.before, valid_until=event.valid_until), before=Held(), grace_until=None)
    return replace(state, now=replace(state.now, tier=event.tier, valid_until=event.valid_until))
