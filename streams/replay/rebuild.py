"""Rebuilds folds in new keys beside the live ones, and then switches to these in one step.

Each step may be killed. Until the switch nobody reads the new version, and a rebuild of the same folds goes on from the last
step that was complete. What happens in the log meanwhile goes into the new version as well: a follower keeps it up once it is
filled, and so does the rebuild itself.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version as version_of

from infra.errors import Fault, Misconfigured, Superseded
from infra.redis.checkpoints import LOG, Checkpoint
from infra.redis.generations import (
    LEASE_MS,
    UNFINISHED,
    BehindServed,
    Generation,
    Generations,
    State,
    replaced,
)
from infra.redis.loading import KeyLoader, remove_keys
from infra.redis.views import Views
from infra.settings import CHUNK
from streams.projecting.dispatch import Dispatch
from streams.projecting.follower import complete_erasures
from streams.projecting.loaders import Fold, fold_name, loader_of
from streams.registry import folds
from streams.replay.filling import Compared, Fill
from streams.replay.served import refuse_newer, served_records
from streams.running.app import App

NEAR = CHUNK
"""Events behind the head at which the fill ends, and the new version begins to follow the log."""

SAMPLED = 200
"""Keys of each fold that are compared with the log before a switch."""

TRIES = 100
"""Attempts to switch. Each brings the new version to the head first; under 200 events/s the second succeeds."""

WITH_WORKERS = (
    "Workers keep up the read models of this Redis, and they do not feed two versions yet: to rebuild, stop the workers, empty "
    "this Redis, and start them again."
)

Report = Callable[[str, int, int], None]
"""Called with a step (``fold``, ``load``, ``follow``, ``verify``), how far it is, and how far it goes."""


@dataclass(frozen=True)
class Rebuilt:
    """What a rebuild did. ``version``: the new one. ``position``: up to there it was folded in memory."""

    version: str
    position: int
    resumed: bool
    seconds: float
    compared: Sequence[Compared]


@dataclass
class VersionRebuild:
    """A rebuild of some folds from the log. ``pause``: seconds to rest for each second of work."""

    app: App
    folds: Sequence[Fold]
    report: Report = lambda *_: None
    pause: float = 0.0
    sampled: int = SAMPLED

    def __post_init__(self) -> None:
        self.client = self.app.views.client
        self.generations = Generations(self.client)
        self.names = [fold.name for fold in self.folds]

    def run(self) -> Rebuilt:
        """Rebuild, verify and switch.

        Raises :class:`Misconfigured` and :class:`RebuildRuns` before anything is done; later :class:`RebuildOvertaken`,
        :class:`VersionDiffers`, and what reading and folding raise. Nothing is switched then, and the next run goes on.
        """
        begun = time.monotonic()
        if self.app.feed == "topics":
            raise Misconfigured(WITH_WORKERS)
        self.app.views.fed_by("log")
        refuse_newer(self.app, self.folds, self.generations.all())
        with self.leased():
            records, resumed = self.reserve()
            fill = self.fill()
            if records[0].state != "following":
                records = self.load(records, fill)
            self.follow(records[0].version)
            compared = self.verify(records, fill)
            self.switch(records)
        self._complete_erasures()
        return Rebuilt(records[0].version, fill.position, resumed, time.monotonic() - begun, compared)

    @contextmanager
    def leased(self) -> Iterator[None]:
        """Hold the leases of the folds, and renew them until the block ends. Raises :class:`RebuildRuns`."""
        self.generations.take(self.names)
        ended = threading.Event()
        renewing = threading.Thread(target=self._renew, args=(ended,), name="leases", daemon=True)
        renewing.start()
        try:
            yield
        finally:
            ended.set()
            renewing.join()
            self.generations.release(self.names)

    def reserve(self) -> tuple[list[Generation], bool]:
        """Return the records of the version to fill, and whether another run began it; remove what no run will go on with."""
        program, mine = version_of("regulars"), {fold_name(fold) for fold in self.folds}
        unfinished: dict[str, list[Generation]] = {}
        for record in self.generations.all():
            if record.state in UNFINISHED and record.name in self.names:
                unfinished.setdefault(record.version, []).append(record)
        found: list[Generation] | None = None
        for records in unfinished.values():
            states = {record.state for record in records}
            if {one.fold for one in records} == mine and {one.program for one in records} == {program} and len(states) == 1:
                self._discard(found or ())
                found = records
            else:
                self._discard(records)
        if found is not None:
            if found[0].state == "loading":  # half of its keys may be there, of an earlier position
                self._remove(found)
                found = self._put(found, "filling")
            return found, True
        version, head = self.generations.next_version(), self.app.log.head()
        made = [Generation(version, fold_name(fold), tuple(fold.parts), "filling", head, program) for fold in self.folds]
        self.generations.put(made)
        return made, False

    def fill(self) -> Fill:
        """Fold the log in memory up to its head, or near it."""
        fill = Fill(self.app.log, self.folds, self.app.terms.zone, self.pause)
        while fill.position < (head := self.app.log.head()):
            fill.fold_to(head, lambda at, head=head: self.report("fold", at, head))  # type: ignore[misc]
            if self.app.log.head() - fill.position < NEAR:
                break
        return fill

    def load(self, records: Sequence[Generation], fill: Fill) -> list[Generation]:
        """Write what was folded, check it, and have the new version follow the log."""
        target = fill.position
        loading = self._put(records, "loading", target)
        loader = KeyLoader(self.client, records[0].version, self.names[0], self.generations.owner, self.pause)
        done = iter(range(len(self.folds)))
        digests = fill.load(loader, lambda _: self.report("load", next(done), len(self.folds)))
        fill.check_loaded(self._views(records), digests)
        self.generations.set_places(loading, {LOG: Checkpoint(target)})
        return self._put(loading, "following")

    def follow(self, version: str) -> None:
        """Bring a version to the head of the log, beside a follower that may do the same."""
        views = Views(self.client, version)
        dispatch = Dispatch(views, [loader_of(fold, self.app.terms.zone, views) for fold in self.folds])
        while True:
            try:
                while chunk := self.app.log.recorded(dispatch.position, CHUNK):
                    dispatch.dispatch(chunk)
                    self.report("follow", dispatch.position, self.app.log.head())
                return
            except Superseded:  # a follower was faster
                dispatch.forget()

    def verify(self, records: Sequence[Generation], fill: Fill) -> list[Compared]:
        """Compare a sample of the new version with the log. Raises :class:`VersionDiffers`."""
        self.report("verify", 0, len(self.folds))
        return fill.compare(self._views(records), self.app.refreshed().views, self.sampled)

    def switch(self, records: Sequence[Generation]) -> None:
        """Make the new version the served one once it is not behind the served one in anything."""
        served = served_records(self.app.refreshed(), self.folds, self.generations.all())
        pairs = [(record, served.get(record.name)) for record in records]
        switch(self.generations, pairs, lambda: self.follow(records[0].version))

    def _complete_erasures(self) -> None:
        """Complete the erasures that had to wait for this rebuild, if a follower has passed them meanwhile."""
        views = self.app.refreshed().views
        if self.app.log.incomplete_erasures():
            reached = views.positions([fold_name(fold) for fold in folds(self.app.terms)])
            complete_erasures(self.app.log, views, min(reached.values()))

    def _renew(self, ended: threading.Event) -> None:
        """Renew the leases. Each step looks at them itself, so one that was lost ends the rebuild there."""
        while not ended.wait(LEASE_MS / 3000):
            try:
                self.generations.take(self.names)
            except Fault:
                return
            except Exception:  # noqa: BLE001, S112 - Redis does not answer: the steps say so
                continue

    def _put(self, records: Sequence[Generation], state: State, target: int = 0) -> list[Generation]:
        changed = [replaced(record, state, target or record.target) for record in records]
        self.generations.put(changed)
        return changed

    def _discard(self, records: Sequence[Generation]) -> None:
        """Remove a version that was begun, and that no run goes on with."""
        if records:
            self._remove(records)
            for record in records:
                self.generations.forget(record)

    def _remove(self, records: Sequence[Generation]) -> None:
        for record in records:
            self.generations.close(record, [LOG])
        remove_keys(self.client, records[0].version, [part for record in records for part in record.parts])

    def _views(self, records: Sequence[Generation]) -> Views:
        return Views(self.client, records[0].version)


def switch(
    generations: Generations, pairs: Sequence[tuple[Generation, Generation | None]], catch_up: Callable[[], None]
) -> None:
    """Make the first of each pair the served one, after :func:`catch_up` as often as the log moves on meanwhile."""
    sources = {new.name: [LOG] for new, _ in pairs}
    for _ in range(TRIES):
        catch_up()
        try:
            generations.switch(pairs, sources)
        except BehindServed:
            continue
        return
    raise Misconfigured("The log moves on faster than this program follows it: nothing was switched. Run it again.")
