"""What an importer of the file would know at each place of it: the check that a line says what the log says.

A line is faithful if reading it, planning it and deciding it over what is known gives the very events that come next.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from aggregates.cart.decider import cart
from aggregates.decider import Decider, Refusal, stream_id
from aggregates.member import Member, member
from aggregates.membership.decider import membership
from aggregates.membership.events import (
    ActionRecorded,
    HoldCaptured,
    HoldReleased,
    LotActivated,
    MemberTagged,
    PointsAdjusted,
    PointsGranted,
    PointsHeld,
    PointsRedeemed,
    PointsReinstated,
    PointsReturned,
    PointsTransferred,
    PoolJoined,
    PoolLeft,
    PoolUsed,
    RewardClaimed,
    TierOverridden,
    TierOverrideEnded,
)
from aggregates.membership.events import Event as LedgerEvent
from aggregates.order.decider import order
from aggregates.programme import Policies, Programme
from aggregates.programme.policy import PolicyPublished, policy
from aggregates.session import MemberRecognised, sessions
from infra.codec import Codec
from infra.event_log.log import EventLog
from streams.commands.execution import Deciding, Stream
from streams.imports.shop_log.lines import ShopLine
from streams.imports.shop_log.plans.planning import Planner

OF_POINTS = (
    LotActivated,
    PointsRedeemed,
    PointsReturned,
    PointsHeld,
    HoldCaptured,
    HoldReleased,
    PointsAdjusted,
    PointsReinstated,
    PointsTransferred,
    RewardClaimed,
    PoolJoined,
    PoolLeft,
    ActionRecorded,
    MemberTagged,
    TierOverridden,
    TierOverrideEnded,
)
"""What people ask of points and tiers. Where it followed from an order after all, asking for it again changes nothing."""

FOLLOWS = (*(event for event in LedgerEvent.__args__ if event not in OF_POINTS), MemberRecognised)
"""Facts that policies bring about: the import decides them again, so the file leaves them out."""


def follows(event: object, before: object = None) -> bool:
    """Whether a fact follows from others; ``before``: the one that stands before it in the log."""
    match before, event:
        case ((HoldCaptured(hold=use) | RewardClaimed(claim=use)), PointsRedeemed()) if use == event.redemption:
            return True  # to ask for it by the name of a hold or of a claim is refused
    match event:
        case LotActivated():
            return True  # as a rule: see Waiting
        case TierOverrideEnded():
            return event.actor is None
        case PointsTransferred():
            return event.direction == "in"
        case HoldReleased():
            return event.reason == "expired"
        case _:
            return isinstance(event, FOLLOWS)


class Waiting:
    """The lots that wait for an action, as the policy of their grant has it: what activates one of them was asked for."""

    def __init__(self, first: Policies) -> None:
        self._policies = first
        self._lots: set[tuple[str, str]] = set()

    def ended_by(self, event: object) -> bool:
        """Take note of the log's next fact; whether it is what a lot waited for."""
        match event:
            case PolicyPublished():
                self._policies = policy.evolve(self._policies, event)
            case PointsGranted():
                wallet = self._policies.version(event.terms).wallet(event.wallet)
                if wallet is not None and wallet.activates == "on_action":
                    self._lots.add((event.member, event.lot))
            case LotActivated() if (event.member, event.lot) in self._lots:
                self._lots.remove((event.member, event.lot))
                return True
        return False


NOT_KEPT = (membership, sessions)
"""Aggregates of which only such facts depend."""


class World:
    """``versions``: how far each order has come; its state is read from the log when a line asks for it."""

    def __init__(self, log: EventLog, terms: Programme) -> None:
        self._log = log
        self._codec: Codec = log.codec
        self._policies = Policies.first(terms.zone, terms.currency)
        self._states: dict[str, Stream] = {}
        self._versions: dict[str, int] = {}
        self._erased: frozenset[str] = frozenset()
        self._planner = Planner(terms)
        self._spenders: dict[tuple[str, str], str] = {}

    def decided(self, line: ShopLine) -> list[object] | None:
        """The facts that this line would bring about here, without those that follow from them; None if it would be refused."""
        deciding = Deciding(self._policies, self._codec, self._erased, self._load, batch="behaviour")
        try:
            for command in self._planner.request(line).plan(deciding.look):
                deciding.command(command)
        except Refusal:
            return None
        return [event for _, _, event in deciding.events if not follows(event)]

    def happened(self, stream: str, decider: Decider[Any, Any, Any], event: object) -> None:
        """Take note of the log's next fact."""
        if decider is order:
            self._versions[stream] = self._versions.get(stream, 0) + 1
            return
        if decider in NOT_KEPT or decider.name == "behaviour":
            return
        version, state = self._load(stream, decider)
        after = decider.evolve(state, event)
        if decider is cart and after.status != "open":
            self._states.pop(stream, None)
        else:
            self._states[stream] = version + 1, after
        if type(event) in self._codec.erasing:
            self._erased |= {self._codec.partition_key(event)}

    def used(self, event: PoolUsed) -> None:
        """Take note of who asked for the use of a pool's points that is told next."""
        self._spenders[event.member, event.use] = event.by

    def spender(self, pool: str, use: str) -> str | None:
        """Who asked for it, told once; None for a member's own points."""
        return self._spenders.pop((pool, use), None)

    def member(self, name: str) -> Member:
        state: Member = self._load(stream_id(member.name, name), member)[1]
        return state

    def cart(self, name: str) -> Any:
        return self._load(stream_id(cart.name, name), cart)[1]

    def _load(self, stream: str, decider: Decider[Any, Any, Any]) -> Stream:
        if decider is order:
            version = self._versions.get(stream, 0)
            events: Iterable[Any] = self._log.read(stream)[0][:version] if version else ()
            return version, order.rebuild(events)
        return self._states.get(stream, (0, decider.initial))
