"""Fills some folds of a new version: folds the log in memory, writes each key once, follows the log, and compares.

A part does all of this by itself, so that several may do it at the same time, and a rebuild that was killed keeps those that
were done.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from infra.errors import Superseded
from infra.redis.checkpoints import LOG, Checkpoint
from infra.redis.generations import Generation, Generations, State, replaced
from infra.redis.loading import KeyLoader, remove_keys
from infra.redis.views import Views
from infra.settings import CHUNK
from streams.projecting.dispatch import Dispatch
from streams.projecting.loaders import Fold, loader_of
from streams.projecting.projector import ProjectionFailed
from streams.replay.rebuild.filling import Compared, Fill
from streams.replay.rebuild.left_out import LeftOut, left_out_in, note_left_out
from streams.replay.rebuild.served import served_records
from streams.replay.rebuild.throttle import Throttle
from streams.running.app import App
from streams.running.positions import sources_of

NEAR = CHUNK
"""Events behind the head at which the fill ends, and the new version begins to follow the log."""

SAMPLED = 200
"""Keys of each fold that are compared with the log."""

Report = Callable[[str, int, int], None]
"""Called with a step (``fold``, ``load``, ``follow``, ``verify``), how far it is, and how far it goes."""


@dataclass
class RebuiltPart:
    """``records``: of these folds in the new version, ``filling``; a step replaces them. ``generations`` holds their leases."""

    app: App
    folds: Sequence[Fold]
    records: Sequence[Generation]
    generations: Generations
    throttle: Throttle
    sampled: int = SAMPLED
    report: Report = lambda *_: None

    def __post_init__(self) -> None:
        self.with_workers = self.app.feed == "topics"
        self.version = self.records[0].version

    def run(self) -> list[Compared]:
        """Fill these folds, and return what the comparison found; workers, or a follower, may keep them up from now on."""
        fill = self.fill()
        self.load(fill)
        self.follow()
        compared = self.verify(fill)
        self._put("tailing" if self.with_workers else "following", compared=True)
        return compared

    def fill(self) -> Fill:
        """Fold the log in memory up to its head, or near it."""
        fill = Fill(self.app.log, self.folds, self.app.terms.zone, self.throttle.rest, self._lacking())
        while fill.position < (head := self.app.log.head()):
            fill.fold_to(head, lambda at, head=head: self.report("fold", at, head))  # type: ignore[misc]
            if self.app.log.head() - fill.position < NEAR:
                break
        return fill

    def load(self, fill: Fill) -> None:
        """Write what was folded, check it, and set the checkpoints."""
        target = fill.position
        self._put("loading", target)
        loader = KeyLoader(
            self.app.views.client, self.version, self.records[0].name, self.generations.owner, self.throttle.rest
        )
        done = iter(range(len(self.folds)))
        digests = fill.load(loader, lambda _: self.report("load", next(done), len(self.folds)))
        fill.check_loaded(self.views, digests)
        lacking = self._lacking()
        for record in self.records:
            note_left_out(self.views, record, lacking.get(record.name, frozenset()), fill.left_out(record.name))
        self.generations.set_places(self.records, {LOG: Checkpoint(target)})
        self._put("tailing")

    def follow(self) -> None:
        """Bring these folds to the head of the log. If one fails beside workers, the next run fills them anew."""
        try:
            follow(self.app, self.version, self.folds, self.report)
        except ProjectionFailed:
            if self.with_workers:
                clear(self.app, self.generations, self.records, self.folds)
                self._put("filling")
            raise

    def verify(self, fill: Fill) -> list[Compared]:
        """Compare a sample of these keys with the log. Raises :class:`VersionDiffers`."""
        self.report("verify", 0, len(self.folds))
        return fill.compare(self.views, self.app.refreshed().views, self.sampled)

    @property
    def views(self) -> Views:
        return Views(self.app.views.client, self.version)

    def _lacking(self) -> LeftOut:
        """Return what the served version lacks, because workers have made dead letters of it."""
        if not self.with_workers:
            return {}
        served = served_records(self.app.refreshed().views, self.folds, self.generations.all())
        return left_out_in(self.app.views, served.values())

    def _put(self, state: State, target: int | None = None, compared: bool | None = None) -> None:
        self.records = [replaced(record, state, target, compared) for record in self.records]
        self.generations.put(self.records)


def follow(app: App, version: str, folds: Sequence[Fold], report: Report = lambda *_: None) -> None:
    """Bring folds of a version to the head of the log, beside a follower that may do the same."""
    views = Views(app.views.client, version)
    dispatch = Dispatch(views, [loader_of(fold, app.terms.zone, views) for fold in folds])
    while True:
        try:
            while chunk := app.log.recorded(dispatch.position, CHUNK):
                dispatch.dispatch(chunk)
                report("follow", dispatch.position, app.log.head())
            return
        except Superseded:  # a follower was faster
            dispatch.forget()


def clear(app: App, generations: Generations, records: Sequence[Generation], folds: Sequence[Fold]) -> None:
    """Remove the keys of these records, and let nobody write them any more. ``folds``: theirs, in any version."""
    by_name = {fold.name: fold for fold in folds}
    for record in records:
        generations.close(record, [LOG, *sources_of(app, by_name[record.name])])
    remove_keys(app.views.client, records[0].version, [part for record in records for part in record.parts])
