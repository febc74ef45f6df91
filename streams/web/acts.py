"""The record of administrative acts: which they are, and how each is noted with who did it."""

from __future__ import annotations

import getpass
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from uuid import uuid4

from infra.admin_acts import DONE, AdminAct, AdminActs
from infra.event_log.types import Outcome
from infra.settings import Settings
from streams.registry import COMMANDS
from streams.running.app import log_url
from streams.web.doors import DOORS, Scope

ADMINISTRATIVE = frozenset(
    command for command, door in DOORS.items() if {Scope.BACK_OFFICE, Scope.OPERATOR}.issuperset(door.scopes)
)
"""Commands that only a back office or an operator may send."""


def admin_acts(settings: Settings) -> AdminActs:
    """Return the record of this home, or of its PostgreSQL."""
    return AdminActs(settings.home / "access.db", settings.keys_database_url or log_url(settings))


def acts_of(commands: Iterable[object], request: str, actor: str, now: int) -> list[AdminAct]:
    """Return the administrative acts among the commands of a request. Their ids are the request's, so each is noted once."""
    return [
        AdminAct(f"{request}#{number}", now, actor, type(command).__name__, target_of(command))
        for number, command in enumerate(commands)
        if type(command) in ADMINISTRATIVE
    ]


def target_of(command: object) -> str:
    """Return the ids that a command names, never its other values."""
    names = COMMANDS[type(command)].ids or [part[1:-1] for part in DOORS[type(command)].path.split("/") if part[0:1] == "{"]
    return " ".join(str(getattr(command, name)) for name in names)


def complete(record: AdminActs, acts: Sequence[AdminAct], outcome: Outcome) -> None:
    """Store what became of the acts of a request."""
    for act in acts:
        record.complete(act.id, DONE if outcome.accepted else outcome.code, outcome.position)


@contextmanager
def noted(record: AdminActs, actor: str, act: str, target: str, now: int) -> Iterator[None]:
    """Note an act before it is done, and that it was done once it is."""
    made = AdminAct(uuid4().hex, now, actor, act, target)
    record.note(made)
    yield
    record.complete(made.id, DONE)


def console_actor() -> str:
    """Return who sits at the console, as the operating system knows them."""
    try:
        return f"console:{getpass.getuser()}"
    except (KeyError, OSError, ImportError):  # a user without a name, as in some containers
        return "console"
