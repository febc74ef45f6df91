"""A backtest's second scenario: members redeem the same share of what they could spend as they did then.

It is an assumption, not a forecast. It applies to redemptions and holds, and to what of them is given back. Rewards have a
price and transfers an amount, so those are asked for as they were.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from aggregates.membership.commands import HoldPoints, RedeemPoints, ReturnPoints
from aggregates.membership.decider import membership
from aggregates.membership.state import Membership
from aggregates.programme import Policies, Programme


@dataclass
class ScaledUse:
    """A redemption or a hold: its points ``then`` and ``now``, and how many of each were given back so far."""

    then: int
    now: int
    returned_then: int = 0
    returned_now: int = 0

    def give_back(self, points: int) -> int:
        """Count points that were given back then, and return how many are given back now. In sum they keep the proportion."""
        self.returned_then += points
        owed = self.returned_then * self.now // self.then - self.returned_now
        self.returned_now += owed
        return owed


class RedeemShare:
    """Follows the memberships as they were, so that it knows what each member could spend at each request."""

    def __init__(self) -> None:
        self._were: dict[str, Membership] = {}
        self._uses: dict[tuple[str, str], ScaledUse] = {}

    def happened(self, event: Any) -> None:
        """Take the next event of a membership, as it was."""
        self._were[event.member] = membership.evolve(self._were.get(event.member, membership.initial), event)

    def scaled(self, command: object, event: Any, candidate: Membership, policies: Policies) -> object | None:
        """Return the command with the points that it is about in this scenario, None if nothing is left to give back.

        ``event``: what came of it then, which :meth:`happened` has not taken yet. ``candidate``: the member under ``policies``.
        """
        if isinstance(command, RedeemPoints | HoldPoints):
            name = command.redemption if isinstance(command, RedeemPoints) else command.hold
            was = self._were.get(event.member, membership.initial).available(event.at, event.wallet)
            would = candidate.available(event.at, event.wallet)
            points = scaled_points(event.points, was, would, multiple_of(policies.at(event.at), event.wallet))
            self._uses[event.member, name] = ScaledUse(event.points, points)
            return msgspec.structs.replace(command, points=points)
        if isinstance(command, ReturnPoints) and (use := self._uses.get((event.member, command.redemption))):
            points = use.give_back(event.points)
            return msgspec.structs.replace(command, points=points) if points else None
        return command


def scaled_points(points: int, was: int, would: int, multiple: int = 1) -> int:
    """Return the same share of ``would`` as ``points`` are of ``was``, rounded down to a multiple, at least one of these.

    What was more than could be spent, as of facts that came late, is asked for as it was.

    >>> scaled_points(60, 100, 200), scaled_points(60, 100, 0), scaled_points(60, 100, 90, 50), scaled_points(60, 50, 200)
    (120, 1, 50, 60)
    """
    return points if points > was else max(multiple, points * would // was // multiple * multiple)


def multiple_of(terms: Programme, wallet: str) -> int:
    """Return the multiple in which points of a wallet are spent; 1 if the programme does not have the wallet."""
    found = terms.wallet(wallet)
    return found.redemption.multiple if found else 1
