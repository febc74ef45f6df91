"""The floor: aiokafka alone. Every record is parsed and counted for its member; nothing is written anywhere."""

from __future__ import annotations

import asyncio

import orjson
from aiokafka import AIOKafkaConsumer

from tests.bench.streams.course import Course, Finish, Stopwatch, given, tell


async def drain(course: Course) -> Finish:
    watch, times, total = Stopwatch(course.records), dict[str, int](), 0
    consumer = AIOKafkaConsumer(
        course.topic,
        bootstrap_servers=course.bootstrap,
        group_id=course.group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    async with consumer:
        while True:
            found = await consumer.getmany(timeout_ms=1000)
            if not found:
                continue
            watch.begin()
            for records in found.values():
                for record in records:
                    event = orjson.loads(record.value)["event"]
                    times[event["key"]] = times.get(event["key"], 0) + 1
                    total += event["amount"]
            if finish := watch.count(sum(map(len, found.values()))):
                return Finish(sum(times.values()), finish.wall, finish.cpu, total)


if __name__ == "__main__":
    tell(asyncio.run(drain(given())))
