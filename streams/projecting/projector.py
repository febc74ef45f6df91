"""The folds that one source feeds, and how far each has come: a chunk of events in, what each fold writes out.

The way of a chunk has two phases. First everything that the folds need is read, together with their checkpoints; then the
folds run, and their writes are committed. The caller does the reading and committing, for many projectors at once if it likes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from operator import attrgetter
from typing import NamedTuple

from aggregates.decider import Recorded
from aggregates.delta import Delta
from infra.errors import Fault, Superseded
from infra.redis.checkpoints import LOG, Checkpoint, checkpoint_key, missing_event, superseded
from infra.redis.commit import CheckpointedWrite
from infra.redis.views import Contents, Keys, Views
from streams.projecting.loaders import NOTHING, Loader

POSITION = attrgetter("position")

NOWHERE = Checkpoint(-1)
"""No fold is ever here, so a write that begins here is never made; it reports where the fold stands."""


class ProjectionFailed(Fault):
    """A fold failed over one event or over a chunk: a fault of the fold, or of an event that should not be."""

    def __init__(self, fold: str, events: Sequence[Recorded], cause: Exception) -> None:
        first, last = events[0].position, events[-1].position
        at = f"event #{first}" if first == last else f"events #{first} to #{last}"
        super().__init__(f"The fold {fold} failed over {at}: {cause!r}. Nothing of it is in Redis.")
        self.fold = fold


class UnreadableEvent(NamedTuple):
    """A stored event that cannot be decoded, at an offset of a topic. ``name``: the one it was stored by."""

    offset: int
    position: int
    name: str

    def is_new_to(self, checkpoint: Checkpoint, topic: str) -> bool:
        """Return whether a fold has not passed it yet."""
        return self.position > checkpoint.position and not (topic == checkpoint.topic and self.offset <= checkpoint.offset)


class EventChunk(NamedTuple):
    """Events in the order of the log. ``kinds``: their types. ``first``: the lowest position."""

    events: Sequence[Recorded]
    kinds: frozenset[type]
    first: int

    @classmethod
    def of(cls, events: Sequence[Recorded]) -> EventChunk:
        return cls(events, frozenset(type(event) for _, event in events), min(map(POSITION, events), default=0))

    def after(self, position: int, kinds: frozenset[type]) -> Sequence[Recorded]:
        """Return the events of these types after a position: mostly all of them, or none."""
        if self.kinds.isdisjoint(kinds):
            return ()
        if self.first <= position:
            return [r for r in self.events if type(r.event) in kinds and r.position > position]
        return self.events if self.kinds <= kinds else [r for r in self.events if type(r.event) in kinds]


class Projector:
    """The folds of one source. What they read stays in memory; it is read again if Redis turns out to hold something else."""

    def __init__(self, views: Views, loaders: Iterable[Loader], source: str = LOG) -> None:
        self._views = views
        self._checkpoints: dict[str, Checkpoint] | None = None
        self._previous: dict[str, Checkpoint] = {}
        self.loaders = list(loaders)
        self.source = source

    @property
    def checkpoints(self) -> dict[str, Checkpoint]:
        """How far each fold has come, by name."""
        if self._checkpoints is None:
            self._checkpoints = self._read_checkpoints()
        return self._checkpoints

    def expected(self, fold: str) -> set[Checkpoint]:
        """Return where a fold's checkpoint may be in Redis: after our last write, or before it while that is on its way."""
        checkpoint = self.checkpoints[fold]
        return {checkpoint, self._previous.get(fold, checkpoint)}

    def start(
        self,
        events: Sequence[Recorded],
        end: Checkpoint,
        without: Collection[str] = (),
        unreadable: Sequence[UnreadableEvent] = (),
    ) -> ChunkProjection:
        """Begin to project a chunk that ends at ``end``. A fold that has all of it takes no part.

        ``without``: folds that only move on. The events that these skip, and those of ``unreadable``, are noted as missing
        from the fold in the same write.
        """
        chunk = EventChunk.of(events)
        behind = [loader for loader in self.loaders if not self.checkpoints[loader.name].covers(end)]
        return ChunkProjection(self, [self._task(loader, chunk, end, loader.name in without, unreadable) for loader in behind])

    def project(
        self,
        events: Sequence[Recorded],
        end: Checkpoint,
        without: Collection[str] = (),
        unreadable: Sequence[UnreadableEvent] = (),
    ) -> list[CheckpointedWrite]:
        """Read what a chunk needs, and return what each fold writes; arguments and errors as of :meth:`start`."""
        projection = self.start(events, end, without, unreadable)
        while keys := projection.needs():
            projection.load(self._views.read(keys))
        return projection.fold()

    def moved(self, writes: Iterable[CheckpointedWrite]) -> None:
        """Note that these writes are in Redis, or on their way."""
        for write in writes:
            self._previous[write.fold], self.checkpoints[write.fold] = write.before, write.after

    def forget(self) -> None:
        """Drop the checkpoints and documents that are in memory."""
        self._checkpoints = None
        self._previous.clear()
        for loader in self.loaders:
            loader.forget()

    def rolled_back(self) -> bool:
        """Read the checkpoints, and return whether Redis holds less than it did: it was restored, or failed over.

        If a checkpoint is not where it was believed to be, forget the documents too. If Redis does not answer, change nothing.
        """
        believed, found = self._checkpoints, self._read_checkpoints()
        if believed != found:
            self.forget()
        self._checkpoints = found
        return self._lost(believed or {}) is not None

    def start_over(self) -> None:
        """Forget everything, and read the checkpoints.

        Raises :class:`Superseded` if a checkpoint has gone back: the events after it are missing in Redis.
        """
        believed = self._checkpoints or {}
        self.forget()
        if fold := self._lost(believed):
            raise Superseded(fold, self.source, str(self.checkpoints[fold]), str(believed[fold]))

    def _task(
        self, loader: Loader, chunk: EventChunk, end: Checkpoint, spared: bool, unreadable: Sequence[UnreadableEvent]
    ) -> FoldTask:
        before = self.checkpoints[loader.name]
        events = chunk.after(before.position, loader.events)
        missing = [recorded.position for recorded in events] if spared else []
        if unreadable:
            names = {event.__name__ for event in loader.events}
            mine = (one for one in unreadable if one.name.partition(".")[0] in names)
            missing += [one.position for one in mine if one.is_new_to(before, end.topic)]
        return FoldTask(loader, () if spared else events, before, before.advanced_to(end), missing)

    def _lost(self, believed: Mapping[str, Checkpoint]) -> str | None:
        """Return a fold whose checkpoint has gone back, if there is one."""
        return next((fold for fold, checkpoint in believed.items() if self.checkpoints[fold].is_before(checkpoint)), None)

    def _read_checkpoints(self) -> dict[str, Checkpoint]:
        return self._views.checkpoints_in(self.source, [loader.name for loader in self.loaders])


@dataclass
class FoldTask:
    """One fold's part in a chunk. ``missing``: positions of events that the fold leaves out.

    ``needs``: keys to read next. ``overtaken``: another writer has made this very step.
    """

    loader: Loader
    events: Sequence[Recorded]
    before: Checkpoint
    after: Checkpoint
    missing: list[int]
    needs: Keys = NOTHING
    overtaken: bool = False


class ChunkProjection:
    """A chunk on its way through the folds of a source.

    Read what :meth:`needs` names, give it to :meth:`load`, repeat until nothing is needed; then :meth:`fold`. Each raises
    :class:`ProjectionFailed` if a fold fails. After any error, the projector must forget or start over.
    """

    def __init__(self, projector: Projector, tasks: Sequence[FoldTask]) -> None:
        self._projector = projector
        self._tasks = tasks
        for task in tasks:
            if task.events:
                with failures_of(task):
                    task.needs = task.loader.needs(task.events)

    def needs(self) -> Keys:
        """Return the keys to read, and the checkpoints of the folds that need them; nothing once all is in memory."""
        return Keys.union(task.needs._replace(checkpoints=(self._checkpoint(task),)) for task in self._tasks if task.needs)

    def load(self, read: Contents) -> None:
        """Take what was read into memory.

        It is used only if the checkpoint in Redis was where this projector believes it to be, before the reading and after it.
        The comparison at the commit does not suffice. Another writer may have moved the checkpoint before the reading, and
        Redis may have been rolled back after it, to the place where our write begins.

        Raises :class:`Superseded` if the checkpoint was elsewhere.
        """
        for task in self._tasks:
            if not task.needs:
                continue
            fold, source = checkpoint = self._checkpoint(task)
            stood = read.checkpoints[checkpoint]
            if self._projector.expected(fold).issuperset(stood):
                with failures_of(task):
                    task.needs = task.loader.load(read.only(task.needs), task.events)
            elif str(stood[-1]) == str(task.after):
                task.overtaken, task.needs = True, NOTHING
                task.loader.forget()
            else:
                raise superseded(fold, source, str(stood[-1]), task.before)

    def fold(self) -> list[CheckpointedWrite]:
        """Run the folds, and return what each writes."""
        writes = []
        for task in self._tasks:
            delta, name = Delta(), task.loader.name
            if task.events and not task.overtaken:
                with failures_of(task):
                    delta = task.loader.fold(task.events)
            delta.documents.update((checkpoint_key(name, missing_event(position)), position) for position in task.missing)
            before = NOWHERE if task.overtaken else task.before
            writes.append(CheckpointedWrite(name, before, task.after, delta, self._projector.source))
        return writes

    def _checkpoint(self, task: FoldTask) -> tuple[str, str]:
        return task.loader.name, self._projector.source


@contextmanager
def failures_of(task: FoldTask) -> Iterator[None]:
    """Turn any exception of the block into :class:`ProjectionFailed`."""
    try:
        yield
    except Exception as fault:
        raise ProjectionFailed(task.loader.name, task.events, fault) from fault
