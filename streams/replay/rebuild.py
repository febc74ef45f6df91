"""Rebuilds folds in new keys beside the live ones, and then switches to these in one step.

Each step may be killed. Until the switch nobody reads the new version, and a rebuild of the same folds goes on from the last
step that was complete. What happens in the log meanwhile goes into the new version as well: a follower keeps it up once it is
filled, and so does the rebuild itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib.metadata import version as version_of

from infra.errors import Misconfigured, Superseded
from infra.redis.checkpoints import LOG, Checkpoint
from infra.redis.generations import (
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
from streams.projecting.projector import ProjectionFailed
from streams.registry import folds
from streams.replay.filling import Compared, Fill
from streams.replay.leases import leased
from streams.replay.left_out import LeftOut, left_out_in, note_left_out
from streams.replay.served import refuse_newer, served_records
from streams.running.app import App
from streams.running.positions import lowest_beside, sources_of

NEAR = CHUNK
"""Events behind the head at which the fill ends, and the new version begins to follow the log."""

SAMPLED = 200
"""Keys of each fold that are compared with the log before a switch."""

TRIES = 100
"""Attempts to switch. Each brings the new version to the head first; under 200 events/s the second succeeds."""

TOO_FAST = (
    "The new version does not catch up with the served one (`regulars lag`; are workers running?): nothing was switched. "
    "Run it again."
)

MOMENT = 0.05
"""Seconds between attempts to switch while workers bring the new version up."""

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
        self.with_workers = self.app.feed == "topics"

    def run(self) -> Rebuilt:
        """Rebuild, verify and switch.

        Raises :class:`Misconfigured` and :class:`RebuildRuns` before anything is done; later :class:`RebuildOvertaken`,
        :class:`VersionDiffers`, and what reading and folding raise. Nothing is switched then, and the next run goes on.
        """
        begun = time.monotonic()
        self.app.views.fed_by(self.app.feed)
        refuse_newer(self.app.views, self.folds, self.generations.all())
        with self.leased():
            records, resumed = self.reserve()
            position, compared = records[0].target, list[Compared]()
            if not (self.with_workers and records[0].state == "following"):  # workers have it, and nothing can be compared
                fill = self.fill()
                if records[0].state in ("filling", "loading"):
                    records = self.load(records, fill)
                self.follow_first(records)
                position, compared = fill.position, self.verify(records, fill)
                if self.with_workers:
                    records = self.hand_over(records)
            self.switch(records)
        self._complete_erasures()
        return Rebuilt(records[0].version, position, resumed, time.monotonic() - begun, compared)

    def leased(self) -> AbstractContextManager[None]:
        """Hold the leases of the folds, and renew them until the block ends. Raises :class:`RebuildRuns`."""
        return leased(self.generations, self.names)

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
        fill = Fill(self.app.log, self.folds, self.app.terms.zone, self.pause, self._lacking())
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
        lacking, views = self._lacking(), self._views(records)
        for record in records:
            note_left_out(views, record, lacking.get(record.name, frozenset()), fill.left_out(record.name))
        self.generations.set_places(loading, {LOG: Checkpoint(target)})
        return self._put(loading, "tailing" if self.with_workers else "following")

    def follow_first(self, records: Sequence[Generation]) -> None:
        """Bring a new version to the head of the log. If a fold fails beside workers, the next run fills it anew."""
        try:
            self.follow(records[0].version)
        except ProjectionFailed:
            if self.with_workers:
                self._remove(records)
                self._put(records, "filling")
            raise

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

    def hand_over(self, records: Sequence[Generation]) -> list[Generation]:
        """Have the workers keep the new version up, from where they are in each partition.

        They read what the log has already, so they are mostly behind it. Where they are not, the new version goes on first.
        """
        pairs, sources = self._pairs(records), self._sources()
        views, names = self._views(records), [record.fold for record in records]
        for _ in range(TRIES):
            self.follow(records[0].version)
            if self.generations.seed(pairs, sources, min(views.positions(names).values())):
                return [replaced(record, "following") for record in records]
        raise Misconfigured(TOO_FAST)

    def switch(self, records: Sequence[Generation]) -> None:
        """Make the new version the served one once it is not behind the served one in anything."""
        switch(self.generations, self._pairs(records), self._sources(), lambda: self.catch_up(records[0].version))

    def catch_up(self, version: str) -> None:
        """Bring a version to where the served one is, or give workers time to do so."""
        if self.with_workers:
            time.sleep(MOMENT)
        else:
            self.follow(version)

    def _lacking(self) -> LeftOut:
        """Return what the served version lacks, because workers have made dead letters of it."""
        if not self.with_workers:
            return {}
        served = served_records(self.app.refreshed().views, self.folds, self.generations.all())
        return left_out_in(self.app.views, served.values())

    def _pairs(self, records: Sequence[Generation]) -> list[tuple[Generation, Generation | None]]:
        served = served_records(self.app.refreshed().views, self.folds, self.generations.all())
        return [(record, served.get(record.name)) for record in records]

    def _sources(self) -> dict[str, list[str]]:
        return {fold.name: sources_of(self.app, fold) for fold in self.folds}

    def _complete_erasures(self) -> None:
        """Complete the erasures that had to wait for this rebuild, if a follower has passed them meanwhile."""
        views = self.app.refreshed().views
        if self.app.log.incomplete_erasures():
            reached = views.positions([fold_name(fold) for fold in folds(self.app.terms)])
            complete_erasures(self.app.log, views, min(reached.values()), lambda: lowest_beside(self.app))

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
            self.generations.close(record, [LOG, *self._sources()[record.name]])
        remove_keys(self.client, records[0].version, [part for record in records for part in record.parts])

    def _views(self, records: Sequence[Generation]) -> Views:
        return Views(self.client, records[0].version)


def switch(
    generations: Generations,
    pairs: Sequence[tuple[Generation, Generation | None]],
    sources: Mapping[str, Sequence[str]],
    catch_up: Callable[[], None],
) -> None:
    """Make the first of each pair the served one, after :func:`catch_up` as often as the log moves on meanwhile."""
    for _ in range(TRIES):
        catch_up()
        try:
            generations.switch(pairs, sources)
        except BehindServed:
            continue
        return
    raise Misconfigured(TOO_FAST)
