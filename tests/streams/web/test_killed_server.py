"""A server that is killed under load loses nothing that it answered, and does nothing twice."""

from __future__ import annotations

import http.client
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest

from infra.embedded.kafka import free_ports
from infra.settings import Settings
from streams.running.app import open_log
from tests.journey.regulars import Regulars
from tests.streams.web.client import Client, Served

MEMBERS = 400


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[Served]:
    server = Served(tmp_path / "home", free_ports()[0])
    server.start()
    yield server
    server.stop()
    Regulars(server.home).run("stop")


def register(client: Client, number: int) -> bool:
    """Whether the registration of a member was answered, now or before."""
    try:
        answer = client.post("/v1/members", {"member": f"m-{number}"}, Idempotency_Key=f"register-{number}")
    except (OSError, http.client.HTTPException):
        return False
    assert answer.status == 201, answer.raw
    return True


def test_a_server_that_is_told_to_stop_answers_what_it_took(mortal: Served) -> None:
    stopped, answered = threading.Event(), list[int]()

    def ask(first: int) -> None:
        for number in range(first, MEMBERS * 10, 8):
            if stopped.is_set() or not register(mortal.client(), number):
                return
            answered.append(number)

    with ThreadPoolExecutor(8) as crowd:
        for first in range(8):
            crowd.submit(ask, first)
        time.sleep(1)
        assert mortal.stop(signal.SIGTERM) == 0
        stopped.set()
    with open_log(Settings(home=mortal.home)) as (log, _):
        registered = [recorded.event.member for recorded in log.recorded(0, 10**6)]  # type: ignore[attr-defined]
    assert sorted(registered) == sorted(f"m-{number}" for number in answered)
    assert answered
    mortal.start()


@pytest.mark.parametrize("kills", [2, pytest.param(20, marks=pytest.mark.slow)])
def test_what_was_answered_is_in_the_log_once(mortal: Served, kills: int) -> None:
    chance = Random(kills)
    waiting, answered = set(range(MEMBERS * kills)), set[int]()
    for _ in range(kills):
        killer = threading.Timer(chance.uniform(0.05, 0.6), lambda: mortal.stop(signal.SIGKILL))
        killer.start()
        with ThreadPoolExecutor(8) as crowd:
            some = sorted(waiting)
            done = [
                number
                for number, heard in zip(some, crowd.map(lambda n: register(mortal.client(), n), some), strict=True)
                if heard
            ]
        killer.join()
        answered.update(done)
        waiting -= answered
        mortal.start()
        assert mortal.client().get("/v1/requests/register-0").status in (200, 404)
    assert all(register(mortal.client(), number) for number in range(MEMBERS * kills))
    mortal.stop()
    with open_log(Settings(home=mortal.home)) as (log, _):
        registered = [recorded.event.member for recorded in log.recorded(0, 10**6)]  # type: ignore[attr-defined]
    assert sorted(registered) == sorted(f"m-{number}" for number in range(MEMBERS * kills))
    mortal.start()
