"""The embedded mode's dispatch: projects chunks of the log, one round trip to Redis for all folds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from aggregates.decider import Recorded
from infra.redis.checkpoints import Checkpoint
from infra.redis.commit import CheckpointedWrite
from infra.redis.views import Views
from streams.projecting.loaders import Loader
from streams.projecting.projector import Projector


class Dispatch:
    """Folds one chunk while the writes of the one before are on their way, so that Redis works at the same time."""

    def __init__(self, views: Views, loaders: Iterable[Loader]) -> None:
        self.views = views
        self._projector = Projector(views, loaders)
        self._sender = ThreadPoolExecutor(1, "views")
        self._sent: Future[bool] | None = None

    @property
    def position(self) -> int:
        """The position that every fold has reached, counting what is on its way."""
        return min((checkpoint.position for checkpoint in self._projector.checkpoints.values()), default=0)

    @property
    def furthest(self) -> int:
        """The position of the fold that has come furthest."""
        return max((checkpoint.position for checkpoint in self._projector.checkpoints.values()), default=0)

    def dispatch(self, chunk: Sequence[Recorded]) -> None:
        """Project a chunk of the log, and return when it is in Redis; see :meth:`send`."""
        self.send(chunk)
        self.flush()

    def send(self, chunk: Sequence[Recorded]) -> None:
        """Project a chunk of the log that begins no later than the event after :attr:`position`; folds skip what they have.

        Raises what went wrong with this chunk or the one before, such as :class:`Superseded`. Then go on from
        :attr:`position`, which is read from Redis again: nothing is lost or counted twice.
        """
        try:
            writes = self._project(chunk)
            if not self.flush():
                writes = self._project(chunk)
        except BaseException:
            self._projector.forget()
            raise
        self._sent = self._sender.submit(self.views.apply, writes)
        self._projector.moved(writes)

    def flush(self) -> bool:
        """Wait until all that was sent is in Redis. Return False if another writer made a step, so that memory was dropped.

        Raises what :meth:`send` does.
        """
        sent, self._sent = self._sent, None
        try:
            by_us = sent is None or sent.result()
        except BaseException:
            self._projector.forget()
            raise
        if not by_us:
            self._projector.start_over()
        return by_us

    def forget(self) -> None:
        """Drop what is in memory, and read the checkpoints again when they are needed."""
        self._projector.forget()

    def _project(self, chunk: Sequence[Recorded]) -> list[CheckpointedWrite]:
        return self._projector.project(chunk, Checkpoint(chunk[-1].position))
