"""Versions that are kept up beside the served ones: the one before a switch, and the one that a rebuild has filled.

Whatever goes wrong there does not end the live path. Such a version stays behind then, and cannot be switched to until it has
caught up.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence

from aggregates.decider import Recorded
from infra.errors import Fault, Superseded, VersionDropped
from infra.event_log.log import EventLog
from infra.redis.generations import KEPT, Generation, Generations
from infra.redis.views import Views
from infra.settings import CHUNK
from streams.projecting.dispatch import Dispatch
from streams.projecting.loaders import Fold, fold_name, loader_of

log = logging.getLogger(__name__)


class KeptVersion:
    """Folds of one version that nobody is served from."""

    def __init__(self, views: Views, folds: Sequence[Fold], zone: str) -> None:
        self.version = views.versions.default
        self._dispatch = Dispatch(views, [loader_of(fold, zone, views) for fold in folds])
        self._told = False

    @property
    def position(self) -> int:
        """The position that its folds have reached."""
        return self._dispatch.position

    def take(self, chunk: Sequence[Recorded]) -> None:
        """Project a chunk, unless this version has yet to take what is before it: whoever rebuilds it does that."""
        try:
            if self._dispatch.position < chunk[0].position - 1:
                self._dispatch.forget()  # so that its position is read again
            else:
                self._dispatch.dispatch(chunk)
        except Superseded:  # the rebuild has taken it meanwhile
            self._dispatch.forget()
        except VersionDropped:
            pass  # the epoch has moved, so that this object goes
        except Fault as fault:
            self._dispatch.forget()
            if not self._told:
                log.warning("The version %s is not kept up any more: %s", self.version, fault)
            self._told = True

    def catch_up(self, source: EventLog, position: int) -> None:
        """Project the log up to a position, as far as that succeeds."""
        before = -1
        try:
            while before < self.position < position and (chunk := source.recorded(self.position, CHUNK)):
                before = self.position
                self.take(chunk)
        except VersionDropped:
            pass


def kept_versions(views: Views, folds: Iterable[Fold], zone: str) -> list[KeptVersion]:
    """Return what is to be kept up of these folds besides the served versions, in the fold versions of this program."""
    found: dict[str, list[Fold]] = {}
    records = kept_records(views)
    for fold in folds:
        for record in records.get(fold_name(fold), ()):
            found.setdefault(record.version, []).append(fold)
    return [KeptVersion(Views(views.client, version), some, zone) for version, some in found.items()]


def kept_records(views: Views) -> Mapping[str, Sequence[Generation]]:
    """Return, by fold with its version, the records of versions that are kept up and not served."""
    found: dict[str, list[Generation]] = {}
    for record in Generations(views.client).all():
        if record.state in KEPT and views.versions.version_of(record.parts[0]) != record.version:
            found.setdefault(record.fold, []).append(record)
    return found


def lowest_kept(views: Views, source: str) -> int | None:
    """Return the lowest position of a version that is kept up or being filled, None if there is none besides the served.

    A fill that was killed has nothing in Redis yet. One that runs holds what it has read in memory.
    """
    generations = Generations(views.client)
    lowest: list[int] = []
    for record in generations.all():
        if record.state == "loading" or (record.state == "filling" and generations.is_leased(record.name)):
            lowest.append(0)
        elif record.state in KEPT:
            lowest.append(Views(views.client, record.version).checkpoints_in(source, [record.fold])[record.fold].position)
    return min(lowest, default=None)
