"""A backtest on several cores: members who share points, a pool or a reward's stock stay together; sums are added up.

The figures are the same with any number of processes, since every one of them is a sum over members.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from typing import Any
from zlib import crc32

from aggregates.membership.ledger.events import PointsTransferred, PoolJoined, PoolLeft, PoolUsed, RewardClaimed
from aggregates.programme import Policies, Programme
from aggregates.referral import ReferralPaid, ReferralTakenBack
from infra.event_log.log import EventLog
from infra.settings import CHUNK, Settings
from streams.registry import EVENTS
from streams.replay.backtest.figures import Comparison, merged, sides
from streams.replay.backtest.policy import Backtest
from streams.running.app import open_log

LINKS: dict[type, str] = {
    PointsTransferred: "other",
    PoolJoined: "joiner",
    PoolLeft: "leaver",
    PoolUsed: "by",
    ReferralPaid: "referrer",
    ReferralTakenBack: "referrer",
}
"""Events by which what happens to one member depends on another, and the field that names the other."""

LINKING = frozenset(name for event in (*LINKS, RewardClaimed) for name in EVENTS[event].stored_names)

REWARD = "\x00reward/"
"""What stands for a reward of which there are so many; no member's id begins so."""


@dataclass(frozen=True)
class Scenario:
    """What is replayed: see :class:`~streams.replay.backtest.policy.Backtest`."""

    first: Policies
    terms: Programme | None
    since: int = 0
    until: int | None = None
    redeem_share: bool = False

    def run(self, log: EventLog, share: MemberShare) -> Comparison:
        """Return the figures of the members of a share."""
        of = Backtest(self.first, log.codec, self.terms, self.since, self.until, self.redeem_share)
        return sides(of.run(log, share.has))


@dataclass(frozen=True)
class MemberShare:
    """The members whose group falls to ``number`` of ``of``. ``groups``: the group of each who is not alone."""

    number: int
    of: int
    groups: Mapping[str, str]

    def has(self, member: str) -> bool:
        return self.of == 1 or crc32(self.groups.get(member, member).encode()) % self.of == self.number


def backtested(scenario: Scenario, log: EventLog, home: Settings, processes: int) -> Comparison:
    """Return the comparison of all members. ``home``: by which the other processes open the log."""
    groups = groups_in(log, scenario.terms) if processes > 1 else {}
    mine, *others = [MemberShare(number, processes, groups) for number in range(processes)]
    if not others:
        return scenario.run(log, mine)
    with ProcessPoolExecutor(len(others), mp_context=get_context("spawn")) as pool:
        parts = [pool.submit(partial(in_a_process, home, scenario), share) for share in others]
        return merged([scenario.run(log, mine), *(part.result() for part in parts)])


def in_a_process(home: Settings, scenario: Scenario, share: MemberShare) -> Comparison:
    """Return the comparison of a share, by a log opened anew."""
    with open_log(home) as (log, _):
        return scenario.run(log, share)


def groups_in(log: EventLog, terms: Programme | None) -> dict[str, str]:
    """Return the group of each member who is linked to others by any event of the log, named after one of them."""
    limited = {reward.id for reward in terms.rewards if reward.stock is not None} if terms else set()
    groups = Groups()
    position, head = 0, log.head()
    while position < head:
        found, position = log.recorded_of(position, CHUNK, LINKING)
        for recorded in found:
            for other in linked(recorded.event, limited):
                groups.join(recorded.event.member, other)  # type: ignore[attr-defined]
    return groups.roots()


def linked(event: Any, limited: Collection[str]) -> Iterator[str]:
    """Yield whom an event links to its member. ``limited``: rewards of which the candidate has only so many."""
    if isinstance(event, RewardClaimed):
        if event.stock is not None or event.reward in limited:
            yield REWARD + event.reward
    else:
        yield getattr(event, LINKS[type(event)])


class Groups:
    """Joins names into groups.

    >>> groups = Groups()
    >>> groups.join("a", "b"); groups.join("c", "d"); groups.join("d", "b")
    >>> groups.roots() == dict.fromkeys("abcd", groups.roots()["a"])
    True
    """

    def __init__(self) -> None:
        self._next: dict[str, str] = {}

    def join(self, one: str, other: str) -> None:
        self._next[self._root(one)] = self._root(other)

    def roots(self) -> dict[str, str]:
        """Return the name of its group for each name that was joined to another."""
        return {name: self._root(name) for name in list(self._next)}

    def _root(self, name: str) -> str:
        while (after := self._next.setdefault(name, name)) != name:
            self._next[name] = self._next[after]
            name = after
        return name
