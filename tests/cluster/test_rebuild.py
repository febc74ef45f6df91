"""A rebuild beside real workers and 200 events a second, killed twice, ends as if it had been quiet."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from infra.redis.generations import UNFINISHED, Generations
from streams.imports.complete_journey import SHOP, CompleteJourney
from streams.running.app import App
from tests.cluster.conftest import Expected
from tests.cluster.harness import Cluster
from tests.journey.regulars import sigkill
from tests.streams.replay.rebuild.test_killed import Reader, end_leases

pytestmark = pytest.mark.slow  # minutes: a cluster, and three rebuilds beside it

RATE = 200  # events a second
TWO = ("--processes", "2")
MEMBERS = 30  # whose cards are read all the time


@contextmanager
def live(app: App, weeks: int) -> Iterator[None]:
    """What happens in the shop up to so many weeks, as much of it as there is time for."""
    stopped, faults = threading.Event(), list[BaseException]()
    known = app.log.head()

    def load() -> None:
        begun = time.monotonic()
        try:
            for request in CompleteJourney(weeks).requests():
                app.handler.handle(request)
                ahead = (app.log.head() - known) / RATE - (time.monotonic() - begun)
                if stopped.wait(max(0.0, ahead)):
                    return
        except BaseException as fault:
            faults.append(fault)
            raise

    beside = threading.Thread(target=load)
    beside.start()
    try:
        yield
    finally:
        stopped.set()
        beside.join()
    assert faults == []
    assert app.log.head() > known + RATE, "there was traffic"


def replay(cluster: Cluster, *words: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", "from streams.cli.main import main; main()", "replay", "--all", "--json", *words]
    environment = {**os.environ, **cluster.environment, "REGULARS_ZONE": SHOP.zone, "REGULARS_CURRENCY": SHOP.currency}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def killed_once(cluster: Cluster, reached: Callable[[str, dict[str, str]], object], *words: str) -> None:
    """Begin a rebuild, or go on with it, and kill it once its version and the states of its folds are as they must be."""
    process = replay(cluster, *words)
    generations = Generations(cluster.app.views.client)

    def there() -> bool:
        if process.poll() is not None:
            pytest.fail(f"the rebuild ended: {process.communicate()}")
        records = [one for one in generations.all() if one.state in UNFINISHED]
        states = {one.name: "filled" if one.compared else one.state for one in records}
        return bool(records and reached(records[0].version, states))

    cluster.until(there, "the rebuild does not get there")
    sigkill(process.pid)
    process.communicate()
    end_leases(cluster.app.views.client)


def finished(cluster: Cluster, *words: str) -> Any:
    done = replay(cluster, *words)
    out, err = done.communicate(timeout=600)
    assert done.returncode == 0, err.decode()
    return json.loads(out)


def fed_by_workers(cluster: Cluster) -> None:
    cluster.empty()
    cluster.app.announce()
    cluster.start_workers(2)
    cluster.until_done()


def ends_as_a_quiet_one(cluster: Cluster, expected: Expected, weeks: int) -> bool:
    cluster.feed(weeks)
    cluster.until(cluster.relayed, "the relay does not reach the head of the log")
    cluster.until_done()
    return bool(cluster.digest() == expected(weeks))


def test_a_rebuild_beside_workers_and_traffic_killed_twice_ends_as_a_quiet_one(cluster: Cluster, expected: Expected) -> None:
    weeks = cluster.weeks + 1
    fed_by_workers(cluster)
    keys = cluster.app.views.client.scan_iter(match="v1:card:*", count=1000)
    members = [key.decode().removeprefix("v1:card:") for key, _ in zip(keys, range(MEMBERS), strict=False)]
    reader = Reader(cluster.redis.url, members)
    reader.start()
    with live(cluster.app, weeks):
        killed_once(cluster, lambda _, states: states.get("learner") == "filling", *TWO)
        killed_once(cluster, lambda _, states: states["card"] == "filled" and states["learner"] != "filled", *TWO)
        told = finished(cluster, *TWO)
        assert told["resumed"]
        assert {one["fold"].partition(".")[0] for one in told["folds"]} == {"learner"}, "what was filled stayed"
        time.sleep(2)
    reader.ended.set()
    reader.join()
    assert (reader.faults, reader.versions) == ([], {"v1", told["version"]})
    assert reader.pages > 100
    assert ends_as_a_quiet_one(cluster, expected, weeks)


def test_a_rebuild_from_the_topics_beside_workers_and_traffic_killed_once_ends_as_a_quiet_one(
    cluster: Cluster, expected: Expected
) -> None:
    weeks = cluster.weeks + 1
    fed_by_workers(cluster)
    client = cluster.app.views.client
    with live(cluster.app, weeks):
        killed_once(cluster, lambda version, _: any(client.scan_iter(match=f"{version}:card:*", count=1000)), "--from-topics")
        assert finished(cluster, "--from-topics")["resumed"]
        time.sleep(2)
    assert cluster.app.refreshed().views.versions.all == ["v2"]
    assert ends_as_a_quiet_one(cluster, expected, weeks)
