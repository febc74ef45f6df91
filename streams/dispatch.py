"""One dispatch for every mode: recorded events in, each fold's step applied to Redis once, in one round trip for all."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol

from aggregates.delta import Delta
from aggregates.kernel import Recorded
from infra.views import Step, Views
from models.learner import Learner
from projections.kernel import Documents, Tally

REMEMBERED = 20_000
"""Documents of a fold kept between chunks."""


class Feed(Protocol):
    """A fold with what it needs to be fed: loading before, forgetting when it lost its place."""

    name: str
    events: frozenset[type]

    def fold(self, chunk: Sequence[Recorded]) -> Delta: ...

    def forget(self) -> None: ...


class TallyFeed:
    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self.name, self.events = fold_name(tally), tally.events

    def fold(self, chunk: Sequence[Recorded]) -> Delta:
        return self._tally.fold(chunk)

    def forget(self) -> None:
        pass


class DocumentsFeed:
    """Loads the documents a chunk needs, but for those it makes or wrote itself: its checkpoint proves that nobody else did."""

    def __init__(self, documents: Documents, views: Views) -> None:
        self._documents = documents
        self._views = views
        self._remembered: OrderedDict[str, Any] = OrderedDict()
        self.name, self.events = fold_name(documents), documents.events

    def fold(self, chunk: Sequence[Recorded]) -> Delta:
        needed, held = self._documents.needs(chunk), self._remembered
        at_hand = {key: held.get(key) for key, to_read in needed.items() if key in held or not to_read}
        at_hand |= self._views.load((key for key in needed if key not in at_hand), self._documents.types)
        delta = self._documents.fold(at_hand, chunk)
        for key, document in at_hand.items():
            held[key] = document
            held.move_to_end(key)
        while len(held) > max(REMEMBERED, len(at_hand)):  # these are on their way: Redis may not have them yet
            held.popitem(last=False)
        return delta

    def forget(self) -> None:
        self._remembered.clear()


class LearnerFeed:
    """Brings the learner the state that a chunk needs and it does not hold."""

    def __init__(self, learner: Learner, views: Views) -> None:
        self._learner = learner
        self._views = views
        self.name, self.events = fold_name(learner), learner.events

    def fold(self, chunk: Sequence[Recorded]) -> Delta:
        while missing := self._learner.missing(chunk):
            self._learner.restore(self._views.hashes(missing))
        return self._learner.fold(chunk)

    def forget(self) -> None:
        self._learner.forget()


def fold_name(fold: Documents | Tally | Learner | type[Learner]) -> str:
    """A fold's checkpoint is its version's own: a new version begins at the beginning."""
    return f"{fold.name}.{fold.version}"


class Dispatch:
    """Folds one chunk while the steps of the one before are on their way: Redis works while we do, one chunk at a time."""

    def __init__(self, views: Views, feeds: Iterable[Feed]) -> None:
        self._views = views
        self._feeds = list(feeds)
        self._sender = ThreadPoolExecutor(1, "views")
        self._sent: Future[None] | None = None
        self._positions: dict[str, int] | None = None

    @property
    def position(self) -> int:
        """How far every fold has come, at the least, counting what is on its way."""
        return min(self._held().values(), default=0)

    @property
    def furthest(self) -> int:
        return max(self._held().values(), default=0)

    def dispatch(self, chunk: Sequence[Recorded]) -> None:
        """Fold a chunk of the log, and return when it is in Redis; see :meth:`send`."""
        self.send(chunk)
        self.flush()

    def send(self, chunk: Sequence[Recorded]) -> None:
        """Fold a chunk of the log, without gaps behind :attr:`position`, and send it; each fold skips what it has seen.

        Raises whatever befell the chunk before, such as :class:`Superseded`. Then nothing is believed any more but Redis: go on
        from :attr:`position`, and nothing is lost or counted twice.
        """
        positions, last = self._held(), chunk[-1].position
        try:
            steps = [self._step(feed, chunk, last) for feed in self._feeds if positions[feed.name] < last]
            self.flush()
        except BaseException:
            self._forget()
            raise
        self._sent = self._sender.submit(self._views.apply, steps)
        positions |= {step.fold: step.after for step in steps}

    def flush(self) -> None:
        """Wait until all that was sent is in Redis."""
        sent, self._sent = self._sent, None
        if sent is None:
            return
        try:
            sent.result()
        except BaseException:
            self._forget()
            raise

    def rewrite_file(self) -> bool:
        """Have Redis write its file anew, without what was removed; False if it could not."""
        return self._views.rewrite_file()

    def _held(self) -> dict[str, int]:
        if self._positions is None:
            self._positions = self._views.positions([feed.name for feed in self._feeds])
        return self._positions

    def _forget(self) -> None:
        self._positions = None
        for feed in self._feeds:
            feed.forget()

    def _step(self, feed: Feed, chunk: Sequence[Recorded], last: int) -> Step:
        before, events = self._held()[feed.name], feed.events
        mine = [recorded for recorded in chunk if type(recorded.event) in events and recorded.position > before]
        return Step(feed.name, before, last, feed.fold(mine) if mine else Delta())
