"""What the tests of the ledger share: a programme to try, and a membership to which commands are given."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from aggregates.membership.commands import ActivatePoints, ClawBackPoints, Command, GrantPoints
from aggregates.membership.decider import membership
from aggregates.membership.events import Event, Membership
from aggregates.programme import InForce, Policies, Programme, Validity, Wallet
from aggregates.value import replace
from tests.aggregates.given import instant

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
        decided = membership.decide(replace(command, policies=self.policies), self.state)
        for event in decided:
            self.state = membership.evolve(self.state, event)
        self.events += decided
        return decided

    def buy(self, order: str, net: int, at: int, lines: Any = ()) -> list[Event]:
        return self.give(GrantPoints("m", order, net, self.policies, at, lines))

    def deliver(self, order: str, at: int) -> list[Event]:
        return self.give(ActivatePoints("m", order, self.policies, at))

    def refund(self, order: str, reversal: str, net: int, at: int, **more: Any) -> list[Event]:
        return self.give(ClawBackPoints("m", order, reversal, net, self.policies, at, **more))

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
