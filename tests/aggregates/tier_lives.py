"""What the tests of tiers share: purchases and returns as one says them, and what they make of a member, under any policy."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import reduce
from typing import Any

from aggregates.membership.commands import ClawBackPoints, Command, EndTierOverride, GrantPoints, OverrideTier, RecordDue
from aggregates.membership.decider import decide, membership
from aggregates.membership.due import as_of
from aggregates.membership.events import (
    Event,
    Membership,
    TierExtended,
    TierGraceStarted,
    TierLowered,
    TierOverridden,
    TierOverrideEnded,
    TierRaised,
)
from aggregates.membership.tiers.override import in_effect
from aggregates.programme import Policies, Programme, Qualifying
from aggregates.value import replace
from tests.aggregates.given import ZONE, instant

TIER_EVENTS = (TierRaised, TierExtended, TierGraceStarted, TierLowered, TierOverridden, TierOverrideEnded)


def noon(day: str) -> int:
    """10:00 of a day, or the instant that is told in full."""
    return instant(day if "T" in day else f"{day}T10:00")


@dataclass
class Life:
    """A member under one policy."""

    policies: Policies
    events: list[Event] = field(default_factory=list)
    state: Membership = membership.initial

    def do(self, command: Command) -> list[Any]:
        decided = decide(replace(command, policies=self.policies), self.state)
        self.events += decided
        self.state = reduce(membership.evolve, decided, self.state)
        return decided

    def buys(self, order: str, major: int, day: str) -> list[Any]:
        return self.do(GrantPoints("m", order, major * 100, self.policies, noon(day)))

    def returns(self, order: str, day: str, keeps: int = 0) -> list[Any]:
        return self.do(ClawBackPoints("m", order, f"return of {order} on {day}", keeps * 100, self.policies, noon(day)))

    def sets(self, name: str, kind: Any, tier: str, day: str, until: str | None = None) -> list[Any]:
        ends = None if until is None else instant(until)
        return self.do(OverrideTier("m", name, kind, tier, "a complaint", "ada", noon(day), ends))

    def ends(self, name: str, day: str) -> list[Any]:
        return self.do(EndTierOverride("m", name, "settled", "ada", noon(day)))

    def ticks(self, day: str) -> list[Any]:
        return self.do(RecordDue("m", noon(day)))

    def on(self, day: str) -> Membership:
        """As it is at an instant, whether anything is recorded by then or not."""
        return as_of(noon(day), self.policies, self.state)

    def tier(self, day: str) -> str:
        """The tier in effect at an instant."""
        at = noon(day)
        state = as_of(at, self.policies, self.state)
        return in_effect(state.tier, state.standing.override, self.policies.at(at))

    @property
    def changes(self) -> list[Any]:
        return [event for event in self.events if isinstance(event, TIER_EVENTS)]


def under(**rules: Any) -> Life:
    """The default policy with other rules for qualifying."""
    return Life(policy(**rules))


def policy(**rules: Any) -> Policies:
    terms = Programme(zone=ZONE, qualifying=Qualifying(**rules))
    first = Policies.first(ZONE, "USD")
    return replace(first, versions=(replace(first.versions[0], terms=terms),))
