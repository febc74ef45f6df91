"""Redis or PostgreSQL gone for a while: a clear answer meanwhile, and recovery without anybody's help."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from infra.api_keys import ApiKeys
from infra.embedded.kafka import free_ports
from infra.embedded.valkey import EmbeddedRedis
from infra.settings import Settings
from tests.journey.regulars import Regulars
from tests.postgres_proxy import Proxy
from tests.streams.web.client import Client, Served

SPELLS = [6, pytest.param(30, marks=pytest.mark.slow)]
"""Seconds for which it is gone."""


@contextmanager
def serving(server: Served) -> Iterator[Client]:
    server.start()
    try:
        yield server.client()
    finally:
        server.stop()
        Regulars(server.home).run("stop")


def recovered(shop: Client, path: str, seconds: float = 30) -> None:
    """Ask until it is answered well."""
    until = time.monotonic() + seconds
    while (answer := shop.get(path)).status != 200:
        assert time.monotonic() < until, answer.raw
        time.sleep(0.2)


@pytest.mark.servers
@pytest.mark.parametrize("seconds", SPELLS)
@pytest.mark.parametrize("killed", [False, True], ids=["frozen", "killed"])
def test_redis_that_is_gone_is_said_and_commands_go_on(tmp_path: Path, seconds: int, killed: bool) -> None:
    server = Served(tmp_path / "home", free_ports()[0])
    with serving(server) as shop:
        assert shop.post("/v1/members", {"member": "ada"}).status == 201
        recovered(shop, "/v1/members/ada/card?wait_for=1&wait_ms=10000")
        redis = EmbeddedRedis(Settings(server.home).valkey)
        pid = redis.server_pid()
        assert pid
        os.kill(pid, signal.SIGKILL if killed else signal.SIGSTOP)
        begun = time.monotonic()
        answer = shop.get("/v1/members/ada/card")
        assert (answer.status, answer.json["code"]) == (503, "not_available")
        assert int(answer.headers["retry-after"]) > 0
        while time.monotonic() - begun < seconds:
            assert shop.post("/v1/members", {"member": f"m-{time.monotonic_ns()}"}).status == 201
            time.sleep(0.5)
        if killed:
            redis.start()
        else:
            os.kill(pid, signal.SIGCONT)
        head = shop.post("/v1/members", {"member": "eve"}).json["position"]
        recovered(shop, f"/v1/members/eve/card?wait_for={head}&wait_ms=5000", seconds=60)


@pytest.mark.parametrize("seconds", SPELLS)
def test_postgresql_that_is_gone_is_said_and_nothing_happens_twice(tmp_path: Path, database: str, seconds: int) -> None:
    proxy = Proxy(database)
    server = Served(tmp_path / "home", free_ports()[0], {"DATABASE_URL": proxy.url})
    with closing(ApiKeys(tmp_path / "unused.db", database)) as keys:
        server.key = keys.create("shop", ["storefront", "back-office", "operator"], 0)[1]
    with closing(proxy), serving(server) as shop:
        assert shop.post("/v1/members", {"member": "ada"}).status == 201
        proxy.cut()
        begun = time.monotonic()
        answer = shop.post("/v1/members", {"member": "eve"}, Idempotency_Key="while-it-is-gone")
        assert answer.status == 503, answer.raw
        assert answer.json["code"] in ("not_available", "busy")
        while time.monotonic() - begun < seconds:
            assert shop.get("/health/live").status == 200
            time.sleep(0.5)
        proxy.open = True
        until = time.monotonic() + 60
        while (again := shop.post("/v1/members", {"member": "eve"}, Idempotency_Key="while-it-is-gone")).status == 503:
            assert time.monotonic() < until
        assert again.status == 201, again.raw
        events = shop.get("/v1/trace/eve").json["streams"]["member"]
        assert [one["event"] for one in events] == ["MemberRegistered"]
