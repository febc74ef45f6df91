"""Putting a worker together: the topics that feed folds, each partition's folding, and where dead letters go."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping
from concurrent.futures import Future

import redis
from faust.types import TP

from infra.errors import Fault, Misconfigured, Unreadable
from infra.kafka.clients import administering
from infra.kafka.envelope import unwrap
from infra.kafka.settings import KafkaSettings
from infra.kafka.topics import partition_counts, topic_ids
from models.learner import Learner
from streams.kafka.dead_letters.dead_letter_writer import DeadLetterWriter
from streams.kafka.dead_letters.letters import MOST_KEY, MOST_REASON, DeadLetter
from streams.kafka.topics import DEAD_LETTERS
from streams.kafka.worker.agents import Agents
from streams.kafka.worker.batching import Batcher
from streams.kafka.worker.consumer import WorkerConsumer
from streams.kafka.worker.partition import Partition, Record
from streams.projecting.erasure import complete_erasures
from streams.projecting.loaders import Loader, loader_of
from streams.projecting.projector import Projector
from streams.registry import carried, folds, sources
from streams.running.app import App
from streams.running.positions import standings

ERASURES = 5.0  # seconds between looks at whether one can be completed


def agents(app: App, kafka: KafkaSettings) -> Agents:
    """The worker of a running system, ready to be run by Faust.

    Raises :class:`Misconfigured` if the topics are not there, or if these read models are kept up from the log itself.
    """
    app.views.fed_by("topics")
    Learner(app.terms.zone)  # loads its libraries, which takes seconds: later, a rebalance would have to wait for them
    found = fed_topics(app, kafka)
    ids: dict[str, str] = {}

    def identify() -> Mapping[str, str]:
        with administering(kafka) as admin:
            ids.update(topic_ids(admin, found))
        return dict(ids)

    def send(key: bytes, value: bytes) -> Future[object]:
        sent = made.app.producer.send_and_wait(DEAD_LETTERS, key, value, None, None, None)
        return asyncio.run_coroutine_threadsafe(sent, loop())

    burying = DeadLetterWriter(send)

    def dead_letter(place: TP, record: Record, fold: str, reason: str) -> None:
        letter = letter_of(place, record, fold, reason)
        burying.dead_letter(letter)
        made.feeding.observed.dead_lettered(letter, name_in(letter))

    def partition(place: TP) -> Partition:
        folding = Projector(app.views, feeds_of(app, place.topic), f"{place.topic}:{place.partition}")
        return Partition(folding, app.views, app.log.codec, ids[place.topic], lambda *told: dead_letter(place, *told))

    def loop() -> asyncio.AbstractEventLoop:
        running: asyncio.AbstractEventLoop = made.app.loop
        return running

    async def finish_erasures() -> None:
        await asyncio.to_thread(finish, app)

    made = Agents(
        kafka, found, WorkerConsumer(partition, Batcher(app.views.exchange), identify), str(app.settings.home / "faust")
    )
    made.app.timer(ERASURES)(finish_erasures)
    return made


def finish(app: App) -> None:
    """Complete erasures that every fold has seen, whoever folds; what a server has against it now, it may not have later."""
    with contextlib.suppress(Fault, redis.RedisError):
        if app.log.incomplete_erasures():
            complete_erasures(app.log, app.views, min(standing.position for standing in standings(app)))


def fed_topics(app: App, kafka: KafkaSettings) -> dict[str, int]:
    """The topics that folds read, with their partitions."""
    with administering(kafka) as admin:
        wanted = [*carried(app.terms), DEAD_LETTERS]
        found = partition_counts(admin, wanted)
    if missing := set(wanted) - set(found):
        raise Misconfigured(f"Kafka at {kafka.bootstrap} has no topic {', '.join(sorted(missing))}: run `regulars topics`.")
    return {name: found[name] for name in carried(app.terms)}


def feeds_of(app: App, topic: str) -> list[Loader]:
    return [
        loader_of(fold, app.terms.zone, app.views, events)
        for fold in folds(app.terms)
        if (events := sources(fold).get(topic)) is not None
    ]


def name_in(letter: DeadLetter) -> str | None:
    """The stored name of the event in a letter, None if it is none."""
    with contextlib.suppress(Unreadable):
        return unwrap(letter.value).name
    return None


def letter_of(place: TP, record: Record, fold: str, reason: str) -> DeadLetter:
    value, position = record.value or b"", None
    with contextlib.suppress(Unreadable):
        position = unwrap(value).position
    key = record.key.decode(errors="replace")[:MOST_KEY] if record.key else None
    now = round(time.time() * 1000)
    return DeadLetter(fold, place.topic, place.partition, record.offset, position, key, reason[:MOST_REASON], now, value)
