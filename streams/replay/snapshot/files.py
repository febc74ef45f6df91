"""Snapshots for analysts: the log up to a position as Parquet tables, with a manifest that names every byte.

A snapshot is a pure function of the log: the same position gives the same bytes, whoever writes it and whenever. It is written
beside its name and renamed at the end, so that there is a whole one or none.
"""

from __future__ import annotations

import hmac
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any
from uuid import uuid4

from aggregates.decider import Recorded
from aggregates.personal_snapshot import RecordPersonalSnapshot
from infra.errors import Misconfigured
from infra.event_log.log import EventLog
from infra.keys.ring import KeyRing
from infra.parquet import Pseudonym, TableWriter, Written, sha256_of
from infra.settings import CHUNK
from infra.spilling import SpillFile
from models.recommender.settings import SHIPPED
from streams.commands.request import Request
from streams.replay.backtest.recommender import quality_under
from streams.replay.snapshot.quality_rows import quality_rows
from streams.replay.snapshot.rows import Rows, day_of
from streams.replay.snapshot.since import recall
from streams.replay.snapshot.tables import APPEND_ONLY, SCHEMA, TABLES, position_column
from streams.replay.snapshot.tally_rows import TALLIES, added_to
from streams.replay.snapshot.views import views_sql
from streams.running.app import App

MANIFEST = "manifest.json"
PARTIAL = ".partial"


@dataclass(frozen=True)
class PersonalAccess:
    """Who wants personal values, why, and when (epoch ms)."""

    actor: str
    reason: str
    at: int


@dataclass(frozen=True)
class SnapshotRequest:
    """``position``: the last event that counts. ``since``: a snapshot of which only what came later is written.

    ``model_quality``: with the table of that name, for which a learner learns the log anew.
    ``access``: who wants personal values, and why; None leaves them out. ``pseudonyms``: keyed hashes stand for them.
    """

    position: int
    since: Path | None = None
    model_quality: bool = False
    access: PersonalAccess | None = None
    pseudonyms: bool = False

    @property
    def personal(self) -> bool:
        return self.access is not None


def write_snapshot(
    app: App, folder: Path, wanted: SnapshotRequest, progress: Callable[[int], None] = lambda _: None
) -> dict[str, Any]:
    """Write a snapshot into ``folder`` and return its manifest. ``progress`` hears the position reached.

    Who wants personal values, and why, is in the log before any is written. Erased members have none.

    Raises :class:`Misconfigured` if the folder is there or cannot be written, or ``since`` is no snapshot of this log that came
    before.
    """
    if folder.exists():
        raise Misconfigured(f"{folder} exists: name a new folder, or remove that one first.")
    base = read_base(app, wanted)
    pseudonym = pseudonyms_of(app.keys) if wanted.pseudonyms else None
    partial = folder.with_name(folder.name + PARTIAL)
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir(parents=True, mode=0o700)
        if wanted.access is not None:
            record_access(app, folder.name, wanted.position, wanted.access)
        files, latest = _write_tables(app, partial, wanted, pseudonym, base, progress)
        manifest = _manifest(app, wanted, files, latest, base)
        _write_views(partial, manifest)
        _store(partial / MANIFEST, json.dumps(manifest, indent=1, sort_keys=True) + "\n")
        partial.rename(folder)
    except OSError as fault:
        raise Misconfigured(f"{folder} cannot be written: {fault.strerror or fault}. Nothing is left of it.") from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return manifest


def pseudonyms_of(keys: KeyRing) -> Pseudonym:
    """Return a keyed hash of 128 bits: the same for the same value of a column, as long as these keys are kept.

    Nobody without the keys can find the hash of a guessed value. Raises :class:`Misconfigured` if the keys are lost.
    """
    if keys.problem:
        raise Misconfigured(keys.problem)
    key = keys.secret("pseudonyms")

    def pseudonym(column: str, value: str) -> str:
        return hmac.digest(key, f"{column}\0{value}".encode(), "sha256")[:16].hex()

    return pseudonym


def record_access(app: App, name: str, position: int, access: PersonalAccess) -> None:
    """Write into the log who takes personal values, and why. Raises :class:`Misconfigured` if it is refused."""
    command = RecordPersonalSnapshot(name, position, access.reason, access.actor, access.at)
    outcome = app.handler.handle(Request(f"snapshot/{uuid4()}", (command,), settled=False))
    if not outcome.accepted:
        raise Misconfigured(outcome.sentence)


def read_base(app: App, wanted: SnapshotRequest) -> dict[str, Any] | None:
    """Return the manifest of the snapshot that this one continues, None if there is none. Raises :class:`Misconfigured`."""
    if wanted.since is None:
        return None
    base = check(wanted.since)
    if base["log"] != app.log.identity():
        raise Misconfigured(f"{wanted.since} is a snapshot of another log.")
    if base["position"] > wanted.position:
        raise Misconfigured(f"{wanted.since} is at {base['position']:,}, later than {wanted.position:,}.")
    values = base["personal"], base.get("pseudonyms", False)
    if base["schema"] != SCHEMA or values != (wanted.personal, wanted.pseudonyms):
        raise Misconfigured(f"{wanted.since} has other columns: write a whole snapshot.")
    return {**base, "sha256": sha256_of(wanted.since / MANIFEST)}


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a snapshot. Raises :class:`Misconfigured` if the folder has none that can be read."""
    try:
        told: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
    except (OSError, ValueError):
        raise Misconfigured(f"{folder} is no snapshot: it has no {MANIFEST} that can be read.") from None
    return told


def check(folder: Path) -> dict[str, Any]:
    """Return the manifest of a snapshot whose files are as it says. A query over a damaged file can be wrong without a word.

    Raises :class:`Misconfigured` with the names of the files that are not.
    """
    told = read_manifest(folder)
    wrong = [
        name for name, file in told["files"].items()
        if not (folder / name).is_file() or sha256_of(folder / name) != file["sha256"]
    ]  # fmt: skip
    if wrong:
        raise Misconfigured(f"{folder} is damaged: {', '.join(wrong)} {'is' if len(wrong) == 1 else 'are'} not as written.")
    return told


def check_chain(folders: Sequence[Path]) -> dict[str, Any]:
    """Return the manifest of the last of some snapshots, each of which continues the one before; the first is a whole one.

    Raises :class:`Misconfigured` if they do not.
    """
    before: str | None = None
    told: dict[str, Any] = {}
    for folder in folders:
        told = check(folder)
        base = told["base"] and told["base"]["sha256"]
        if base != before:
            wanted = "is a whole snapshot" if base is None else "continues another snapshot"
            raise Misconfigured(f"{folder} {wanted}: name the folders from the whole one to the newest, in order.")
        before = sha256_of(folder / MANIFEST)
    return told


def today_of(manifest: dict[str, Any]) -> int:
    """Return the shop's day of a snapshot's instant, in days since 1970."""
    return day_of(manifest["instant"], manifest["zone"])[0]


def _write_tables(
    app: App,
    folder: Path,
    wanted: SnapshotRequest,
    pseudonym: Pseudonym | None,
    base: dict[str, Any] | None,
    progress: Callable[[int], None],
) -> tuple[list[Written], int]:
    """Write the files and return them, with the shop's clock at the end. ``base``: the manifest of what is written already."""
    digits = len(str(app.terms.unit)) - 1
    writers = {name: TableWriter(folder, table, digits, wanted.personal, pseudonym) for name, table in TABLES.items()}
    positions = {name: _position_of(name) for name in TABLES}
    after, latest = (base["position"], base["instant"]) if base else (0, 0)
    sums: dict[str, list[tuple[Any, ...]]] = {name: [] for name in TALLIES} if base else {}

    def write(found: Iterator[tuple[str, tuple[Any, ...], str]]) -> None:
        for name, values, month in found:
            where = positions[name]
            if name in sums:
                sums[name].append(values)
            elif where is None or values[where] > after or (after == 0 and not values[where]):
                writers[name].add(values, month)

    with SpillFile(folder) as spill:
        rows = Rows(app.terms.zone, spill, after)
        if base:
            recall(app.log, rows, after, wanted.position)
        for chunk in chunks(app.log, wanted.position, after):
            latest = max(latest, *(recorded.event.at for recorded in chunk))  # type: ignore[attr-defined]
            write(rows.fold(chunk))
            progress(chunk[-1].position)
        write(rows.rest())
    if wanted.since is not None:
        for name, values in sums.items():
            writers[name].add_table(added_to(wanted.since, name, values))
    if wanted.model_quality:
        write(quality_rows(quality_under(app.log, app.terms.zone, wanted.position, progress, SHIPPED)))
    return [written for writer in writers.values() for written in writer.close()], latest


def _position_of(name: str) -> int | None:
    """Return which value of a row is the position of its last change; None for a table that is written whole."""
    wanted = position_column(TABLES[name])
    return [column.name for column in TABLES[name].columns].index(wanted) if wanted else None


def chunks(log: EventLog, until: int, position: int = 0) -> Iterator[list[Recorded]]:
    """Yield the events after a position up to another, in order."""
    while position < until and (chunk := log.recorded(position, min(CHUNK, until - position))):
        position = chunk[-1].position
        yield chunk


def _manifest(
    app: App, wanted: SnapshotRequest, files: list[Written], latest: int, base: dict[str, Any] | None
) -> dict[str, Any]:
    return {
        "log": app.log.identity(),
        "position": wanted.position,
        "instant": latest,
        "axis": "recorded",
        "zone": app.terms.zone,
        "currency": app.terms.currency,
        "schema": SCHEMA,
        "program": version("regulars"),
        "personal": wanted.personal,
        "pseudonyms": wanted.pseudonyms,
        "model_quality": wanted.model_quality,
        "append_only": sorted(APPEND_ONLY),
        "base": {"position": base["position"], "sha256": base["sha256"]} if base else None,
        "files": {file.path: {"rows": file.rows, "sha256": file.sha256} for file in files},
    }


def _write_views(folder: Path, manifest: dict[str, Any]) -> None:
    """Write ``views.sql`` and, where DuckDB is installed, ``regulars.duckdb`` with the same views.

    The views of a snapshot that continues another need the variable ``snapshots``; see :func:`views_sql`.
    """
    sql = views_sql(manifest, today_of(manifest))
    _store(folder / "views.sql", sql)
    try:
        import duckdb
    except ImportError:
        return
    here = Path.cwd()
    os.chdir(folder)  # a view keeps the path that it was made with: it must be relative
    try:
        with duckdb.connect("regulars.duckdb") as database:
            database.execute(sql)
            database.execute("CHECKPOINT")  # a close that cannot write says nothing
    except duckdb.Error as fault:
        raise OSError(str(fault)) from fault
    finally:
        os.chdir(here)


def _store(path: Path, text: str) -> None:
    with path.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
