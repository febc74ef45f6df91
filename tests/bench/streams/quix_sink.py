"""A peer: Quix Streams, whose batching sink writes what it collected at each commit through the same script."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from quixstreams import Application
from quixstreams.sinks import BatchingSink, SinkBatch

from infra.embedded.valkey import connect
from infra.redis.views import Views
from streams.kafka.worker.agents import CHUNK
from tests.bench.streams.course import Course, Finish, Stopwatch, given, tell
from tests.bench.streams.tallies import Sink


class RedisSink(BatchingSink):  # type: ignore[misc]
    def __init__(self, sink: Sink, watch: Stopwatch) -> None:
        super().__init__()
        self._sink = sink
        self._watch = watch
        self.finish: Finish | None = None

    def add(self, *args: Any, **kwargs: Any) -> None:
        self._watch.begin()
        super().add(*args, **kwargs)

    def write(self, batch: SinkBatch) -> None:
        times: defaultdict[str, int] = defaultdict(int)
        spent: defaultdict[str, int] = defaultdict(int)
        for item in batch:
            event = item.value["event"]
            times[event["key"]] += 1
            spent[event["key"]] += event["amount"]
        self._sink.write(batch.partition, item.offset, times, spent)
        self.finish = self.finish or self._watch.count(batch.size)


def stream(course: Course) -> Finish:
    application = Application(
        broker_address=course.bootstrap,
        consumer_group=course.group,
        auto_offset_reset="earliest",
        commit_every=CHUNK * course.partitions,  # a chunk of each partition, about
        loglevel="ERROR",
        state_dir=course.home,
    )
    sink = RedisSink(Sink(Views(connect(course.redis)), course.topic), Stopwatch(course.records))
    application.dataframe(application.topic(course.topic, value_deserializer="json")).sink(sink)
    application.run(count=course.records)
    if sink.finish is None:
        raise RuntimeError("The sink did not get every record.")
    return sink.finish


if __name__ == "__main__":
    tell(stream(given()))
