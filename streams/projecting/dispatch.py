"""The embedded mode's dispatch: events of the log in, each fold's step applied to Redis once, in one round trip for all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from aggregates.decider import Recorded
from infra.redis.asking import answered
from infra.redis.checkpoints import Checkpoint
from infra.redis.commit import CheckpointedWrite
from infra.redis.views import Views
from streams.projecting.loaders import Loader
from streams.projecting.projector import Projector


class Dispatch:
    """Folds one chunk while the steps of the one before are on their way: Redis works while we do, one chunk at a time."""

    def __init__(self, views: Views, feeds: Iterable[Loader]) -> None:
        self.views = views
        self._folding = Projector(views, feeds)
        self._sender = ThreadPoolExecutor(1, "views")
        self._sent: Future[bool] | None = None

    @property
    def position(self) -> int:
        """How far every fold has come, at the least, counting what is on its way."""
        return min((place.position for place in self._folding.places.values()), default=0)

    @property
    def furthest(self) -> int:
        return max((place.position for place in self._folding.places.values()), default=0)

    def dispatch(self, chunk: Sequence[Recorded]) -> None:
        """Fold a chunk of the log, and return when it is in Redis; see :meth:`send`."""
        self.send(chunk)
        self.flush()

    def send(self, chunk: Sequence[Recorded]) -> None:
        """Fold a chunk of the log, without gaps behind :attr:`position`, and send it; each fold skips what it has seen.

        Raises whatever befell the chunk before, such as :class:`Superseded`. Then nothing is believed any more but Redis: go on
        from :attr:`position`, and nothing is lost or counted twice.
        """
        try:
            steps = self._steps(chunk)
            if not self.flush():
                steps = self._steps(chunk)
        except BaseException:
            self._folding.forget()
            raise
        self._sent = self._sender.submit(self.views.apply, steps)
        self._folding.moved(steps)

    def flush(self) -> bool:
        """Wait until all that was sent is in Redis; False if what the folds hold had to be forgotten.

        Raises what :meth:`send` does.
        """
        sent, self._sent = self._sent, None
        try:
            ours = sent is None or sent.result()
        except BaseException:
            self._folding.forget()
            raise
        if not ours:
            self._folding.ask_again()
        return ours

    def _steps(self, chunk: Sequence[Recorded]) -> list[CheckpointedWrite]:
        return answered(self._folding.steps(chunk, Checkpoint(chunk[-1].position)), self.views.exchange)
