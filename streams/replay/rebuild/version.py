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

import redis

from infra.errors import Misconfigured
from infra.redis.generations import UNFINISHED, BehindServed, Generation, Generations, replaced
from infra.redis.views import Views
from streams.projecting.follower import complete_erasures
from streams.projecting.loaders import Fold, fold_name
from streams.projecting.projector import ProjectionFailed
from streams.registry import folds
from streams.replay.rebuild.filling import Compared
from streams.replay.rebuild.leases import leased
from streams.replay.rebuild.part import SAMPLED, RebuiltPart, Report, clear, follow
from streams.replay.rebuild.part_process import fill_parts
from streams.replay.rebuild.parts import parts_of
from streams.replay.rebuild.served import refuse_newer, served_records
from streams.replay.rebuild.throttle import Throttle
from streams.running.app import App
from streams.running.positions import lowest_beside, sources_of

TRIES = 100
"""Attempts to switch. Each brings the new version to the head first; under 200 events/s the second succeeds."""

TOO_FAST = (
    "The new version does not catch up with the served one (`regulars lag`; are workers running?): nothing was switched. "
    "Run it again."
)

REPLICA_MS = 1_000
"""How long a switch waits for a replica of Redis."""

MOMENT = 0.05
"""Seconds between attempts to switch while workers bring the new version up."""


@dataclass(frozen=True)
class Rebuilt:
    """What a rebuild did. ``version``: the new one. ``position``: up to there it was folded in memory.

    ``compared``: by fold, without those that a run before had filled. ``confirmed``: whether a replica of Redis has the switch;
    None if there is no replica.
    """

    version: str
    position: int
    resumed: bool
    seconds: float
    compared: Sequence[Compared]
    confirmed: bool | None = None


@dataclass
class VersionRebuild:
    """A rebuild of some folds from the log, in parts. ``processes``: how many parts are filled at a time.

    ``pause``: seconds to rest for each second of work. ``one_by_one``: each fold is a part, which takes less memory.
    """

    app: App
    folds: Sequence[Fold]
    report: Report = lambda *_: None
    pause: float = 0.0
    sampled: int = SAMPLED
    processes: int = 1
    one_by_one: bool = False

    def __post_init__(self) -> None:
        self.client = self.app.views.client
        self.generations = Generations(self.client)
        self.names = [fold.name for fold in self.folds]
        self.with_workers = self.app.feed == "topics"

    def run(self) -> Rebuilt:
        """Rebuild, verify and switch.

        Raises :class:`Misconfigured` and :class:`RebuildRuns` before anything is done; later :class:`RebuildOvertaken`,
        :class:`VersionDiffers`, :class:`PartFailed`, and what reading and folding raise. Nothing is switched then, and the next
        run goes on.
        """
        begun = time.monotonic()
        self.app.views.fed_by(self.app.feed)
        refuse_newer(self.app.views, self.folds, self.generations.all())
        with self.leased():
            records, resumed = self.reserve()
            compared = self.fill(records)
            records = self._records_of(records[0].version)
            if self.with_workers and any(record.state != "following" for record in records):
                records = self.hand_over(records)
            self.switch(records)
            confirmed = confirmed_by_replica(self.client)
        self._complete_erasures()
        position, seconds = max(record.target for record in records), time.monotonic() - begun
        return Rebuilt(records[0].version, position, resumed, seconds, compared, confirmed)

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
            if {one.fold for one in records} == mine and {one.program for one in records} == {program}:
                self._discard(found or ())
                found = records
            else:
                self._discard(records)
        if found is not None:
            return self._begin_again(found), True
        version, head = self.generations.next_version(), self.app.log.head()
        made = [Generation(version, fold_name(fold), tuple(fold.parts), "filling", head, program) for fold in self.folds]
        self.generations.put(made)
        return made, False

    def fill(self, records: Sequence[Generation]) -> list[Compared]:
        """Fill what is not filled yet, and return what the comparison with the log found there."""
        return fill_parts(self.parts(records), self.processes, self.report)

    def parts(self, records: Sequence[Generation]) -> list[RebuiltPart]:
        """Return what is to be filled, in parts."""
        empty = {record.name: record for record in records if record.state == "filling"}
        throttle = Throttle(self.client, self.pause)
        made = parts_of([fold for fold in self.folds if fold.name in empty], self.processes, self.one_by_one)
        return [
            RebuiltPart(
                self.app, some, [empty[fold.name] for fold in some], self.generations, throttle, self.sampled, self.report
            )
            for some in made
        ]

    def hand_over(self, records: Sequence[Generation]) -> list[Generation]:
        """Have the workers keep the new version up, from where they are in each partition.

        They read what the log has already, so they are mostly behind it. Where they are not, the new version goes on first.
        """
        pairs, sources = self._pairs(records), self._sources()
        views, names = self._views(records), [record.fold for record in records]
        for _ in range(TRIES):
            self._follow_or_clear(records)
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
            follow(self.app, version, self.folds, self.report)

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

    def _records_of(self, version: str) -> list[Generation]:
        """Return the records of the new version, as they are now."""
        return [record for record in self.generations.all() if record.version == version and record.name in self.names]

    def _begin_again(self, records: Sequence[Generation]) -> list[Generation]:
        """Empty what a killed run has not filled and compared, and return the records after that.

        Half of its keys may be there, of an earlier position.
        """
        halfway = [record for record in records if record.state != "filling" and not record.compared]
        if halfway:
            clear(self.app, self.generations, halfway, self.folds)
            self.generations.put([replaced(record, "filling") for record in halfway])
        return self._records_of(records[0].version)

    def _follow_or_clear(self, records: Sequence[Generation]) -> None:
        """Bring the new version to the head of the log. If a fold fails, the next run fills all anew."""
        try:
            follow(self.app, records[0].version, self.folds, self.report)
        except ProjectionFailed:
            clear(self.app, self.generations, records, self.folds)
            self.generations.put([replaced(record, "filling", compared=False) for record in records])
            raise

    def _discard(self, records: Sequence[Generation]) -> None:
        """Remove a version that was begun, and that no run goes on with."""
        if records:
            clear(self.app, self.generations, records, self.folds)
            for record in records:
                self.generations.forget(record)

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


def confirmed_by_replica(client: redis.Redis) -> bool | None:
    """Wait a moment until a replica of Redis has all that was written, and return whether one has; None if there is none."""
    if not client.info("replication").get("connected_slaves"):
        return None
    return bool(client.wait(1, REPLICA_MS))
