"""Whose session it is. A guest who signs in is known from then on; what the session did before stays the session's.

To join concerns two keys, so it is two events, each complete: the session's stream says whose it is, and the member's list of
sessions says which are theirs, and so what an erasure must reach.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from aggregates.decider import Context, Decider, require_id
from aggregates.value import Value


class JoinSession(Value):
    """The session is this member's from now on."""

    session: str
    joined: str
    at: int


class RecogniseMember(Value):
    """Follows from joining: the member was recognised in a session."""

    member: str
    recognised_in: str
    at: int


class SessionJoined(Value):
    """``joined``: the member. The session is the partition key."""

    session: str
    joined: str
    at: int


class MemberRecognised(Value):
    """``recognised_in``: the session. The member is the partition key."""

    member: str
    recognised_in: str
    at: int


@dataclass(frozen=True)
class Session:
    member: str | None = None


def decide(command: JoinSession, session: Session, _: Context) -> list[SessionJoined]:
    require_id("session", command.session)
    require_id("member", command.joined)
    if session.member == command.joined:
        return []
    return [SessionJoined(command.session, command.joined, command.at)]


def evolve(_: Session, event: SessionJoined) -> Session:
    return Session(event.joined)


session = Decider("session", Session(), decide, evolve)

Sessions: TypeAlias = frozenset[str]


def recognise(command: RecogniseMember, _: Sessions, __: Context) -> list[MemberRecognised]:
    """Return an event each time that a session moved: one that was another member's in between is theirs again."""
    return [MemberRecognised(command.member, command.recognised_in, command.at)]


def remember(sessions: Sessions, event: MemberRecognised) -> Sessions:
    return sessions | {event.recognised_in}


sessions: Decider[RecogniseMember, Sessions, MemberRecognised] = Decider("sessions", frozenset(), recognise, remember)

Command: TypeAlias = JoinSession | RecogniseMember
Event: TypeAlias = SessionJoined | MemberRecognised
