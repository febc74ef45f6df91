"""The tier: what is held, until when, and what the latest upgrade ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias, assert_never

from aggregates.programme import ENTRY_TIER


@dataclass(frozen=True)
class TierRaised:
    """Held from ``at`` until ``valid_until``, when it is reviewed."""

    member: str
    tier: str
    previous: str
    qualifying: int
    valid_until: int
    at: int


@dataclass(frozen=True)
class TierExtended:
    member: str
    tier: str
    qualifying: int
    valid_until: int
    at: int


@dataclass(frozen=True)
class TierLowered:
    """``reason``: ``review`` at the end of its year, or ``reversal`` of the purchase that had raised it."""

    member: str
    tier: str
    previous: str
    qualifying: int
    valid_until: int | None
    reason: str
    at: int


Event: TypeAlias = TierRaised | TierExtended | TierLowered


@dataclass(frozen=True)
class Held:
    """A tier, since when, and when it is reviewed (the entry tier never is)."""

    tier: str = ENTRY_TIER
    raised_at: int = 0
    valid_until: int | None = None


@dataclass(frozen=True)
class Standing:
    """``before``: what the latest upgrade ended, which a reversal of it brings back."""

    now: Held = Held()
    before: Held = Held()

    @property
    def due(self) -> int | None:
        """When the tier is reviewed."""
        return self.now.valid_until


def evolve(state: Standing, event: Event) -> Standing:
    match event:
        case TierRaised():
            return Standing(Held(event.tier, event.at, event.valid_until), before=state.now)
        case TierLowered(reason="reversal"):
            raised_at = state.before.raised_at if event.tier == state.before.tier else state.now.raised_at
            return Standing(Held(event.tier, raised_at, event.valid_until))
        case TierExtended() | TierLowered():
            return Standing(Held(event.tier, state.now.raised_at, event.valid_until), state.before)
        case _:
            assert_never(event)
