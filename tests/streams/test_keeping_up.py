"""An import's read models, kept up by one follower and then by processes beside it: nobody can tell from what is in Redis."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from multiprocessing import active_children
from pathlib import Path
from typing import Any

import pytest
import redis

from infra.faults import Misconfigured
from infra.packaged.valkey import EmbeddedRedis
from infra.places import LOG, checkpoint
from infra.settings import CHUNK, Settings
from models.learner import Learner
from projections.card import card
from streams import keeping_up
from streams.beside import PARTS
from streams.bootstrap import App, running
from streams.feeds import fold_name
from streams.follow import Workers
from streams.keeping_up import Followers
from tests.journey.kills import sigkill
from tests.redis_content import content
from tests.shop import requests

ROOT = Path(__file__).parents[2]
SHOPPINGS = 480  # some chunks of events
TOGETHER = 64  # requests

IMPORTING = """
import sys, time
from streams.bootstrap import running
from streams.keeping_up import Followers
from tests.streams.test_keeping_up import *

if __name__ == "__main__":
    with running(Settings(Path(sys.argv[1]), redis_url=sys.argv[2])) as app:
        followers = Followers(app, many=1)
        for _ in fed(app, followers):
            pass
        print(*(child.pid for child in active_children()), flush=True)
        time.sleep(600)
"""


def fed(app: App, followers: Followers) -> Iterator[int]:
    """A shop's history, as an import feeds it; a stop after each append."""
    every = list(requests(SHOPPINGS))
    for at in range(0, len(every), TOGETHER):
        app.handler.handle_all(every[at : at + TOGETHER])
        yield followers.keep_up()


def as_one_follower_makes_it(app: App) -> dict[str, Any]:
    app.views.client.flushall()
    app.views.announce(app.log.identity())
    app.follower().catch_up()
    return content(app.views.client)


@contextmanager
def dividing(app: App, models: bool = True) -> Iterator[Followers]:
    """Followers that are processes after the first chunk."""
    with closing(Followers(app, models, many=1)) as followers:
        yield followers
    assert not active_children()


def test_processes_bring_about_what_one_follower_would(app: App) -> None:
    with dividing(app) as followers:
        reached = list(fed(app, followers))
        assert {child.name for child in active_children()} == set(PARTS)
        told: list[int] = []
        assert followers.catch_up(told.append) == app.log.head() > 2 * CHUNK
    assert reached == sorted(reached)
    assert told == sorted(told)
    assert content(app.views.client) == as_one_follower_makes_it(app)
    assert not app.log.incomplete_erasures()


def test_without_models_the_learner_waits_where_it_is(app: App) -> None:
    seen = set[str]()
    app.handler.handle_all(list(requests(SHOPPINGS)))
    with dividing(app, models=False) as followers:
        followers.catch_up(lambda _: seen.update(child.name for child in active_children()))
    assert seen == {"read models"}
    assert set(app.views.positions([fold_name(Learner)]).values()) == {0}
    assert app.log.incomplete_erasures()
    assert app.follower().catch_up() == app.log.head()
    assert content(app.views.client) == as_one_follower_makes_it(app)


def test_few_events_are_followed_without_other_processes(app: App) -> None:
    with keeping_up.keeping_up(app) as followers:
        app.handler.handle_all(list(requests(SHOPPINGS)))
        assert followers.keep_up() == app.log.head() // CHUNK * CHUNK
        assert not active_children()
        assert followers.catch_up() == app.log.head()


def test_a_process_that_dies_is_stood_in_for(app: App) -> None:
    with dividing(app) as followers:
        for n, _ in enumerate(fed(app, followers)):
            if (n == 8) and (children := active_children()):
                sigkill(children[0].pid or 0)
        assert not active_children(), "it is one follower again"
        assert followers.keep_up() == app.log.head() // CHUNK * CHUNK
        followers.catch_up()
    assert content(app.views.client) == as_one_follower_makes_it(app)


def test_what_befell_the_processes_is_said_where_the_import_is(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    server = EmbeddedRedis(tmp_path / "home" / "valkey")
    try:
        with running(Settings(tmp_path / "home")) as app, dividing(app) as followers:
            feeding = fed(app, followers)
            while not active_children():
                next(feeding)
            server.stop()
            with pytest.raises(redis.ConnectionError):
                list(feeding)
    finally:
        server.stop()
    assert capfd.readouterr().err == ""


def test_processes_end_with_an_import_that_is_killed(app: App, valkey_url: str) -> None:
    command = [sys.executable, "-c", IMPORTING, str(app.settings.home), valkey_url]
    importing = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert importing.stdout
    children = [int(pid) for pid in importing.stdout.readline().split()]
    assert len(children) == len(PARTS)
    importing.send_signal(signal.SIGKILL)
    importing.communicate()
    deadline = time.monotonic() + 20
    while any(Path(f"/proc/{pid}").exists() for pid in children) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not any(Path(f"/proc/{pid}").exists() for pid in children)
    assert app.follower().catch_up() == app.log.head()
    assert content(app.views.client) == as_one_follower_makes_it(app)


def test_a_log_older_than_its_read_models_is_not_divided(app: App) -> None:
    app.handler.handle_all(list(requests(10)))
    app.follower().catch_up()
    app.views.client.set(app.views.key(checkpoint(fold_name(card), LOG)), str(app.log.head() + 9))
    with dividing(app) as followers, pytest.raises(Misconfigured, match="an older log was restored"):
        followers.catch_up()


def test_one_core_is_left_to_one_follower(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping_up, "MANY", 1)
    monkeypatch.setattr(keeping_up, "cores", lambda: 1)
    with closing(Followers(app)) as followers:
        for _ in fed(app, followers):
            assert not active_children()


def test_read_models_of_topics_are_left_to_workers(app: App) -> None:
    app.views.fed_by("topics")
    with keeping_up.keeping_up(app) as kept:
        assert isinstance(kept, Workers)
