"""Read models as of the past: folded from nothing, in memory, by the same folds that keep up the live ones.

Only the events that a key depends on are decoded. In a fold of documents that a partitioned topic feeds, these are the events
of one partition key, since a worker sees no others; stored bytes begin with that key.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

import orjson

from aggregates.decider import Recorded, stream_id
from aggregates.order.decider import order
from aggregates.programme import Programme
from infra.codec import ENCODE, KEY, key_of
from infra.event_log.log import EventLog
from infra.event_log.types import Row
from infra.redis.digest import Digest
from infra.redis.loading import KeyContent
from infra.settings import CHUNK
from projections.projection import DocumentFold, Tally
from streams.projecting.loaders import Fold
from streams.registry import EVENTS, LEARNING, fold_of_part, folds, sources
from streams.replay.in_memory import entries, in_memory

Progress: TypeAlias = Callable[[int], None]
"""Called with the position up to which the log has been read."""

Accepts: TypeAlias = Callable[[Row], bool]
"""Whether a stored event, by its bytes, can matter to what is folded."""

OF_ORDERS = ("order", "order-state", "price")
"""Parts whose key names an order; their events are found by the order's own stream."""

FEW = 8
"""Up to so many names are searched for in the bytes of an event; for more, every event is decoded."""


class Stored(NamedTuple):
    """What a key holds in Redis. ``kind``: document, map or ranking. ``fields``: of a map text, of a ranking numbers."""

    kind: str
    fields: dict[str, Any]

    def canonical(self) -> bytes:
        """Return the content in the one form that a digest is made of."""
        if self.kind == "document":
            fields = {name: value for name, value in self.fields.items() if name != "position"}
            return orjson.dumps(fields, option=orjson.OPT_SORT_KEYS)
        return orjson.dumps(sorted(self.fields.items()))

    @property
    def comparable(self) -> dict[str, Any]:
        """Return the fields without the position, and without counts of 0, which may have been written or not."""
        return {
            name: value
            for name, value in self.fields.items()
            if not (name == "position" if self.kind == "document" else value in ("0", 0))
        }


class PastFold:
    """One fold and what it holds, folded in memory. ``held``: its state."""

    def __init__(self, fold: Fold, zone: str) -> None:
        self.name = fold.name
        self.events = fold.events
        self.held = in_memory(fold, zone)

    def take(self, chunk: Sequence[Recorded]) -> None:
        """Fold the next events."""
        self.held.take(chunk)

    def keys(self) -> set[str]:
        """Return the keys that hold anything."""
        return {entry.key for entry in entries(self.held)}

    def digest(self) -> Digest:
        """Return the digest of everything that it holds, as :mod:`infra.redis.digest` makes it of a running system."""
        made = Digest()
        for entry in entries(self.held):
            if stored := stored_of(entry):
                made.add(entry.key, stored.canonical())
        return made

    def stored(self, key: str) -> Stored | None:
        """Return what the key holds, None for nothing."""
        entry = self.held.entry(key)
        return None if entry is None else stored_of(entry)


def stored_of(entry: KeyContent) -> Stored | None:
    """Return the content of a key as Redis would hold it, None if it would hold nothing."""
    if entry.document is not None:
        return Stored("document", orjson.loads(entry.document))
    if entry.scores:
        return Stored("ranking", {name: float(score) for name, score in entry.scores.items()})
    if entry.fields:
        return Stored("map", {name: str(value) for name, value in entry.fields.items()})
    return None


@dataclass(frozen=True)
class Reach:
    """How far a fold has come: to a position of the log or, where topics feed it, to one in each partition of a topic."""

    position: int
    partitions: Mapping[str, Sequence[int]] = field(default_factory=dict)

    @property
    def ends(self) -> list[int]:
        return [end for ends in self.partitions.values() for end in ends] or [self.position]

    def of(self, topic: str, row: Row) -> int:
        """Return the position up to which the fold has the events that go where this row goes."""
        ends = self.partitions.get(topic)
        if not ends:
            return self.position
        if len(ends) == 1:
            return ends[0]
        from infra.kafka.records import partition_of  # imported here: without topics nobody needs Kafka's libraries

        return ends[partition_of(key_of(row.state).encode(), len(ends))]


NOWHERE = Reach(0)


class Past:
    """Some folds, fed from the log together.

    ``accepts``: by fold, which stored events matter; without one, all of its events. ``missing``: by fold, the positions of
    events that it left out. ``dated``: only events dated at or before this instant count.
    """

    def __init__(
        self,
        log: EventLog,
        some: Collection[Fold],
        zone: str,
        accepts: Mapping[str, Accepts] | None = None,
        missing: Mapping[str, Collection[int]] | None = None,
        dated: int | None = None,
    ) -> None:
        self._log = log
        self._accepts, self._missing, self._dated = accepts or {}, missing or {}, dated
        self.folds = {fold.name: PastFold(fold, zone) for fold in some}
        self.reached: dict[str, Reach] = dict.fromkeys(self.folds, NOWHERE)
        self._takers: dict[str, list[tuple[PastFold, str]]] = {}
        self._of_part: dict[str, str] = {}
        for fold in some:
            self._of_part.update(dict.fromkeys(fold.parts, fold.name))
            for topic, events in sources(fold).items():
                for stored_name in (name for event in events for name in EVENTS[event].stored_names):
                    self._takers.setdefault(stored_name, []).append((self.folds[fold.name], topic))

    def advance(self, to: Mapping[str, Reach], progress: Progress = lambda _: None) -> None:
        """Fold on, each of these folds to its place. What a fold has already is not folded again."""
        after = min((min(self.reached[name].ends) for name in to), default=0)
        until = max((max(reach.ends) for reach in to.values()), default=0)
        while after < until and (page := self._log.since(after, min(CHUNK, until - after))):
            for name, chunk in self._chunks(page, to).items():
                self.folds[name].take(chunk)
            after = page[-1].position
            progress(after)
        self.reached.update(to)

    def to(self, position: int, progress: Progress = lambda _: None) -> Past:
        """Fold all on to a position of the log, and return this."""
        self.advance(dict.fromkeys(self.folds, Reach(position)), progress)
        return self

    def between(self, after: int, until: int) -> Iterator[Recorded]:
        """Yield the events after a position, up to another, that any of the folds would take, without folding them."""
        to = dict.fromkeys(self.folds, Reach(until))
        while after < until and (page := self._log.since(after, min(CHUNK, until - after))):
            yield from sorted({one.position: one for chunk in self._chunks(page, to).values() for one in chunk}.values())
            after = page[-1].position

    def stored(self, key: str) -> Stored | None:
        """Return what a key holds, None for nothing."""
        fold = self._of_part.get(key.partition(":")[0])
        return None if fold is None else self.folds[fold].stored(key)

    def fields(self, key: str) -> dict[str, Any] | None:
        """Return a JSON read model or a map, None for nothing."""
        found = self.stored(key)
        return None if found is None else found.fields

    def _chunks(self, page: Sequence[Row], to: Mapping[str, Reach]) -> dict[str, list[Recorded]]:
        chunks: dict[str, list[Recorded]] = {}
        for row in page:
            recorded: Recorded | None = None
            for fold, topic in self._takers.get(row.name, ()):
                if fold.name not in to or not self._is_next(fold.name, topic, row, to[fold.name]):
                    continue
                recorded = recorded or Recorded(row.position, self._log.codec.decode(row.name, row.state))
                if self._dated is None or recorded.event.at <= self._dated:  # type: ignore[attr-defined]
                    chunks.setdefault(fold.name, []).append(recorded)
        return chunks

    def _is_next(self, fold: str, topic: str, row: Row, to: Reach) -> bool:
        accepts = self._accepts.get(fold)
        if (accepts is not None and not accepts(row)) or row.position in self._missing.get(fold, ()):
            return False
        return self.reached[fold].of(topic, row) < row.position <= to.of(topic, row)


def fold_of(terms: Programme, key: str) -> Fold | None:
    """Return the fold that owns a key, by the key's first part."""
    name = fold_of_part(terms).get(key.partition(":")[0])
    return next((fold for fold in folds(terms) if fold.name == name), None)


def past_of(
    log: EventLog,
    terms: Programme,
    keys: Sequence[str],
    place: int,
    dated: int | None = None,
    progress: Progress = lambda _: None,
) -> Past:
    """Return the folds of some keys as of a position, folded from the events that these keys need; see :class:`Past`."""
    by_fold: dict[str, list[str]] = {}
    owners: dict[str, Fold] = {}
    for key in keys:
        if fold := fold_of(terms, key):
            owners[fold.name] = fold
            by_fold.setdefault(fold.name, []).append(key)
    accepts = {name: test for name, mine in by_fold.items() if (test := accepted(log, owners[name], mine)) is not None}
    return Past(log, list(owners.values()), terms.zone, accepts, dated=dated).to(place, progress)


def accepted(log: EventLog, fold: Fold, keys: Sequence[str]) -> Accepts | None:
    """Return a test of stored events: whether one may matter to these keys of a fold. None if every event of it may."""
    named = [key.partition(":") for key in keys]
    if not all(name for _, _, name in named):
        return None
    if isinstance(fold, DocumentFold) and LEARNING not in sources(fold):
        owners: set[str] = set()
        for part, _, name in named:
            owners |= owners_of_order(log, name) if part in OF_ORDERS else {name}
        return of_owners(owners)
    if isinstance(fold, Tally) and fold.parts[0] in ("product", "campaign") and len(keys) <= FEW:
        return naming([name for _, _, name in named])
    return None


def owners_of_order(log: EventLog, name: str) -> set[str]:
    """Return the partition keys of an order's events: its member, or whose it is."""
    return {key_of(row.state) for row in log.rows_of(stream_id(order.name, name), CHUNK)}


def of_owners(owners: Collection[str]) -> Accepts:
    """Return a test for events whose partition key is one of these."""
    begins = frozenset(ENCODE(owner) for owner in owners)

    def accepts(row: Row) -> bool:
        found = KEY.match(row.state)
        return found is None or found[1] in begins

    return accepts


def naming(names: Collection[str]) -> Accepts:
    """Return a test for events whose bytes name one of these."""
    wanted = [ENCODE(name) for name in names]

    def accepts(row: Row) -> bool:
        return any(name in row.state for name in wanted)

    return accepts


def changed_fields(before: Mapping[str, Any], after: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield each field that differs, with both values; None where it is missing. Fields of a map within are named by a path.

    >>> list(changed_fields({"a": 1, "b": {"c": 2}}, {"b": {"c": 3}}))
    [('a', 1, None), ('b.c', 2, 3)]
    """
    for name in dict.fromkeys((*before, *after)):
        old, new = before.get(name), after.get(name)
        if isinstance(old, dict) and isinstance(new, dict):
            yield from changed_fields(old, new, f"{path}{name}.")
        elif old != new:
            yield f"{path}{name}", old, new
