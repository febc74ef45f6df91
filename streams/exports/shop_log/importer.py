"""What an importer of the file knows at each line. The export uses it to check that a line causes the events that come next."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

from aggregates.cart import (
    cart,
)
from aggregates.cart_events import (
    CartReceived,
    CartResumed,
)
from aggregates.decider import Decider, Refusal, stream_id
from aggregates.gift_card import GiftCardExpired
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
from aggregates.order.events import Order
from aggregates.order.stock import StockReleased, StockRestored, StockTaken
from aggregates.programme import Policies, Programme
from aggregates.programme.policy import PolicyPublished, policy
from aggregates.referral import OfNewcomerEvent
from aggregates.session import MemberRecognised, MemberSignedOut, Session, SessionsForgotten, session, sessions
from infra.codec import Codec
from infra.event_log.log import EventLog
from streams.commands.execution import Execution, Stream
from streams.imports.shop_log.planning import Planner
from streams.imports.shop_log.reading import ShopLine

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
"""What people ask of points and tiers. If it followed from an order after all, asking for it again changes nothing."""

FOLLOWS = (
    *OfNewcomerEvent.__args__,
    CartResumed,
    CartReceived,
    GiftCardExpired,
    StockTaken,
    StockReleased,
    StockRestored,
    *(event for event in LedgerEvent.__args__ if event not in OF_POINTS),
    MemberRecognised,
    MemberSignedOut,
    SessionsForgotten,
)
"""Events that reactions bring about: the import decides them again, so the file leaves them out."""


def follows(event: object, before: object = None) -> bool:
    """Return whether an event follows from others; ``before``: the one before it in the log."""
    match before, event:
        case ((HoldCaptured(hold=use) | RewardClaimed(claim=use)), PointsRedeemed()) if use == event.redemption:
            return True  # a command with the id of a hold or a claim is refused
    match event:
        case LotActivated():
            return True  # but for those that WaitingLots finds
        case TierOverrideEnded():
            return event.actor is None
        case PointsTransferred():
            return event.direction == "in"
        case HoldReleased():
            return event.reason == "expired"
        case _:
            return isinstance(event, FOLLOWS)


class WaitingLots:
    """The lots that wait for an action by the policy of their grant: a command activates them, nothing else does."""

    def __init__(self, first: Policies) -> None:
        self._policies = first
        self._lots: set[tuple[str, str]] = set()

    def ended_by(self, event: object) -> bool:
        """Note the log's next event, and return whether a lot waited for it."""
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


class Spenders:
    """Who asked for the uses of pools' points."""

    def __init__(self) -> None:
        self._spenders: dict[tuple[str, str], str] = {}

    def used(self, event: PoolUsed) -> None:
        """Note who asked for the use of a pool's points that comes next."""
        self._spenders[event.member, event.use] = event.by

    def spender(self, pool: str, use: str) -> str | None:
        """Return who asked for it, once; None for a member's own points."""
        return self._spenders.pop((pool, use), None)


NOT_KEPT = (membership, sessions)
"""Aggregates whose states only such events depend on."""


class ImporterState:
    """The states that the lines so far have made. An order is read from the log as far as its lines go."""

    def __init__(self, log: EventLog, terms: Programme) -> None:
        self._log = log
        self._codec: Codec = log.codec
        self._policies = Policies.first(terms.zone, terms.currency, terms.digits)
        self._states: dict[str, Stream] = {}
        self._versions: dict[str, int] = {}
        self._erased: frozenset[str] = frozenset()
        self._planner = Planner(terms)
        self.spenders = Spenders()

    def decided(self, line: ShopLine) -> list[object] | None:
        """Return the events that this line causes, without those of reactions. None if it is refused."""
        work = Execution(self._policies, self._codec, self._erased, self._load, batch="behaviour")
        try:
            for command in self._planner.request(line).plan(work.read):
                work.check(command, by_time=False)
                waiting = deque([command])
                while waiting:
                    loaded = work.load(waiting[0])
                    events = work.decide(waiting.popleft(), loaded)
                    waiting.extendleft(reversed(work.react(events)))
        except Refusal:
            return None
        return [event for _, _, event in work.events if not follows(event)]

    def happened(self, stream: str, decider: Decider[Any, Any, Any], event: object) -> None:
        """Note the log's next event."""
        if decider is order:
            self._versions[stream] = self._versions.get(stream, 0) + 1
            return
        if decider in NOT_KEPT or decider.name == "behaviour":
            return
        version, state = self._load(stream, decider)
        after = decider.evolve(state, event)
        if decider is cart and after.status not in ("open", "abandoned"):
            self._states.pop(stream, None)
        else:
            self._states[stream] = version + 1, after
        if type(event) in self._codec.erasing:
            self._erased |= {self._codec.partition_key(event)}

    def member(self, name: str) -> Member:
        state: Member = self._load(stream_id(member.name, name), member)[1]
        return state

    def order(self, name: str) -> Order:
        state: Order = self._load(stream_id(order.name, name), order)[1]
        return state

    def session(self, name: str) -> Session:
        state: Session = self._load(stream_id(session.name, name), session)[1]
        return state

    def cart(self, name: str) -> Any:
        return self._load(stream_id(cart.name, name), cart)[1]

    def _load(self, stream: str, decider: Decider[Any, Any, Any]) -> Stream:
        if decider is order:
            version = self._versions.get(stream, 0)
            events = first_facts(self._log.read(stream)[0], version) if version else ()
            return version, order.rebuild(events)
        return self._states.get(stream, (0, decider.initial))


def first_facts(events: Iterable[Any], number: int) -> Iterator[Any]:
    """Yield the first so many events that follow from no others, with those in between and right after that do."""
    for event in events:
        if not follows(event):
            if number == 0:
                return
            number -= 1
        yield event
