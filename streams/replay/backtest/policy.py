"""Replays history under another policy, in memory: what the shop's people and goods did is given, the rest is decided again.

Given, in the order of the log: registrations, orders up to their refunds, actions, pools, adjustments, tags, overrides and
erasures. Redemptions, holds, claims and transfers are asked for again and may be refused. What follows from events, and what
time brings, is decided by the candidate. Nothing is written anywhere.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

import msgspec

from aggregates.constraints import REWARD_EXHAUSTED, ReturnUse, UseKey, constraints_of
from aggregates.decider import Decider, Recorded, Refusal, stream_id
from aggregates.member import MemberClosed, MemberErased, MemberRegistered, member
from aggregates.membership.commands import RecordDue, ReleaseHold
from aggregates.membership.decider import membership
from aggregates.membership.events import (
    DebtSettled,
    Event,
    HoldCaptured,
    HoldReleased,
    LotExpired,
    PointsHeld,
    PoolJoined,
    PoolUsed,
    RewardClaimed,
    TierExtended,
    TierGraceStarted,
    TierLowered,
    TierOverrideEnded,
)
from aggregates.membership.state import Membership
from aggregates.order.events import OrderPaid
from aggregates.programme import Policies, Programme
from aggregates.programme.policy import PolicyPublished, policy
from aggregates.reactions import CAUSES
from infra.codec import Codec, key_of
from infra.event_log.log import EventLog
from infra.event_log.types import Row
from streams.commands.execution import Execution, Stream
from streams.exports.shop_log.commands import COMMAND_OF, points_values
from streams.exports.shop_log.importer import Spenders, WaitingLots, follows
from streams.registry import COMMANDS, EVENTS
from streams.replay.backtest.redeem_share import RedeemShare

CHUNK = 2000

OF_MEMBERSHIP: frozenset[type] = frozenset(Event.__args__)
BY_TIME = (DebtSettled, LotExpired, HoldReleased, TierOverrideEnded, TierExtended, TierGraceStarted, TierLowered)
"""Events that a tick may have recorded: by then, time had come so far for this member."""

KNOWN_BY = frozenset({MemberRegistered, OrderPaid, *OF_MEMBERSHIP})
"""Events by which the shop knows a member."""

OF_ALL = frozenset(EVENTS[PolicyPublished].stored_names)
TAKEN = frozenset(
    name for event in OF_MEMBERSHIP | CAUSES | KNOWN_BY | {MemberClosed, MemberErased} for name in EVENTS[event].stored_names
)
"""Stored names of the events that a replay takes: those of all, and those that are the member's."""

USE_NAMES = ("redemption", "hold", "claim")
"""The fields of a command that name a use of points."""


class RefusedKind(NamedTuple):
    """A command that was accepted then, and the code by which the candidate refuses it."""

    command: str
    code: str


@dataclass
class RefusedTotal:
    """How many requests, and what they were about then: points, and their worth in minor units."""

    requests: int = 0
    points: int = 0
    money: int = 0


Mine: TypeAlias = Callable[[str], bool]
"""Whether a replay takes the events with a partition key; those of members begin with the member."""


class DatedEvent(msgspec.Struct):
    """What every event has: the instant it is dated."""

    at: int


DATED = msgspec.json.Decoder(DatedEvent).decode


def instant_of(codec: Codec, row: Row) -> int:
    """Return the instant of a stored event, without decoding the rest. Raises as the codec does for one that it cannot read."""
    try:
        if row.name in codec.plain:
            return DATED(row.state).at
    except msgspec.DecodeError:
        pass
    event: Any = codec.decode(row.name, row.state)
    at: int = event.at
    return at


def event_of(codec: Codec, row: Row, mine: Mine) -> Any:
    """Return a stored event, None if it has nothing to do with points, or belongs to others."""
    if row.name in OF_ALL or (row.name in TAKEN and mine(key_of(row.state))):
        return codec.decode(row.name, row.state)
    return None


class CandidateShop:
    """The memberships of the shop as they would be under ``policies``: their ``events``, by member."""

    def __init__(self, policies: Policies, codec: Codec) -> None:
        self.policies = policies
        self.events: dict[str, list[Event]] = {}
        self._codec = codec
        self._streams: dict[str, Stream] = {}
        self._erased: frozenset[str] = frozenset()
        self._used: Counter[str] = Counter()

    def take_over(self, event: Any) -> None:
        """Let an event of a membership stand as it was."""
        stream = stream_id(membership.name, event.member)
        version, state = self._load(stream, membership)
        self._streams[stream] = version + 1, membership.evolve(state, event)
        self._keep(event)

    def know(self, event: MemberRegistered | MemberClosed) -> None:
        """Note whether a membership is open: a closed one earns nothing."""
        self._streams[stream_id(member.name, event.member)] = 1, member.evolve(member.initial, event)

    def react(self, event: object) -> None:
        """Decide what follows for memberships from an event that is given."""
        work = self._execution()
        self._decide(work, of_membership(work.react([event])))
        self._erased = work.erased

    def ask(self, command: object) -> None:
        """Decide a command, with what follows from it. Raises ``Refusal``; then nothing of it happens."""
        self._decide(self._execution(), [command])

    def membership_of(self, of: str) -> Membership:
        """Return the membership of a member as far as it is recorded."""
        state: Membership = self._load(stream_id(membership.name, of), membership)[1]
        return state

    def _execution(self) -> Execution:
        return Execution(self.policies, self._codec, self._erased, self._load, batch="behaviour")

    def _decide(self, work: Execution, commands: list[object]) -> None:
        waiting = deque(commands)
        while waiting:
            loaded = work.load(waiting[0])
            events = work.decide(waiting.popleft(), loaded)
            waiting.extendleft(reversed(of_membership(work.react(events))))
        for _, _, event in work.events:
            self._require_stock(event)
        self._streams.update(work.streams)
        for _, _, event in work.events:
            self._keep(event)

    def _load(self, stream: str, decider: Decider[Any, Any, Any]) -> Stream:
        return self._streams.get(stream, (0, decider.initial))

    def _require_stock(self, event: object) -> None:
        """Refuse a reward of which none is left. One request claims one reward."""
        if isinstance(event, RewardClaimed) and event.stock is not None and self._used[f"reward:{event.reward}"] >= event.stock:
            raise REWARD_EXHAUSTED

    def _keep(self, event: Any) -> None:
        self.events.setdefault(event.member, []).append(event)
        for constraint in constraints_of(event):
            match constraint:
                case UseKey(key=key):
                    self._used[key] += 1
                case ReturnUse(key=key):
                    self._used[key] -= 1


def of_membership(commands: Iterable[object]) -> list[object]:
    return [command for command in commands if COMMANDS[type(command)].decider is membership]


@dataclass
class Histories:
    """What the memberships ``were`` and what they ``would`` be, by member, up to the instant ``now``.

    ``known`` maps each member to the instant at which the shop first knew them; ``left`` those who closed or were erased.
    ``pools`` have ledgers, and are no members. ``published`` and ``candidate`` are the policies of the two.
    ``redeem_share``: whether members redeemed the same share as then; see :mod:`streams.replay.backtest.redeem_share`.
    """

    published: Policies
    candidate: Policies
    now: int = 0
    position: int = 0
    were: dict[str, list[Event]] = field(default_factory=dict)
    would: dict[str, list[Event]] = field(default_factory=dict)
    refused: dict[RefusedKind, RefusedTotal] = field(default_factory=dict)
    known: dict[str, int] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)
    pools: set[str] = field(default_factory=set)
    redeem_share: bool = False


class Backtest:
    """One replay. ``terms`` hold from the instant ``since`` on, before which facts stand; None: every policy as published.

    ``since`` and ``until`` are resolved to positions: before the first event of that instant, or dated later, in the log.
    """

    def __init__(
        self,
        first: Policies,
        codec: Codec,
        terms: Programme | None,
        since: int = 0,
        until: int | None = None,
        redeem_share: bool = False,
    ) -> None:
        self._histories = Histories(first, first, redeem_share=redeem_share)
        self._share = RedeemShare() if redeem_share else None
        self._candidate = CandidateShop(first, codec)
        self._terms = terms
        self._since = since
        self._until = until
        self._begun = False
        self._waiting = WaitingLots(first)
        self._spenders = Spenders()
        self._unmet: set[tuple[str, str]] = set()
        self._worth: dict[tuple[str, str], int] = {}

    def run(self, log: EventLog, mine: Mine = lambda _: True) -> Histories:
        """Replay the log; only the members that are ``mine``, but on the clock of all."""
        done = self._histories
        before = Recorded(0, None)
        while page := log.since(done.position, CHUNK):
            for row in page:
                event = event_of(log.codec, row, mine)
                at = instant_of(log.codec, row) if event is None else event.at
                if self._until is not None and at > self._until:
                    return self._ended()
                done.now = max(done.now, at)
                done.position = row.position
                if done.now >= self._since:
                    self._begin()
                if event is not None:
                    self._happened(event, before.event if before.position == row.position - 1 else None)
                    before = Recorded(row.position, event)
        return self._ended()

    def _begin(self) -> None:
        if self._begun:
            return
        self._begun = True
        if self._terms is not None:
            self._candidate.policies = self._candidate.policies.with_version(self._terms, self._since)

    def _ended(self) -> Histories:
        self._begin()
        done = self._histories
        done.now = done.now if self._until is None else self._until
        done.candidate, done.would = self._candidate.policies, self._candidate.events
        return done

    def _happened(self, event: Any, before: object) -> None:
        """Take the log's next event into both histories."""
        asked = self._waiting.ended_by(event) or not follows(event, before)
        self._note(event)
        if type(event) in OF_MEMBERSHIP:
            self._histories.were.setdefault(event.member, []).append(event)
            if not self._begun:
                self._candidate.take_over(event)
            elif asked:
                self._ask(event)
            elif isinstance(event, BY_TIME):
                self._candidate.ask(RecordDue(event.member, event.at))
            if self._share is not None:
                self._share.happened(event)
        elif isinstance(event, PolicyPublished):
            self._histories.published = policy.evolve(self._histories.published, event)
            if self._terms is None or not self._begun:
                self._candidate.policies = policy.evolve(self._candidate.policies, event)
        elif self._begun or isinstance(event, MemberErased):
            self._candidate.react(event)

    def _note(self, event: Any) -> None:
        """Note who is known from when, and who asks for the points of a pool."""
        done = self._histories
        match event:
            case PoolUsed():
                self._spenders.used(event)
            case PoolJoined():
                done.pools.add(event.member)
            case PointsHeld():
                self._worth[event.member, event.hold] = event.money
            case MemberClosed() | MemberErased():
                done.left.setdefault(event.member, done.now)
        if isinstance(event, MemberRegistered | MemberClosed):
            self._candidate.know(event)
        if type(event) in KNOWN_BY and event.member is not None:
            done.known.setdefault(event.member, done.now)

    def _ask(self, event: Any) -> None:
        """Ask for what an event tells. What rests on a use that was refused falls with it, and is not counted again."""
        command = self._scaled(command_behind(event, self._spenders), event)
        if command is None:
            return
        names = [(event.member, name) for field in USE_NAMES if (name := getattr(command, field, None)) is not None]
        try:
            self._candidate.ask(command)
        except Refusal as refusal:
            if isinstance(command, ReleaseHold) or self._unmet.intersection(names):
                return
            self._unmet.update(names)
            kind = RefusedKind(type(command).__name__, refusal.code)
            total = self._histories.refused.setdefault(kind, RefusedTotal())
            total.requests += 1
            total.points += points_of(event)
            total.money += self._worth.get(names[0], 0) if isinstance(event, HoldCaptured) else getattr(event, "money", 0)

    def _scaled(self, command: object, event: Any) -> object | None:
        """Return the command in the scenario of this replay, None if it asks for nothing there."""
        if self._share is None:
            return command
        candidate = self._candidate
        return self._share.scaled(command, event, candidate.membership_of(event.member), candidate.policies)


def command_behind(event: Any, spenders: Spenders) -> object:
    """Return the command that asks for what an event of a membership tells."""
    command = COMMAND_OF[type(event)]
    fields = [spec.name for spec in msgspec.structs.fields(command)]
    values = {name: getattr(event, name) for name in fields if hasattr(event, name)}
    asked: object = command(**values | points_values(event, spenders))
    return asked


def points_of(event: Any) -> int:
    """Return how many points an event is about."""
    if isinstance(event, HoldCaptured):
        return sum(points for _, points in event.allocations)
    points: int = event.price if isinstance(event, RewardClaimed) else getattr(event, "points", 0)
    return abs(points)
