"""A peer: Bytewax, whose sink writes each batch through the same script. It has no group and keeps no recovery state here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any

import orjson
from bytewax import operators as op
from bytewax.connectors.kafka import KafkaSource
from bytewax.dataflow import Dataflow
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.testing import run_main

from infra.embedded.valkey import connect
from infra.redis.views import Views
from streams.kafka.worker.agents import CHUNK
from tests.bench.streams.course import Course, Finish, Stopwatch, given, tell
from tests.bench.streams.tallies import Sink


class Writing(StatelessSinkPartition[Any]):  # type: ignore[misc]
    def __init__(self, sink: Sink, watch: Stopwatch, finishes: list[Finish]) -> None:
        self._sink = sink
        self._watch = watch
        self._finishes = finishes

    def write_batch(self, items: Sequence[Any]) -> None:
        self._watch.begin()
        for partition, some in groupby(items, attrgetter("partition")):
            times: defaultdict[str, int] = defaultdict(int)
            spent: defaultdict[str, int] = defaultdict(int)
            messages = list(some)
            for message in messages:
                event = orjson.loads(message.value)["event"]
                times[event["key"]] += 1
                spent[event["key"]] += event["amount"]
            self._sink.write(partition, messages[-1].offset, times, spent)
            if finish := self._watch.count(len(messages)):
                self._finishes.append(finish)


class RedisSink(DynamicSink[Any]):  # type: ignore[misc]
    def __init__(self, sink: Sink, watch: Stopwatch, finishes: list[Finish]) -> None:
        self._made = sink, watch, finishes

    def build(self, step_id: str, worker_index: int, worker_count: int) -> Writing:
        return Writing(*self._made)


def flow(course: Course) -> Finish:
    made = Dataflow("purchases")
    finishes: list[Finish] = []
    stream = op.input("topic", made, KafkaSource([course.bootstrap], [course.topic], tail=False, batch_size=CHUNK))
    sink = Sink(Views(connect(course.redis)), course.topic)
    op.output("redis", stream, RedisSink(sink, Stopwatch(course.records), finishes))
    run_main(made)
    return finishes[0]


if __name__ == "__main__":
    tell(flow(given()))
