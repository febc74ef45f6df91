"""Webhooks of a real server, killed again and again: nothing is lost, and each key's events come in order."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.embedded.kafka import free_ports
from tests.journey.regulars import Regulars
from tests.streams.web.client import Served
from tests.streams.webhooks.receiver import Receiver

PRODUCTS, PRICES = 5, 40


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Served]:
    made = Served(tmp_path / "home", free_ports()[0], {"REGULARS_WEBHOOKS_PRIVATE": "yes"})
    made.start()
    yield made
    made.stop()
    Regulars(made.home).run("stop")


def test_a_killed_server_tells_everything_and_in_order(server: Served, receiver: Receiver) -> None:
    shop = server.client()
    flaky = receiver.url.replace("/hooks", "/flaky")
    made = shop.post("/v1/webhooks", {"url": flaky, "kinds": ["ProductListed", "ProductRepriced"]})
    assert made.status == 201, made.raw
    assert made.json["secret"].startswith("whsec_")
    listed = [{"command": "ListProduct", "product": f"p-{n}", "name": "Tea", "price": 1} for n in range(PRODUCTS)]
    assert shop.post("/v1/requests", {"commands": listed}).status == 200
    for number in range(PRICES):
        commands = [{"command": "RepriceProduct", "product": f"p-{n}", "price": 2 + number} for n in range(PRODUCTS)]
        assert shop.post("/v1/requests", {"commands": commands}, Idempotency_Key=f"r-{number}").status == 200
        if number % 8 == 7:
            server.stop(signal.SIGKILL)
            server.start()
    receiver.wait_for(PRODUCTS * (PRICES + 1), seconds=90)
    for product in range(PRODUCTS):
        first_seen: dict[int, None] = {}
        for one in receiver.got():
            if f'"product":"p-{product}"' in one["body"]:
                first_seen.setdefault(int(one["headers"]["webhook-id"].rpartition("_")[2]))
        assert list(first_seen) == sorted(first_seen)
        assert len(first_seen) == PRICES + 1


def test_a_rebuild_sends_nothing_and_the_record_names_who_registered(server: Served, receiver: Receiver) -> None:
    shop, regulars = server.client(), Regulars(server.home)
    made = shop.post("/v1/webhooks", {"url": receiver.url, "kinds": ["MemberRegistered"]}).json
    assert shop.post(f"/v1/webhooks/{made['id']}/test", {}).json == {"taken": True, "answer": "status 200"}
    shop.post("/v1/members", {"member": "ada", "name": "Ada"})
    assert [one["headers"]["webhook-id"] for one in receiver.wait_for(2)][1:] == [f"{made['id']}_1"]
    until = time.monotonic() + 10
    while regulars.json("webhook", "list")[0]["told"] != 1:
        assert time.monotonic() < until
    server.stop()
    assert regulars.run("redis", "FLUSHALL")[0] == 0
    server.start()
    assert server.client().get("/v1/members/ada/card?wait_for=1&wait_ms=10000").status == 200
    time.sleep(1)
    assert len(receiver.got()) == 2
    assert server.client().post(f"/v1/webhooks/{made['id']}/replay", {"since": 0}).status == 200
    assert receiver.wait_for(2)[0]
    until = time.monotonic() + 10
    while len(receiver.got()) < 3:
        assert time.monotonic() < until
    rotated = server.client().post(f"/v1/webhooks/{made['id']}/rotate", {"keep": 60}).json
    assert rotated["secret"].startswith("whsec_")
    assert rotated["secret"] != made["secret"]
    assert regulars.json("webhook", "rotate", made["id"], "--keep", "1h")["secret"] != rotated["secret"]
    assert regulars.run("webhook", "rotate", made["id"], "--keep", "soon")[0] == 2
    acts = [(one["act"], one["actor"], one["outcome"]) for one in server.client().get("/v1/admin-acts").json["acts"]]
    assert ("webhook.add", "api:first", "done") in acts
    assert ("webhook.replay", "api:first", "done") in acts
    assert ("webhook.rotate", "api:first", "done") in acts
    assert [one["act"] for one in regulars.json("acts")] == [act for act, _, _ in acts]
    assert "secret" not in str(shop.get("/v1/webhooks").json)
