"""Which member a session belongs to: a pointer a session, and a list of a member's sessions, to forget them together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from aggregates.member import MemberErased
from aggregates.session import MemberRecognised
from aggregates.value import Value
from projections.projection import Documents

KEPT = 100
"""How many sessions of a member are kept, the latest. An older one's pointer leaves."""


class SessionPointer(Value):
    """The session was joined to this member ``at``."""

    session: str
    member: str
    at: int
    position: int


class MemberSessions(Value):
    """The latest first."""

    member: str
    sessions: tuple[str, ...]
    position: int


SessionViews: TypeAlias = Mapping[str, SessionPointer | MemberSessions | None]
Event: TypeAlias = MemberRecognised | MemberErased


def project(views: SessionViews, event: Event, position: int) -> SessionViews:
    found = views.get(list_key(event))
    before = found.sessions if isinstance(found, MemberSessions) else ()
    if isinstance(event, MemberErased):
        return {list_key(event): None} | {f"session:{session}": None for session in before}
    sessions = (event.recognised_in, *(session for session in before if session != event.recognised_in))
    pointer = SessionPointer(event.recognised_in, event.member, event.at, position)
    return {
        list_key(event): MemberSessions(event.member, sessions[:KEPT], position),
        f"session:{event.recognised_in}": pointer,
        **{f"session:{session}": None for session in sessions[KEPT:]},
    }


def list_key(event: Event) -> str:
    return f"sessions:{event.member}"


sessions = Documents(
    "sessions",
    1,
    types={"sessions": MemberSessions, "session": SessionPointer},
    keys=dict.fromkeys(Event.__args__, lambda event: (list_key(event),)),
    project=project,
    makes={MemberRecognised: lambda event: (f"session:{event.recognised_in}",)},
)
