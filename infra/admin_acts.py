"""Who did what: keys made and revoked, webhooks, and commands that only a back office or an operator may send.

The record lies beside the API keys, not in the log: it names people, and may be cleared. An act is noted before it is done and
completed afterwards, so that one which was cut short can be seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from infra.side_database import SideDatabase

TABLE = """CREATE TABLE IF NOT EXISTS admin_act (
    id TEXT PRIMARY KEY, at BIGINT NOT NULL, actor TEXT NOT NULL, act TEXT NOT NULL, target TEXT NOT NULL,
    outcome TEXT, position BIGINT)"""


@dataclass(frozen=True)
class AdminAct:
    """``act``: a command's name, or such as ``key.create``. ``target``: what it was done to, by ids alone.

    ``outcome``: ``done``, or the code of a refusal; None while it is being done, or if it was cut short. ``position``: the
    log's head right after a command.
    """

    id: str
    at: int
    actor: str
    act: str
    target: str
    outcome: str | None = None
    position: int | None = None


DONE = "done"


class AdminActs:
    """The record of administrative acts; safe to call from any thread."""

    def __init__(self, file: Path, url: str | None = None) -> None:
        database = SideDatabase(file, url)
        self._run = database.run
        self.close = database.close
        database.create([TABLE])

    def note(self, act: AdminAct) -> None:
        """Note an act; noted again under the same id, it stays as it was."""
        self._run(
            "INSERT INTO admin_act (id, at, actor, act, target, outcome, position) VALUES (?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT DO NOTHING",
            (act.id, act.at, act.actor, act.act, act.target, act.outcome, act.position),
        )

    def complete(self, id: str, outcome: str, position: int | None = None) -> None:  # noqa: A002 - the act's own word
        """Store what became of an act."""
        self._run("UPDATE admin_act SET outcome = ?, position = ? WHERE id = ?", (outcome, position, id))

    def latest(self, limit: int, actor: str | None = None) -> list[AdminAct]:
        """Return the latest acts, the newest first; ``actor``: only this one's."""
        only, values = ("WHERE actor = ? ", (actor, limit)) if actor is not None else ("", (limit,))
        rows = self._run(
            f"SELECT id, at, actor, act, target, outcome, position FROM admin_act {only}ORDER BY at DESC, id DESC LIMIT ?",
            values,
        )
        return [AdminAct(*row) for row in rows]
