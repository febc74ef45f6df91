"""A member's list, scored again for the moment at which it is read."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from aggregates.programme import Programme
from infra.redis.views import Views
from models.learner import OF_THE_SHOP, Learner
from models.recommender.items import NAMES
from models.recommender.lists import PLAIN, Variety
from models.recommender.visits import DISMISSED
from streams.queries.views import document

MODEL_FOR = 600.0
"""Seconds after which what the learner knows of the whole shop is read anew, beside the lists that are made meanwhile.

Reading it takes 2.4 s of processor time for 68,000 products, so it is not done often.
"""

HOUR = 3_600_000
"""Milliseconds for which a list that was scored anew holds: scores go by the hour of the day."""


class ListScorer:
    """Scores members' lists anew. Safe to call from any thread; one list is made at a time.

    What concerns the member is read for each list: habits, what they dismissed, and whether the products shown are still sold.
    What concerns the shop (popularity, weights of the ranker) is kept for :data:`MODEL_FOR`.
    ``beside``: runs a function in another thread. ``clock``: seconds.
    """

    def __init__(
        self,
        zone: str,
        beside: Callable[[Callable[[], None]], object] = lambda renew: renew(),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._zone = zone
        self._beside = beside
        self._clock = clock
        self._lock = threading.RLock()
        self._model: tuple[str, Learner] | None = None  # the version it was read from
        self._read_at = 0.0
        self._renewing = False

    def scored(
        self, views: Views, stored: dict[str, Any], member: str, at: int, variety: Variety = PLAIN
    ) -> dict[str, Any] | None:
        """Return a member's stored document with its lists scored for an instant; None if the member has left meanwhile.

        Raises ValueError if the learner's state is that of another version of the program.
        """
        with self._lock:
            learner = self._current(views)
            learner.forget_member(member)
            learner.restore({DISMISSED: fields_of(views, DISMISSED, [f"m.{member}"])})
            while needed := learner.needs_of_list(member):
                learner.restore(views.hashes(needed))
            if member not in learner.repeat.members:
                return None
            try:
                return self._shown(views, stored, learner, member, at, variety)
            finally:
                learner.forget_member(member)

    @property
    def is_ready(self) -> bool:
        """Whether the shop's part has been read: the first list waits for it."""
        return self._model is not None

    def prepare(self, views: Views) -> None:
        """Read the shop's part, so that no list waits for it."""
        with self._lock:
            self._current(views)

    def _shown(
        self, views: Views, stored: dict[str, Any], learner: Learner, member: str, at: int, variety: Variety
    ) -> dict[str, Any]:
        """Return the lists without what is no longer sold: products that changed are told to the model until none did."""
        while True:
            made = with_lists(stored, learner, member, variety, at)
            shown = list(dict.fromkeys(item["product"] for item in (*made["items"], *made["discover"])))
            before = [(learner.items[product].name, learner.items[product].sells) for product in shown]
            learner.restore({NAMES: fields_of(views, NAMES, shown)})
            if [(learner.items[product].name, learner.items[product].sells) for product in shown] == before:
                return made

    def _current(self, views: Views) -> Learner:
        version = views.prefix_of("items")
        if self._model is None or self._model[0] != version:
            self._model, self._read_at = (version, model_of(views, self._zone)), self._clock()
        elif self._clock() - self._read_at >= MODEL_FOR and not self._renewing:
            self._renewing = True
            self._beside(lambda: self._renew(views, version))
        return self._model[1]

    def _renew(self, views: Views, version: str) -> None:
        try:
            made = model_of(views, self._zone)
            with self._lock:
                if self._model is not None and self._model[0] == version:
                    self._model, self._read_at = (version, made), self._clock()
        finally:
            self._renewing = False


def fields_of(views: Views, key: str, names: Sequence[str]) -> dict[str, str]:
    """Return those of some fields that a map has."""
    found: Any = views.client.hmget(views.key(key), names) if names else []
    return {name: raw.decode() for name, raw in zip(names, found, strict=True) if raw is not None}


def model_of(views: Views, zone: str) -> Learner:
    """Return a learner that holds what every list needs of the shop."""
    learner = Learner(zone)
    learner.restore(views.hashes(OF_THE_SHOP))
    return learner


def recommended(views: Views, terms: Programme, member: str, variety: Variety, at: int) -> dict[str, Any] | None:
    """Return what to show a member at an instant (UTC epoch milliseconds); None if they have bought nothing.

    The learner's stored state is read, and nothing is written.
    """
    stored = document(views, f"recommend:{member}")
    return None if stored is None else ListScorer(terms.zone).scored(views, stored, member, at, variety)


def with_lists(stored: dict[str, Any], learner: Learner, member: str, variety: Variety, at: int) -> dict[str, Any]:
    """Return a member's stored document with the lists of a learner that holds what it needs, for an instant."""
    items, new = learner.shown(member, at, variety)
    return stored | {"items": msgspec.to_builtins(items), "discover": msgspec.to_builtins(new), "for_time": at}
