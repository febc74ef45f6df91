"""Fills a version: folds the log in memory up to a position, loads what that makes, and says what should be in Redis."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from random import Random
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

import orjson

from aggregates.decider import Recorded
from infra.errors import Fault, Newer, Unreadable
from infra.event_log.log import EventLog
from infra.event_log.types import Row
from infra.redis.checkpoints import LOG, Checkpoint, checkpoint_key
from infra.redis.digest import Digest, as_stored, canonical, digests, read_contents
from infra.redis.loading import KeyContent, KeyLoader
from infra.redis.views import Views
from infra.settings import CHUNK
from streams.projecting.loaders import Fold
from streams.projecting.projector import ProjectionFailed
from streams.registry import EVENTS
from streams.replay.in_memory import FoldInMemory, entries, in_memory
from streams.replay.rebuild.left_out import LeftOut

Progress: TypeAlias = Callable[[int], None]
"""Called with the position that has been reached."""


LOOK, PATIENCE = 0.02, 5.0
"""Seconds between looks at a checkpoint that must move on, and for how long."""


class VersionDiffers(Fault):
    """What Redis holds in a new version is not what the log says: nothing was switched."""


class Compared(NamedTuple):
    """What a comparison found. ``entries``: keys of the fold. ``sampled``: keys that were compared one by one.

    ``differ_from_served``: of these, those whose content is another one in the served version.
    """

    fold: str
    entries: int
    sampled: int
    differ_from_served: int


class Fill:
    """Folds in memory, all at one position. ``rest``: called after each chunk with the seconds that it took.

    ``lacking``: events that the served version lacks. A fold takes them too if it can; else it leaves them out as well.
    """

    def __init__(
        self,
        log: EventLog,
        folds: Iterable[Fold],
        zone: str,
        rest: Callable[[float], None] = lambda _: None,
        lacking: LeftOut = MappingProxyType({}),
    ) -> None:
        self._log = log
        self._rest = rest
        self._lacking = lacking
        self._failed: set[str] = set()
        self._unread: dict[str, set[int]] = {}
        self._empty = partial(empty_folds, list(folds), zone)
        self.folds = self._empty()
        self._names = {fold.name: stored_names(fold) for fold in self.folds}
        self._takers: dict[type, list[int]] = {}
        for number, fold in enumerate(self.folds):
            for kind in fold.events:
                self._takers.setdefault(kind, []).append(number)
        self.position = 0

    def fold_to(self, position: int, progress: Progress = lambda _: None) -> None:
        """Fold on to a position. Raises what the log and the folds do; then what is in memory is of no use."""
        names = frozenset().union(*self._names.values())
        while self.position < position:
            begun = time.monotonic()
            chunk, reached = self._read(min(CHUNK, position - self.position), names)
            try:
                for fold, mine in self._shared_out(chunk):
                    fold.take(mine)
            except ProjectionFailed as fault:
                self._begin_without(fault)
                continue
            self.position = reached
            progress(reached)
            self._rest(time.monotonic() - begun)

    def left_out(self, name: str) -> frozenset[int]:
        """Return the positions of the events that a fold has left out, given by its name without the version."""
        failed = (at for at in self._lacking.get(name, ()) if at <= self.position and name in self._failed)
        return frozenset(failed) | self._unread.get(name, set())

    def _begin_without(self, fault: ProjectionFailed) -> None:
        """Begin again without what the served version lacks of a fold that has failed. Raises the fault if that was tried."""
        name = fault.fold.partition(".")[0]
        if name in self._failed or not self._lacking.get(name):
            raise fault
        self._failed.add(name)
        self.folds, self.position = self._empty(), 0  # what is in memory may be half of a chunk
        self._unread.clear()

    def _read(self, limit: int, names: frozenset[str]) -> tuple[list[Recorded], int]:
        """Return the next events, without those that cannot be read and that the served version lacks."""
        try:
            return self._log.recorded_of(self.position, limit, names)
        except Newer:
            raise
        except Unreadable:
            rows = self._log.since(self.position, limit)
            read = [recorded for row in rows if row.name in names and (recorded := self._readable(row)) is not None]
            return read, rows[-1].position

    def _readable(self, row: Row) -> Recorded | None:
        """Return a row's event, None if every fold that takes it lacks it. Raises :class:`Unreadable`."""
        try:
            return Recorded(row.position, self._log.codec.decode(row.name, row.state))
        except Newer:
            raise
        except Unreadable as fault:
            takers = [bare(fold) for fold in self.folds if row.name in self._names[fold.name]]
            if not all(row.position in self._lacking.get(name, ()) for name in takers):
                raise Unreadable(f"Event #{row.position}: {fault}") from fault
            for name in takers:
                self._unread.setdefault(name, set()).add(row.position)
            return None

    def _shared_out(self, chunk: Iterable[Recorded]) -> Iterator[tuple[FoldInMemory, list[Recorded]]]:
        """Yield the folds that take anything of a chunk, each with its events."""
        shares: list[list[Recorded]] = [[] for _ in self.folds]
        adders = {kind: [shares[number].append for number in numbers] for kind, numbers in self._takers.items()}
        for recorded in chunk:
            for add in adders[type(recorded.event)]:
                add(recorded)
        for number, fold in enumerate(self.folds):
            if (name := bare(fold)) in self._failed:
                shares[number] = [one for one in shares[number] if one.position not in self._lacking[name]]
        return ((fold, mine) for fold, mine in zip(self.folds, shares, strict=True) if mine)

    def load(self, loader: KeyLoader, progress: Callable[[str], None] = lambda _: None) -> dict[str, Digest]:
        """Write every key, and return the digest of each fold by its name."""
        made: dict[str, Digest] = {}
        for fold in self.folds:
            progress(fold.name)
            digest = made[bare(fold)] = Digest()

            def added(fold: FoldInMemory = fold, digest: Digest = digest) -> Iterable[KeyContent]:
                for entry in entries(fold):
                    digest.add(entry.key, entry.document or content_of(entry) or b"")
                    yield entry

            loader.load(added())
        return made

    def check_loaded(self, views: Views, expected: dict[str, Digest]) -> None:
        """Compare every key that was loaded, before anything else is written. Raises :class:`VersionDiffers`."""
        found = digests(views, {part: bare(fold) for fold in self.folds for part in fold.parts}, as_stored)
        for name, digest in expected.items():
            if found[name] != digest:
                raise VersionDiffers(
                    f"The new version of {name} has {found[name].entries:,} keys ({found[name].hash}) in Redis, not the "
                    f"{digest.entries:,} ({digest.hash}) that were written: nothing was switched."
                )

    def compare(self, views: Views, served: Views, most: int, seed: int = 0) -> list[Compared]:
        """Compare a sample of keys with the log, each fold as of its checkpoint; go on to there first.

        Raises :class:`VersionDiffers` if one differs.
        """
        self.fold_to(max((place_of(views, fold.name) for fold in self.folds), default=0))
        return [self._compare(fold, views, served, most, seed) for fold in self.folds]

    def _compare(self, fold: FoldInMemory, views: Views, served: Views, most: int, seed: int) -> Compared:
        keys = list(fold.held_keys())
        some = Random(seed).sample(keys, min(most, len(keys)))  # noqa: S311 - which keys to look at is no secret
        at, found = self._as_of_one_place(fold, views, some)
        for key, content in zip(some, found, strict=True):
            entry = fold.entry(key)
            if content != (content_of(entry) if entry else None):
                raise VersionDiffers(f"{views.key(key)} is not what the log says as of {at:,}: nothing was switched.")
        _, old = read_contents(served, checkpoint_key(fold.name, LOG), some)
        return Compared(fold.name, len(keys), len(some), sum(new != other for new, other in zip(found, old, strict=True)))

    def _as_of_one_place(self, fold: FoldInMemory, views: Views, keys: list[str]) -> tuple[int, list[bytes | None]]:
        """Read keys, and bring memory to where their fold stood at that moment."""
        until = time.monotonic() + PATIENCE
        while True:
            place, found = read_contents(views, checkpoint_key(fold.name, LOG), keys)
            at = Checkpoint.parse(place).position
            if at >= self.position:
                self.fold_to(at)
                return at, found
            if time.monotonic() > until:
                raise VersionDiffers(f"{fold.name} stands at {at:,} in the new version, not at {self.position:,}.")
            time.sleep(LOOK)


def empty_folds(folds: Iterable[Fold], zone: str) -> list[FoldInMemory]:
    return [in_memory(fold, zone) for fold in folds]


def stored_names(fold: FoldInMemory) -> frozenset[str]:
    """Return the names under which a fold's events are stored."""
    return frozenset(name for event in fold.events for name in EVENTS[event].stored_names)


def bare(fold: FoldInMemory) -> str:
    """Return a fold's name without its version."""
    return fold.name.partition(".")[0]


def place_of(views: Views, fold: str) -> int:
    return views.checkpoints_in(LOG, [fold])[fold].position


def content_of(entry: KeyContent) -> bytes | None:
    """Return the canonical form of an entry, as a digest hashes it."""
    if entry.document is not None:
        return canonical(entry.document)
    if entry.fields is not None:
        return orjson.dumps(sorted([(name, str(value)) for name, value in entry.fields.items()]))
    return orjson.dumps(sorted([(name, float(score)) for name, score in (entry.scores or {}).items()]))
