"""A rebuild where workers keep the read models up: they fold both versions from where each partition stands."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
from faust.types import TP

from aggregates.member import EraseMember
from infra.errors import VersionsChanged
from infra.event_log.types import RelayCheckpoint
from infra.kafka.settings import KafkaSettings
from infra.redis.generations import Generations
from streams.commands.request import Request
from streams.kafka.dead_letters.dead_letter_writer import DeadLetterWriter
from streams.kafka.worker.partition import OffsetGap, Partition
from streams.kafka.worker.telemetry import WorkerTelemetry
from streams.kafka.worker.wiring import AppPartitions, complete_seen_erasures
from streams.registry import carried, folds
from streams.replay.rebuild.old_versions import drop, droppable, roll_back
from streams.replay.rebuild.version import VersionRebuild
from streams.running.app import App
from tests.redis_content import digests_of
from tests.shop import START, TERMS, requests
from tests.streams.kafka.topic_records import records

FOLDS = folds(TERMS)
TOPICS = list(carried(TERMS))
OWNER = "relay"


class Workers:
    """Takes the topics of a log, each of one partition, as a worker does; without a broker between."""

    def __init__(self, app: App, size: int = 7) -> None:
        self.app = app
        self.size = size
        self.made: dict[str, Partition] = {}
        self.offsets = dict.fromkeys(TOPICS, 0)
        self.again = 0
        self._partitions = AppPartitions(
            app, cast(KafkaSettings, None), dict.fromkeys(TOPICS, 1), cast(DeadLetterWriter, None), cast(WorkerTelemetry, None)
        )
        self._partitions._ids = dict.fromkeys(TOPICS, "AAAA")
        self.relay()

    def relay(self) -> None:
        """Have the log say that all of it is in the topics."""
        log = self.app.log
        log.take_lease(OWNER, 60)
        rows = log.since(0, 10**6)
        self.stored = {topic: records(rows, topic) for topic in TOPICS}
        before = log.relayed()
        for topic, stored in self.stored.items():
            assert log.advance(OWNER, topic, before.get(topic), RelayCheckpoint("AAAA", log.head(), (len(stored),)))

    def restart(self) -> None:
        """Forget everything, and read on from where Redis says."""
        self._partitions.renew()
        self.made.clear()
        self.offsets = {topic: self.partition(topic).resume() for topic in TOPICS}

    def partition(self, topic: str) -> Partition:
        if topic not in self.made:
            self.made[topic] = self._partitions.make(TP(topic, 0))
        return self.made[topic]

    def step(self) -> bool:
        """Take a chunk of each topic, and return whether there was any."""
        moved = False
        for topic in TOPICS:
            first = self.offsets[topic]
            if not (chunk := self.stored[topic][first : first + self.size]):
                continue
            moved = True
            try:
                self.partition(topic).take(chunk)
                self.offsets[topic] += len(chunk)
            except VersionsChanged:
                self._partitions.renew()
                self.made.pop(topic)
                self.again += 1
            except OffsetGap as gap:
                self.offsets[topic] = gap.offset
        return moved

    def finish(self) -> None:
        self.relay()
        while self.step():
            pass


@pytest.fixture
def shop(app: App) -> App:
    app.handler.handle_all(list(requests(shoppings=40)))
    return app


@pytest.fixture
def workers(shop: App) -> Workers:
    return Workers(shop)


def quiet(app: App) -> dict[str, Any]:
    """Return what a quiet fold of the log holds; Redis is empty before it."""
    app.views.client.flushdb()
    app.announce()
    app.follower().catch_up()
    return digests_of(app)


@pytest.fixture
def working(workers: Workers) -> Iterator[SimpleNamespace]:
    """Workers that go on beside the test, while more happens in the shop."""
    stopped, faults = threading.Event(), list[BaseException]()
    more = iter(list(requests(shoppings=300, seed=9))[14:])

    def work() -> None:
        try:
            while not stopped.is_set():
                for _ in range(3):
                    workers.app.handler.handle(next(more))
                workers.relay()
                workers.step()
        except BaseException as fault:
            faults.append(fault)
            raise

    for _ in range(20):
        workers.step()
    beside = threading.Thread(target=work)
    beside.start()

    def stop() -> None:
        stopped.set()
        beside.join()
        assert faults == []

    yield SimpleNamespace(stop=stop)
    stopped.set()
    beside.join()


def test_workers_keep_up_both_versions_from_where_they_stand(shop: App, workers: Workers, working: SimpleNamespace) -> None:
    done = VersionRebuild(shop, FOLDS).run()
    assert (done.version, len(done.compared)) == ("v2", len(FOLDS))
    assert shop.refreshed().views.versions.all == ["v2"]
    working.stop()
    workers.finish()
    assert workers.again, "they were told that another version is kept up"
    new, old = digests_of(shop.refreshed()), digests_of(shop.under("v1"))
    assert new == old == quiet(shop)


def test_one_fold_is_rebuilt_rolled_back_and_dropped_beside_workers(
    shop: App, workers: Workers, working: SimpleNamespace
) -> None:
    some = [fold for fold in FOLDS if fold.name in ("product", "card")]  # product is fed by two topics
    VersionRebuild(shop, some).run()
    assert {one.version for one in roll_back(shop, some)} == {"v1"}
    records = droppable(shop, some, unfinished=False)
    assert {one.field for one in records} == {"v2:product", "v2:card"}
    drop(shop, records)
    working.stop()
    workers.finish()
    assert all(b":checkpoint:" in key for key in shop.views.client.scan_iter(match="v2:*"))
    found = digests_of(shop.refreshed())
    assert found == quiet(shop)


def test_a_worker_that_was_killed_between_two_versions_reads_again(shop: App, workers: Workers) -> None:
    while workers.step():
        pass
    VersionRebuild(shop, FOLDS).run()
    shop.handler.handle_all(list(requests(shoppings=60))[-40:])
    workers.relay()
    workers.restart()
    beside = {topic: workers.partition(topic).beside for topic in TOPICS}
    assert all(beside.values())
    for topic in TOPICS:
        workers.partition(topic).beside = ()  # it is killed after the served version, before the other
    workers.step()
    workers.restart()
    workers.finish()
    assert digests_of(shop.under("v1")) == digests_of(shop.refreshed()) == quiet(shop)


def test_a_rebuild_killed_after_the_workers_took_over_only_switches(shop: App, workers: Workers) -> None:
    while workers.step():
        pass
    rebuild = VersionRebuild(shop, FOLDS)
    with rebuild.leased():
        made, _ = rebuild.reserve()
        rebuild.fill(made)
        made = [one for one in Generations(shop.views.client).all() if one.version == "v2"]
        assert {(one.state, one.compared) for one in made} == {("tailing", True)}
        rebuild.hand_over(made)
    assert {one.state for one in Generations(shop.views.client).all()} == {"following"}
    done = VersionRebuild(shop, FOLDS).run()
    assert (done.resumed, done.version, done.compared) == (True, "v2", [])
    assert shop.refreshed().views.versions.all == ["v2"]


def test_a_rollback_needs_no_further_event(shop: App, workers: Workers) -> None:
    while workers.step():
        pass
    VersionRebuild(shop, FOLDS).run()
    roll_back(shop, FOLDS)
    assert shop.refreshed().views.versions.all == ["v1"]
    assert digests_of(shop.refreshed()) == quiet(shop)


def test_an_erasure_waits_for_every_kept_version(shop: App, workers: Workers) -> None:
    while workers.step():
        pass
    VersionRebuild(shop, FOLDS).run()
    workers.finish()
    shop.handler.handle(Request("erase", (EraseMember("m-3", START + 10**12),)))
    workers.relay()
    complete_seen_erasures(shop)
    assert shop.log.incomplete_erasures()
    workers.restart()
    workers.finish()
    complete_seen_erasures(shop)
    assert shop.log.incomplete_erasures() == {}
