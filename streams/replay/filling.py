"""Fills a version: folds the log in memory up to a position, loads what that makes, and says what should be in Redis."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from random import Random
from typing import NamedTuple, TypeAlias

from infra.errors import Fault
from infra.event_log.log import EventLog
from infra.redis.checkpoints import LOG, Checkpoint, checkpoint_key
from infra.redis.digest import Digest, canonical, digests, read_contents
from infra.redis.loading import KeyContent, KeyLoader
from infra.redis.views import Views
from infra.settings import CHUNK
from streams.projecting.loaders import Fold
from streams.registry import EVENTS
from streams.replay.in_memory import FoldInMemory, entries, in_memory

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
    """Folds in memory, all at one position. ``pause``: seconds to rest for each second of work."""

    def __init__(self, log: EventLog, folds: Iterable[Fold], zone: str, pause: float = 0.0) -> None:
        self._log = log
        self._pause = pause
        self.folds = [in_memory(fold, zone) for fold in folds]
        self._names = {fold.name: stored_names(fold) for fold in self.folds}
        self.position = 0

    def fold_to(self, position: int, progress: Progress = lambda _: None) -> None:
        """Fold on to a position. Raises what the log and the folds do; then what is in memory is of no use."""
        names = frozenset().union(*self._names.values())
        while self.position < position:
            begun = time.monotonic()
            chunk, reached = self._log.recorded_of(self.position, min(CHUNK, position - self.position), names)
            kinds = {type(event) for _, event in chunk}
            for fold in self.folds:
                if not kinds.isdisjoint(fold.events):
                    mine = chunk if kinds <= fold.events else [r for r in chunk if type(r.event) in fold.events]
                    fold.take(mine)
            self.position = reached
            progress(reached)
            if self._pause:
                time.sleep(self._pause * (time.monotonic() - begun))

    def load(self, loader: KeyLoader, progress: Callable[[str], None] = lambda _: None) -> dict[str, Digest]:
        """Write every key, and return the digest of each fold by its name."""
        made: dict[str, Digest] = {}
        for fold in self.folds:
            progress(fold.name)
            digest = made[bare(fold)] = Digest()

            def added(fold: FoldInMemory = fold, digest: Digest = digest) -> Iterable[KeyContent]:
                for entry in entries(fold):
                    if (content := content_of(entry)) is not None:
                        digest.add(entry.key, content)
                    yield entry

            loader.load(added())
        return made

    def check_loaded(self, views: Views, expected: dict[str, Digest]) -> None:
        """Compare every key that was loaded, before anything else is written. Raises :class:`VersionDiffers`."""
        found = digests(views, {part: bare(fold) for fold in self.folds for part in fold.parts})
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
        return canonical({name.encode(): str(value).encode() for name, value in entry.fields.items()})
    return canonical([(name.encode(), float(score)) for name, score in (entry.scores or {}).items()])
