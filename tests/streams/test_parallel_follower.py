"""An import's read models, kept up by one follower and then by processes beside it: nobody can tell from what is in Redis."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis

from infra.embedded.valkey import EmbeddedRedis
from infra.errors import Misconfigured
from infra.redis.checkpoints import LOG, checkpoint_key
from infra.settings import CHUNK, Settings
from models.learner import Learner
from projections.card import card
from streams.projecting.follower import ExternalWorkers
from streams.projecting.loaders import fold_name
from streams.running import parallel_follower
from streams.running.app import App, running
from streams.running.parallel_follower import PARTS, FollowerPool, ParallelFollower
from streams.running.processes import ManagedProcess
from tests.journey.regulars import sigkill
from tests.redis_content import content
from tests.shop import requests

ROOT = Path(__file__).parents[2]
SHOPPINGS = 240  # some chunks of events
MANY = 480  # so many that processes are killed before they have read them
TOGETHER = 64  # requests

IMPORTING = """
import signal, sys, time
from tests.streams.test_parallel_follower import *

def tell(_):
    if pids := [process.pid for process in processes(follower)]:
        print(*pids, flush=True)

signal.signal(signal.SIGINT, signal.default_int_handler)  # where tests run in the background, Ctrl-C is ignored
with running(Settings(Path(sys.argv[1]), redis_url=sys.argv[2])) as app, dividing(app) as follower:
    if sys.argv[3] == "finishing":
        app.handler.handle_all(list(requests(MANY)))
        follower.catch_up(tell)
    else:
        for position in fed(app, follower, MANY):
            tell(position)
    time.sleep(600)
"""


def fed(app: App, follower: ParallelFollower, shoppings: int = SHOPPINGS) -> Iterator[int]:
    """A shop's history, as an import feeds it; a stop after each append."""
    every = list(requests(shoppings))
    for at in range(0, len(every), TOGETHER):
        app.handler.handle_all(every[at : at + TOGETHER])
        yield follower.keep_up()


def processes(follower: ParallelFollower) -> list[ManagedProcess]:
    return follower.current.processes if isinstance(follower.current, FollowerPool) else []


def as_one_follower_makes_it(app: App) -> dict[str, Any]:
    app.views.client.flushall()
    app.announce()
    app.follower().catch_up()
    return content(app.views.client)


@contextmanager
def dividing(app: App, models: bool = True) -> Iterator[ParallelFollower]:
    """One that is several processes after the first chunk."""
    with closing(ParallelFollower(app, models, divide_at=1)) as follower:
        yield follower
    assert all(process.status is not None for process in processes(follower))


def test_processes_bring_about_what_one_follower_would(app: App) -> None:
    with dividing(app) as follower:
        reached = list(fed(app, follower))
        assert len(processes(follower)) == 2
        told: list[int] = []
        assert follower.catch_up(told.append) == told[-1] == app.log.head() > 2 * CHUNK
    assert reached == sorted(reached)
    assert told == sorted(told)
    assert content(app.views.client) == as_one_follower_makes_it(app)
    assert not app.log.incomplete_erasures()


def test_without_models_the_learner_waits_where_it_is(app: App) -> None:
    seen = set[int]()
    app.handler.handle_all(list(requests(SHOPPINGS)))
    with dividing(app, models=False) as follower:
        follower.catch_up(lambda _: seen.add(len(processes(follower))))
    assert 1 in seen
    assert max(seen) == 1, "it caught up by a process, and there was none for the learner"
    assert set(app.views.positions([fold_name(Learner)]).values()) == {0}
    assert app.log.incomplete_erasures()
    assert app.follower().catch_up() == app.log.head()
    assert content(app.views.client) == as_one_follower_makes_it(app)


def test_few_events_are_followed_without_other_processes(app: App) -> None:
    with closing(ParallelFollower(app)) as follower:
        app.handler.handle_all(list(requests(SHOPPINGS)))
        assert follower.keep_up() == app.log.head() // CHUNK * CHUNK
        assert not processes(follower)
        assert follower.catch_up() == app.log.head()


def test_a_process_that_dies_is_stood_in_for(app: App) -> None:
    with dividing(app) as follower:
        for n, _ in enumerate(fed(app, follower)):
            if n == 8:
                sigkill(processes(follower)[0].pid)
        assert not processes(follower), "it is one follower again"
        assert follower.keep_up() == app.log.head() // CHUNK * CHUNK
        follower.catch_up()
    assert content(app.views.client) == as_one_follower_makes_it(app)


def test_a_process_that_cannot_be_started_is_not_needed(app: App) -> None:
    with dividing(app) as follower:
        (app.settings.home / "logs").write_bytes(b"no folder")
        list(fed(app, follower))
        assert not processes(follower)
        follower.catch_up()
    assert content(app.views.client) == as_one_follower_makes_it(app)


def test_what_befell_the_processes_is_met_where_the_import_is_and_told_in_a_file(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    server = EmbeddedRedis(tmp_path / "home" / "valkey")
    try:
        with running(Settings(tmp_path / "home")) as app, dividing(app) as follower:
            app.handler.handle_all(list(requests(SHOPPINGS)))
            assert follower.keep_up() < app.log.head(), "something is left for the processes"
            assert len(processes(follower)) == len(PARTS)
            app.views.client.config_set("maxmemory", "1mb")  # it is full: nothing can be written
            with pytest.raises(redis.RedisError):
                follower.catch_up()
    finally:
        server.stop()
    assert capfd.readouterr().err == ""
    assert "OutOfMemoryError" in "".join((tmp_path / "home" / "logs" / f"{part}.log").read_text() for part in PARTS)


@pytest.mark.servers
@pytest.mark.parametrize(
    ("how", "when"), [(signal.SIGKILL, "importing"), (signal.SIGKILL, "finishing"), (signal.SIGINT, "finishing")]
)
def test_processes_end_at_once_with_who_started_them(how: signal.Signals, when: str, app: App, valkey_url: str) -> None:
    command = [sys.executable, "-c", IMPORTING, str(app.settings.home), valkey_url, when]
    importing = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert importing.stdout
    pids = [int(pid) for pid in importing.stdout.readline().split()]
    assert len(pids) == len(PARTS)
    importing.send_signal(how)
    importing.communicate()
    deadline = time.monotonic() + 20
    while any(alive(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not any(alive(pid) for pid in pids)
    assert app.views.positions([fold_name(Learner)])[fold_name(Learner)] < app.log.head(), "it has not come to the end first"
    assert app.follower().catch_up() == app.log.head()
    assert content(app.views.client) == as_one_follower_makes_it(app)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_log_older_than_its_read_models_is_not_divided(app: App) -> None:
    app.handler.handle_all(list(requests(10)))
    app.follower().catch_up()
    app.views.client.set(app.views.key(checkpoint_key(fold_name(card), LOG)), str(app.log.head() + 9))
    with dividing(app) as follower, pytest.raises(Misconfigured, match="an older log was restored"):
        follower.catch_up()


def test_one_core_is_left_to_one_follower(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel_follower, "DIVIDE_AT", 1)
    monkeypatch.setattr(parallel_follower, "cores", lambda: 1)
    with closing(ParallelFollower(app)) as follower:
        for _ in fed(app, follower):
            assert not processes(follower)


def test_read_models_of_topics_are_left_to_workers(app: App) -> None:
    app.views.fed_by("topics")
    with parallel_follower.open_follower(app) as kept:
        assert isinstance(kept, ExternalWorkers)
