"""Which member each session belongs to, and the sessions of each member, so that an erasure can forget them together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from aggregates.member import MemberErased
from aggregates.session import MemberRecognised, MemberSignedOut, SessionKept
from aggregates.value import Value, replace
from projections.projection import Documents

KEPT = 100
"""Sessions of a member, the latest; an older one's pointer leaves."""


class SessionPointer(Value):
    """The session was joined to this member, ``at``. From ``until`` on it is a guest's again; None if no end was noted."""

    session: str
    member: str
    at: int
    position: int
    until: int | None = None


class MemberSessions(Value):
    """The latest first."""

    member: str
    sessions: tuple[str, ...]
    position: int


SessionViews: TypeAlias = Mapping[str, SessionPointer | MemberSessions | None]
Event: TypeAlias = MemberRecognised | SessionKept | MemberSignedOut | MemberErased


def project(views: SessionViews, event: Event, position: int) -> SessionViews:
    if isinstance(event, SessionKept):
        kept = views.get(f"session:{event.session}")
        is_pointer = isinstance(kept, SessionPointer)
        return {f"session:{event.session}": replace(kept, until=event.until, position=position)} if is_pointer else {}
    found = views.get(list_key(event))
    before = found.sessions if isinstance(found, MemberSessions) else ()
    if isinstance(event, MemberErased):
        return {list_key(event): None} | {f"session:{session}": None for session in before}
    if isinstance(event, MemberSignedOut):
        pointer = views.get(f"session:{event.signed_out_of}")
        return {f"session:{event.signed_out_of}": None} if is_of(pointer, event.member) else {}
    sessions = (event.recognised_in, *(session for session in before if session != event.recognised_in))
    joined = SessionPointer(event.recognised_in, event.member, event.at, position)
    return {
        list_key(event): MemberSessions(event.member, sessions[:KEPT], position),
        f"session:{event.recognised_in}": joined,
        **{f"session:{session}": None for session in sessions[KEPT:]},
    }


def is_of(pointer: object, member: str) -> bool:
    """Return whether a session is still this member's, and not that of one who joined it since."""
    return isinstance(pointer, SessionPointer) and pointer.member == member


def keys_of(event: Event) -> tuple[str, ...]:
    match event:
        case MemberSignedOut():
            return (f"session:{event.signed_out_of}",)
        case SessionKept():
            return (f"session:{event.session}",)
        case _:
            return (list_key(event),)


def list_key(event: MemberRecognised | MemberSignedOut | MemberErased) -> str:
    return f"sessions:{event.member}"


sessions = Documents(
    "sessions",
    1,
    types={"sessions": MemberSessions, "session": SessionPointer},
    keys=dict.fromkeys(Event.__args__, keys_of),
    project=project,
    makes={MemberRecognised: lambda event: (f"session:{event.recognised_in}",)},
)
