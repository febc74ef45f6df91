"""Which member a session belongs to: none until a guest signs in, and none again once the member leaves it.

It is also a guest's again after the policy's ``session_days`` without an act. Each act of the member in it keeps it theirs for
so many days more, to the end of the local day. That is noted once a day, and no job has to run.

What a session did before it was joined stays the session's. Joining and leaving concern two keys, so each is two events. The
session's stream says whose it is. The member's list says which sessions were ever theirs, so that an erasure reaches them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias, assert_never

from aggregates.calendar import add_days, end_of_day
from aggregates.decider import Context, Decider, require_id
from aggregates.value import Value


class JoinSession(Value):
    """The session is this member's from now on."""

    session: str
    joined: str
    at: int


class KeepSession(Value):
    """Follows from an act of its member: the session stays theirs for the policy's days."""

    session: str
    at: int


class LeaveSession(Value):
    """The session is nobody's from now on: the member signed out, or the device is shared."""

    session: str
    at: int


class RecogniseMember(Value):
    """Follows from joining: the member was recognised in a session."""

    member: str
    recognised_in: str
    at: int


class ForgetSessions(Value):
    """Follows from an erasure: what the member's sessions did is to be forgotten with them."""

    member: str
    at: int


class SignOutMember(Value):
    """Follows from leaving: the session is no longer this member's."""

    member: str
    signed_out_of: str
    at: int


class SessionJoined(Value):
    """``joined``: the member. The session is the partition key."""

    session: str
    joined: str
    at: int


class SessionKept(Value):
    """The session is its member's until this instant, unless it is left or joined before. The session is the partition key."""

    session: str
    until: int
    at: int


class SessionLeft(Value):
    """``left``: the member whose session it was. The session is the partition key."""

    session: str
    left: str
    at: int


class MemberRecognised(Value):
    """``recognised_in``: the session. The member is the partition key."""

    member: str
    recognised_in: str
    at: int


class SessionsForgotten(Value):
    """``sessions``: all that were ever the erased member's, by name."""

    member: str
    sessions: tuple[str, ...]
    at: int


class MemberSignedOut(Value):
    """``signed_out_of``: the session. The member is the partition key."""

    member: str
    signed_out_of: str
    at: int


@dataclass(frozen=True)
class Session:
    """``member``: the last one. ``until``: the first instant from which it is a guest's; None in logs that noted no end."""

    member: str | None = None
    until: int | None = None

    def member_at(self, at: int) -> str | None:
        """Return whose session it is at an instant."""
        return None if self.until is not None and at >= self.until else self.member


OfSession: TypeAlias = SessionJoined | SessionKept | SessionLeft


def decide(command: JoinSession | KeepSession | LeaveSession, session: Session, context: Context) -> list[OfSession]:
    require_id("session", command.session)
    match command:
        case JoinSession():
            require_id("member", command.joined)
            if session.member_at(command.at) == command.joined:
                return keep(command, session, context)
            return [SessionJoined(command.session, command.joined, command.at)]
        case KeepSession():
            return keep(command, session, context)
        case LeaveSession():
            return [] if session.member is None else [SessionLeft(command.session, session.member, command.at)]
        case _:
            assert_never(command)


def keep(command: JoinSession | KeepSession, session: Session, context: Context) -> list[OfSession]:
    """Return that the session stays its member's, if that was not noted on the same day or later."""
    terms = context.policies.at(command.at)
    until = end_of_day(add_days(command.at, terms.session_days, terms.zone), terms.zone)
    noted = session.until is not None and session.until >= until
    return [] if noted else [SessionKept(command.session, until, command.at)]


def evolve(session: Session, event: OfSession) -> Session:
    match event:
        case SessionJoined():
            return Session(event.joined)
        case SessionKept():
            return Session(session.member, event.until)
        case SessionLeft():
            return Session()
        case _:
            assert_never(event)


session = Decider("session", Session(), decide, evolve)

Sessions: TypeAlias = frozenset[str]


Remembered: TypeAlias = MemberRecognised | MemberSignedOut | SessionsForgotten


def recognise(command: RecogniseMember | SignOutMember | ForgetSessions, sessions: Sessions, _: Context) -> list[Remembered]:
    """Return an event each time that a session moved: one that was another member's in between is theirs again."""
    match command:
        case ForgetSessions():
            return [SessionsForgotten(command.member, tuple(sorted(sessions)), command.at)] if sessions else []
        case SignOutMember():
            return [MemberSignedOut(command.member, command.signed_out_of, command.at)]
        case RecogniseMember():
            return [MemberRecognised(command.member, command.recognised_in, command.at)]


def remember(sessions: Sessions, event: Remembered) -> Sessions:
    """Keep every session that was ever the member's: their keys must be destroyed after any restart."""
    return sessions | {event.recognised_in} if isinstance(event, MemberRecognised) else sessions


sessions: Decider[RecogniseMember | SignOutMember | ForgetSessions, Sessions, Remembered] = Decider(
    "sessions", frozenset(), recognise, remember
)

Command: TypeAlias = JoinSession | KeepSession | LeaveSession | RecogniseMember | SignOutMember | ForgetSessions
Event: TypeAlias = OfSession | Remembered
