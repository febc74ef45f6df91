"""The least that a way from an append into Redis takes: one record by one, through the broker, into a key. No log, no fold."""

from __future__ import annotations

import asyncio
import time

import redis.asyncio
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from infra.kafka.clients import admin_client
from infra.kafka.settings import KafkaSettings
from infra.kafka.topics import Topic, ensure_topics
from tests.bench.streams.latency import WARM, Latency

TOPIC = "bench.bare-way"
SETTLED = 1.0  # seconds until the consumer has its partition


async def bare_way(kafka: KafkaSettings, redis_url: str, appends: int, rate: int) -> Latency:
    """Milliseconds from handing a record to the producer to Redis's answer, at ``rate`` records a second."""
    with admin_client(kafka) as admin:
        ensure_topics(admin, [Topic(TOPIC, 1)])
    sent: list[float] = []
    seconds: list[float] = []
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, acks="all")
    consumer = AIOKafkaConsumer(TOPIC, bootstrap_servers=kafka.bootstrap, auto_offset_reset="latest")
    async with producer, consumer, redis.asyncio.Redis.from_url(redis_url) as client:
        await asyncio.sleep(SETTLED)
        reading = asyncio.create_task(read(consumer, client, WARM + appends, sent, seconds))
        begun = time.perf_counter()
        for number in range(WARM + appends):
            await asyncio.sleep(max(0.0, begun + number / rate - time.perf_counter()))
            sent.append(time.perf_counter())
            await producer.send(TOPIC, b"%d" % number)
        await reading
    return Latency.of(seconds, len(seconds) / (time.perf_counter() - begun))


async def read(
    consumer: AIOKafkaConsumer, client: redis.asyncio.Redis, records: int, sent: list[float], seconds: list[float]
) -> None:
    while len(seconds) < records:
        for found in (await consumer.getmany(timeout_ms=1000)).values():
            await client.set(TOPIC, found[-1].value)
            now = time.perf_counter()
            seconds += [now - sent[int(record.value)] for record in found]
