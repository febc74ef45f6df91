"""A rebuild that is killed at any step, beside live traffic or alone, ends as a quiet one does once it is run again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import redis

from infra.redis.generations import LEASE_MS, Generations
from infra.redis.versions import read_served
from infra.redis.views import Keys, Views
from infra.settings import Settings
from streams.registry import folds
from streams.replay.rebuild.old_versions import drop, droppable
from streams.running.app import App, running
from tests.redis_content import digests_of
from tests.shop import TERMS, requests

pytestmark = pytest.mark.servers  # processes that are killed: minutes

FOLDS = folds(TERMS)

RUN = "from streams.cli.main import main; main()"

KILLED = """
import os, signal, sys
from infra.redis import loading
from infra.redis.generations import Generations
from streams.replay.rebuild.filling import Fill
from streams.replay.rebuild.part import RebuiltPart
from streams.replay.rebuild.version import VersionRebuild

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

def half(prefix, entries, calls=loading.calls):
    for number, call in enumerate(calls(prefix, entries)):
        if number == 1:
            die()
        yield call

def part(self, position, progress=None, fold_to=Fill.fold_to):
    fold_to(self, position // 2)
    die()

def after(name):
    of = RebuiltPart if hasattr(RebuiltPart, name) else VersionRebuild
    step = getattr(of, name)
    def stepped(*given):
        step(*given)
        die()
    setattr(of, name, stepped)

match sys.argv.pop(1):
    case "in the fold":
        Fill.fold_to = part
    case "in the load":
        loading.CALL_BYTES = 20_000
        loading.calls = half
    case "before the places":
        Generations.set_places = die
    case step:
        after(step)
from streams.cli.main import main
main()
"""

STEPS = ("reserve", "in the fold", "in the load", "before the places", "load", "follow", "verify", "switch")


def regulars(settings: Settings, *words: str, code: str = RUN) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "REGULARS_HOME": str(settings.home), "REDIS_URL": str(settings.redis_url)}
    return subprocess.Popen(
        [sys.executable, "-c", code, *words], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def end_leases(client: redis.Redis) -> None:
    """Let the leases of a killed rebuild end, as half a minute would."""
    for lease in client.scan_iter(match="regulars:replay:*"):
        assert 0 < client.pttl(lease) <= LEASE_MS
        client.delete(lease)


@pytest.fixture
def shop(app: App) -> App:
    every = list(requests(shoppings=60))
    app.handler.handle_all(every[:-40])
    app.follower().catch_up()
    return app


@pytest.mark.parametrize("step", STEPS)
def test_a_rebuild_killed_at_any_step_goes_on_and_ends_as_a_quiet_one(step: str, shop: App, settings: Settings) -> None:
    before = read_served(shop.views.client)
    killed = regulars(settings, step, "replay", "--all", code=KILLED)
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    assert (read_served(shop.views.client).of == before.of) == (step != "switch"), "nothing is switched before the switch"
    shop.handler.handle_all(list(requests(shoppings=60))[-40:])
    shop.follower().catch_up()
    expected = digests_of(shop.refreshed())
    end_leases(shop.views.client)
    again = regulars(settings, "replay", "--all", "--json")
    out, err = again.communicate()
    assert again.returncode == 0, err.decode()
    done = json.loads(out)
    assert (done["resumed"], done["version"]) == ((True, "v2") if step != "switch" else (False, "v3"))
    assert digests_of(shop.refreshed()) == expected
    drop(shop, droppable(shop, FOLDS, unfinished=True))
    stray = {raw.decode().partition(":")[0] for raw in shop.views.client.scan_iter(match="v*:*")}
    left = {raw.decode() for raw in shop.views.client.scan_iter(match="v*:*") if not raw.startswith(done["version"].encode())}
    assert done["version"] in stray
    assert all(":checkpoint:" in key for key in left), "no key of another version is left"


@contextmanager
def followed(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    """A follower in a process of its own."""
    process = regulars(settings, "follow")
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=30)


class Reader(threading.Thread):
    """Reads cards again and again, as a storefront does: the versions first, then a page under these."""

    def __init__(self, url: str, members: list[str]) -> None:
        super().__init__(daemon=True)
        self._client = redis.Redis.from_url(url)
        self._keys = [f"card:{member}" for member in members]
        self.ended = threading.Event()
        self.pages = 0
        self.versions: set[str] = set()
        self.faults: list[str] = []

    def run(self) -> None:
        highest = dict.fromkeys(self._keys, 0)
        while not self.ended.is_set():
            views = Views.served(self._client)
            self.versions.add(views.versions.version_of("card:"))
            for key, raw in views.read(Keys(documents=tuple(self._keys))).documents.items():
                position = json.loads(raw)["position"] if raw else 0
                if position < highest[key]:
                    self.faults.append(f"{key} went back from {highest[key]} to {position}")
                highest[key] = position
            self.pages += 1


def test_a_rebuild_under_live_traffic_killed_twice_loses_and_doubles_nothing(shop: App, settings: Settings) -> None:
    more = list(requests(shoppings=400, seed=9))[14:]
    reader = Reader(str(settings.redis_url), [f"m-{n}" for n in range(2, 8)])
    stopped = threading.Event()

    def live() -> None:
        for one in more:
            if stopped.wait(0.01):
                return
            shop.handler.handle(one)

    traffic = threading.Thread(target=live)
    with followed(settings):
        reader.start()
        traffic.start()
        for step in ("in the load", "load"):
            regulars(settings, step, "replay", "--all", code=KILLED).communicate()
            end_leases(shop.views.client)
        done = regulars(settings, "replay", "--all", "--json")
        _, err = done.communicate()
        assert done.returncode == 0, err.decode()
        time.sleep(0.5)
        back = regulars(settings, "replay", "--rollback", "--json")
        assert back.communicate()[0]
        time.sleep(0.5)
        stopped.set()
        traffic.join()
        until = time.monotonic() + 20
        while shop.refreshed().views.positions(["card.1"])["card.1"] < shop.log.head() and time.monotonic() < until:
            time.sleep(0.05)
        reader.ended.set()
        reader.join()
    assert reader.faults == []
    assert reader.versions == {"v1", "v2"}
    found = digests_of(shop.refreshed())
    kept = shop.under("v2")
    shop.follower().catch_up()
    assert digests_of(kept) == found, "both versions were kept up"
    assert [one.state for one in Generations(shop.views.client).all() if one.name == "card"] == ["serving", "old"]
    shop.views.client.flushdb()
    with running(settings) as quiet:
        quiet.follower().catch_up()
        assert digests_of(quiet) == found
