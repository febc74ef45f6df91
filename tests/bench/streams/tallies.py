"""What every contestant brings about in Redis: for each member how often they bought, and for how much.

Two folds, a map each with a field a member, and each with a checkpoint for every partition; both are written by the script
that the project writes its own read models with.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import redis

from aggregates.delta import Delta
from infra.redis.checkpoints import Checkpoint
from infra.redis.commit import CheckpointedWrite
from infra.redis.views import Views
from projections.projection import Tally
from tests.bench.streams.records import Bought


def count_one(delta: Delta, event: Bought) -> None:
    delta.counts["times"][event.member] += 1


def add_amount(delta: Delta, event: Bought) -> None:
    delta.counts["spent"][event.member] += event.amount


TIMES = Tally("times", 1, ("times",), frozenset({Bought}), count_one)
SPENT = Tally("spent", 1, ("spent",), frozenset({Bought}), add_amount)


class Sink:
    """How a peer's sink writes: sums of a batch, with its checkpoint, in one round trip."""

    def __init__(self, views: Views, topic: str) -> None:
        self._views = views
        self._topic = topic
        self._places: defaultdict[tuple[str, int], Checkpoint] = defaultdict(Checkpoint)

    def write(self, partition: int, offset: int, times: Mapping[str, int], spent: Mapping[str, int]) -> None:
        there = Checkpoint(offset, offset, "t")
        steps = []
        for name, sums in (("times", times), ("spent", spent)):
            delta = Delta()
            delta.counts[name].update(sums)
            steps.append(
                CheckpointedWrite(f"{name}.1", self._places[name, partition], there, delta, f"{self._topic}:{partition}")
            )
            self._places[name, partition] = there
        self._views.apply(steps)


def standing(client: redis.Redis) -> tuple[int, int]:
    """What Redis holds at the end: all purchases, and the sum of their amounts."""
    return summed(client, "times"), summed(client, "spent")


def summed(client: redis.Redis, name: str) -> int:
    return sum(map(int, client.hvals(f"v1:{name}")))
