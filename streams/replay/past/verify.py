"""Compares the read models in Redis with what the log says, and writes the right content where they differ.

A fold's checkpoints are read before a page of keys and after it; the page counts only if they did not move. Then the log is
folded in memory to these very checkpoints. So a follower or worker may go on meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, NamedTuple, TypeAlias

from aggregates.delta import Delta
from infra.errors import Fault, Superseded
from infra.redis.checkpoints import LOG, Checkpoint, checkpoint_key, missing_event
from infra.redis.commit import CheckpointedWrite
from infra.redis.digest import pages, stored
from models.learner import Learner
from projections.projection import DocumentFold
from streams.projecting.loaders import Fold, fold_name
from streams.registry import fold_of_part, sources
from streams.replay.past.read_models import OF_ORDERS, Accepts, Past, Progress, Reach, Stored, accepted, owners_of_order
from streams.replay.past.stored import read_stored
from streams.running.app import App

PAGE = 500
"""Keys that are read between two looks at the checkpoints."""

ATTEMPTS = 50
"""Each reads a page again whose fold has moved meanwhile."""

Checkpoints: TypeAlias = Mapping[tuple[str, str], Checkpoint]
"""By fold and source."""


class KeyDifference(NamedTuple):
    """``field``: None if the whole key is lost, or should not be there. ``repaired``: whether it is right now."""

    fold: str
    key: str
    field: str | None
    in_redis: Any
    by_the_log: Any
    repaired: bool = False


@dataclass
class Verification:
    """``compared``: keys by fold. ``skipped``: folds that could not be compared, with the reason."""

    compared: dict[str, int] = field(default_factory=dict)
    differences: list[KeyDifference] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)


class VerificationFailed(Fault):
    """Nothing can be said: the folds moved too fast, went back, or letters were retried meanwhile."""


class FoldSources:
    """Where a fold's events come from in this system, and how far it has come there."""

    def __init__(self, app: App, fold: Fold) -> None:
        self._app = app
        self._name = fold_name(fold)
        self._partitions: dict[str, int] = {}
        if app.feed == "topics":
            relayed = app.log.relayed()
            self._partitions = {topic: len(relayed[topic].ends) for topic in sources(fold) if topic in relayed}
        self.pairs = [(self._name, f"{topic}:{number}") for topic, count in self._partitions.items() for number in range(count)]
        if app.feed == "log":
            self.pairs = [(self._name, LOG)]

    def checkpoints(self) -> Checkpoints:
        return self._app.views.checkpoints(self.pairs)

    def reach(self, at: Checkpoints) -> Reach:
        """Return how far checkpoints reach in the log."""
        if not self._partitions:
            return Reach(at[self._name, LOG].position)
        ends = {
            topic: [at[self._name, f"{topic}:{number}"].position for number in range(count)]
            for topic, count in self._partitions.items()
        }
        return Reach(0, ends)

    def missing(self) -> frozenset[int]:
        """Return the positions of events that the fold left out, because they are among the dead letters."""
        views = self._app.views
        prefix = views.key(checkpoint_key(self._name, missing_event(0)).removesuffix("0"))
        found = {int(raw.decode().removeprefix(prefix)) for raw in views.client.scan_iter(match=f"{prefix}*", count=2000)}
        held = {position: views.checkpoints_in(missing_event(position), [self._name]) for position in found}
        return frozenset(position for position in found if held[position][self._name].position == position)

    def of_key(self, key: str, fold: Fold) -> tuple[str, str]:
        """Return the source that writes a key, among those of :attr:`pairs`; the first one for a sum, to which all add."""
        topic, count = next(iter(self._partitions.items()), ("", 1))
        if count == 1 or not isinstance(fold, DocumentFold):
            return self.pairs[0]
        from infra.kafka.records import partition_of  # imported here: without topics nobody needs Kafka's libraries

        part, _, name = key.partition(":")
        owner = min(owners_of_order(self._app.log, name), default=name) if part in OF_ORDERS else name
        return self._name, f"{topic}:{partition_of(owner.encode(), count)}"


@dataclass(frozen=True)
class Verifier:
    """``sample``: compare so many keys, chosen by their hash and ``seed``, and not the learner's; None for all."""

    app: App
    sample: int | None = None
    seed: int = 0
    repair: bool = False
    progress: Progress = lambda _: None

    def run(self, some: Sequence[Fold]) -> Verification:
        """Compare these folds. The learner comes last, alone, since its state is large.

        Raises :class:`VerificationFailed`.
        """
        done = Verification()
        light = [fold for fold in some if fold is not Learner]
        groups: list[list[Fold]] = [light]
        if self.sample is None and Learner in some:
            groups.append([Learner])
        if self.sample is not None and Learner in some:
            done.skipped[Learner.name] = "a sample leaves it out, since one of its keys depends on all events"
        for group in filter(None, groups):
            self._compare_group(group, done)
        return done

    def _compare_group(self, group: Sequence[Fold], done: Verification) -> None:
        held = self._keys_in_redis(group)
        accepts: dict[str, Accepts] = {}
        if self.sample is not None:
            for fold in group:
                if (test := accepted(self.app.log, fold, sorted(held[fold.name]))) is not None:
                    accepts[fold.name] = test
        at = {fold.name: FoldSources(self.app, fold) for fold in group}
        missing = {fold.name: at[fold.name].missing() for fold in group}
        past = Past(self.app.log, group, self.app.terms.zone, accepts, missing)
        ready = [fold for fold in group if self._has_begun(fold, at[fold.name], held[fold.name], done)]
        past.advance({fold.name: at[fold.name].reach(at[fold.name].checkpoints()) for fold in ready}, self.progress)
        for fold in ready:
            keys = held[fold.name] if self.sample is not None else held[fold.name] | past.folds[fold.name].keys()
            done.compared[fold.name] = len(keys)
            ordered = sorted(keys)
            for first in range(0, len(ordered), PAGE):
                page = ordered[first : first + PAGE]
                done.differences += FoldComparison(self.app, fold, at[fold.name], past).compare(page, self.repair)
            if at[fold.name].missing() != missing[fold.name]:
                raise VerificationFailed(f"Dead letters of {fold_name(fold)} were retried meanwhile: verify again.")

    def _has_begun(self, fold: Fold, at: FoldSources, held: set[str], done: Verification) -> bool:
        """Return whether this version of the fold is in Redis, and note the reason if it is not."""
        if at.pairs and any(checkpoint.position for checkpoint in at.checkpoints().values()):
            return True
        if held:
            done.skipped[fold.name] = f"Redis holds no {fold_name(fold)}, but keys of another version of it"
        else:
            done.skipped[fold.name] = "it has taken no event yet"
        return False

    def _keys_in_redis(self, group: Sequence[Fold]) -> dict[str, set[str]]:
        """Return the keys of each fold that Redis holds, or a sample of them."""
        owner, names = fold_of_part(self.app.terms), {fold.name for fold in group}
        found = ((owner.get(key.partition(":")[0], ""), key) for page in pages(self.app.views) for key in page)
        mine = [(name, key) for name, key in found if name in names]
        if self.sample is not None:
            mine = sorted(mine, key=self._rank)[: self.sample]
        held: dict[str, set[str]] = {name: set() for name in names}
        for name, key in mine:
            held[name].add(key)
        return held

    def _rank(self, named: tuple[str, str]) -> bytes:
        return sha256(f"{self.seed}:{named[1]}".encode()).digest()


@dataclass(frozen=True)
class FoldComparison:
    """One fold's keys in Redis beside the same keys folded in memory."""

    app: App
    fold: Fold
    sources: FoldSources
    past: Past

    def compare(self, page: Sequence[str], repair: bool) -> list[KeyDifference]:
        """Return how some keys differ; with ``repair``, after writing the right content of each.

        Raises :class:`VerificationFailed` if the fold moves too fast or has gone back.
        """
        name, mended = fold_name(self.fold), list[KeyDifference]()
        for _ in range(ATTEMPTS):
            at, found = self._read(page)
            differing = {key: self.past.stored(key) for key in page}
            wrong = {key: list(field_differences(found[key], wanted)) for key, wanted in differing.items()}
            wrong = {key: fields for key, fields in wrong.items() if fields}
            if not wrong:
                return mended
            if not repair or self.fold is Learner:
                return [KeyDifference(name, key, *one) for key, fields in wrong.items() for one in fields]
            for key, fields in wrong.items():
                if self._write(at, key, found[key], differing[key]):
                    mended += [KeyDifference(name, key, *one, repaired=True) for one in fields]
        raise VerificationFailed(f"The fold {name} moves on faster than it can be repaired: try again later.")

    def _read(self, page: Sequence[str]) -> tuple[Checkpoints, dict[str, Stored | None]]:
        """Return what a page holds with the checkpoints of that moment, and fold on in memory to there."""
        for _ in range(ATTEMPTS):
            before = self.sources.checkpoints()
            raw = stored(self.app.views, list(page))
            if self.sources.checkpoints() == before:
                break
        else:
            raise VerificationFailed(f"The fold {fold_name(self.fold)} moves on faster than it can be read: try again later.")
        reach, reached = self.sources.reach(before), self.past.reached[self.fold.name]
        if any(now < then for now, then in zip(reach.ends, reached.ends, strict=True)):
            raise VerificationFailed(f"The fold {fold_name(self.fold)} has gone back: Redis was restored. Verify again.")
        self.past.advance({self.fold.name: reach})
        return before, {key: read_stored(content) for key, content in zip(page, raw, strict=True)}

    def _write(self, at: Checkpoints, key: str, found: Stored | None, wanted: Stored | None) -> bool:
        """Write the right content of a key, unless its fold has moved. Return whether it is written."""
        fold, source = pair = self.sources.of_key(key, self.fold)
        now = self.sources.checkpoints()[pair]
        if now._replace(amended=0) != at[pair]._replace(amended=0):
            return False
        delta = repairing(key, found, wanted, alone=len(self.sources.pairs) == 1)
        try:
            return self.app.views.apply([CheckpointedWrite(fold, now, now.amend(), delta, source)])
        except Superseded:
            return False


def field_differences(found: Stored | None, wanted: Stored | None) -> Iterator[tuple[str | None, Any, Any]]:
    """Yield each field that differs with what is in Redis and what the log says; one without a name for a whole key.

    >>> list(field_differences(Stored("map", {"a": "1"}), Stored("map", {"a": "2", "b": "0"})))
    [('a', '1', '2')]
    >>> list(field_differences(None, Stored("map", {"a": "2"})))
    [(None, None, {'a': '2'})]
    """
    before, after = (stored.comparable if stored else None for stored in (found, wanted))
    if (not before and not after) or before == after:
        return
    if not before or not after or (found and wanted and found.kind != wanted.kind):
        yield None, before, after
        return
    for name in dict.fromkeys((*before, *after)):
        if before.get(name) != after.get(name):
            yield name, before.get(name), after.get(name)


def repairing(key: str, found: Stored | None, wanted: Stored | None, alone: bool) -> Delta:
    """Return what makes a key right. ``alone``: nobody else adds to it meanwhile, so that a field may be removed."""
    delta = Delta()
    if wanted is None or (found is not None and found.kind != wanted.kind):
        delta.documents[key] = None
        found = None
    if wanted is None:
        return delta
    match wanted.kind:
        case "document":
            delta.documents[key] = wanted.fields
        case "ranking":
            before = found.fields if found else {}
            for name in {*before, *wanted.fields}:
                delta.score(key, name, round(wanted.fields.get(name, 0) - before.get(name, 0)))
        case _:
            repair_map(delta, key, found.fields if found else {}, wanted.fields, alone)
    return delta


def repair_map(delta: Delta, key: str, before: Mapping[str, str], after: Mapping[str, str], alone: bool) -> None:
    """Add what turns the fields of a map into the right ones: a difference where both are numbers, for sums go on."""
    for name in {*before, *after}:
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        if new is None and alone:
            delta.fields[key][name] = None
        elif is_whole(old or "0") and is_whole(new or "0"):
            delta.count(key, name, int(new or 0) - int(old or 0))
        else:
            delta.fields[key][name] = new


def is_whole(text: str) -> bool:
    """Return whether a text is a whole number as Redis counts with.

    >>> is_whole("-12"), is_whole("1.5"), is_whole("01")
    (True, False, False)
    """
    return text.lstrip("-").isdigit() and str(int(text)) == text
