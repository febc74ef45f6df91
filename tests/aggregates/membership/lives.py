"""Memberships to which the tests of points and tiers give commands, under any policy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

from aggregates.decider import Context
from aggregates.membership.commands import (
    ActivatePoints,
    ClawBackPoints,
    Command,
    EndTierOverride,
    GrantPoints,
    OverrideTier,
    RecordDue,
)
from aggregates.membership.decider import decide, membership, membership_as_of
from aggregates.membership.events import (
    Event,
    TierExtended,
    TierGraceStarted,
    TierLowered,
    TierOverridden,
    TierOverrideEnded,
    TierRaised,
)
from aggregates.membership.state import Membership
from aggregates.membership.tiers.judging import tier_in_effect
from aggregates.programme import InForce, Policies, Programme, Qualifying, Validity, Wallet
from aggregates.value import replace
from streams.commands.validation import require_valid
from tests.aggregates.given import ZONE, instant

NOW = instant("2026-06-10T12:00", "UTC")
AT_ONCE = Wallet(activates="at_payment", validity=Validity("days", 60))


def policies(*wallets: Wallet, **terms: Any) -> Policies:
    """One version, in force for ever, in UTC."""
    return Policies((InForce(0, replace(Programme(), wallets=wallets or (Wallet(),), **terms)),))


class Ledger:
    """A membership of member ``m`` under some policies; ``events`` is all that was decided."""

    def __init__(self, known: Policies, events: Iterable[Event] = ()) -> None:
        self.policies = known
        self.events: list[Event] = list(events)
        self.state: Membership = membership.rebuild(self.events)

    def give(self, command: Command) -> list[Event]:
        """Decide and remember. Raises ``Refusal``."""
        require_valid(command, by_time=True)
        return self.decide(command)

    def decide(self, command: Any) -> list[Event]:
        """Decide a command that is not validated, such as a reaction, and remember. Raises ``Refusal``."""
        decided = membership.decide(command, self.state, Context(self.policies))
        for event in decided:
            self.state = membership.evolve(self.state, event)
        self.events += decided
        return decided

    def buy(self, order: str, net: int, at: int, lines: Any = ()) -> list[Event]:
        return self.give(GrantPoints("m", order, net, at, lines))

    def deliver(self, order: str, at: int) -> list[Event]:
        return self.give(ActivatePoints("m", order, at))

    def refund(
        self, order: str, reversal: str, net: int, at: int, given_back: tuple[int, ...] | None = None, **more: Any
    ) -> list[Event]:
        """``given_back``: the money of each line."""
        parts = None if given_back is None else tuple(enumerate(given_back, 1))
        return self.give(ClawBackPoints("m", order, reversal, net, at, given_back=parts, **more))

    def left(self) -> dict[str, int]:
        """What is left of each lot of which anything is."""
        return {lot.lot: lot.remaining for lot in self.state.points.lots.values() if lot.remaining}


def bought(points: int = 100, wallet: Wallet = AT_ONCE) -> Ledger:
    """Of a member who has just earned so many by one order, ``o``."""
    ledger = Ledger(policies(wallet))
    ledger.buy("o", points * 100, NOW)
    return ledger


def only(kind: type[Any], events: Iterable[Event]) -> Any:
    """The one event of a kind."""
    (found,) = [event for event in events if isinstance(event, kind)]
    return found


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
        require_valid(command, by_time=True)
        decided = decide(command, self.state, Context(self.policies))
        self.events += decided
        self.state = reduce(membership.evolve, decided, self.state)
        return decided

    def buys(self, order: str, major: int, day: str) -> list[Any]:
        return self.do(GrantPoints("m", order, major * 100, noon(day)))

    def returns(self, order: str, day: str, keeps: int = 0) -> list[Any]:
        return self.do(ClawBackPoints("m", order, f"return of {order} on {day}", keeps * 100, noon(day)))

    def sets(self, name: str, kind: Any, tier: str, day: str, until: str | None = None) -> list[Any]:
        ends = None if until is None else instant(until)
        return self.do(OverrideTier("m", name, kind, tier, "a complaint", "ada", noon(day), ends))

    def ends(self, name: str, day: str) -> list[Any]:
        return self.do(EndTierOverride("m", name, "settled", "ada", noon(day)))

    def ticks(self, day: str) -> list[Any]:
        return self.do(RecordDue("m", noon(day)))

    def on(self, day: str) -> Membership:
        """As it is at an instant, whether anything is recorded by then or not."""
        return membership_as_of(noon(day), self.policies, self.state)

    def tier(self, day: str) -> str:
        """The tier in effect at an instant."""
        at = noon(day)
        state = membership_as_of(at, self.policies, self.state)
        return tier_in_effect(state.tier, state.standing.override, self.policies.at(at))

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
