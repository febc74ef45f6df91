"""A member's list over HTTP: stored while it holds, scored anew afterwards or if it is asked for."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from infra.embedded.kafka import free_ports
from tests.journey.regulars import Regulars
from tests.streams.web.client import Client, Served

DAY = 86_400_000
BEGIN = 1_600_000_020_000
"""A whole minute, in 2020: the shop's clock is the log's latest instant."""

LIST = "/v1/members/ada/recommendations"


def buys(member: str, products: list[str], at: int) -> list[dict[str, object]]:
    order = f"{member}-{at}"
    lines = [{"product": one, "quantity": 1, "gross": 500, "total": 500, "paid": 500} for one in products]
    place = {"command": "PlaceOrder", "order": order, "member": member, "currency": "EUR", "lines": lines, "at": at}
    return [place, {"command": "PayOrder", "order": order, "at": at}]


def happens(shop: Client, commands: list[dict[str, object]]) -> None:
    """Send commands and wait until the lists have seen them."""
    done = shop.post("/v1/requests", {"commands": commands})
    assert done.status == 200, done.raw
    assert shop.wait(f"{LIST}?fresh=false", done.json["position"]).status in (200, 404)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    made = Served(tmp_path_factory.mktemp("lists") / "home", free_ports()[0])
    made.start()
    yield made
    made.stop()
    Regulars(made.home).run("stop")


@pytest.fixture(scope="module")
def shop(server: Served) -> Client:
    """A shop where Ada buys milk every week and cake once, and Eve buys beside her."""
    client = server.client()
    commands: list[dict[str, object]] = [{"command": "RegisterMember", "member": name, "at": BEGIN} for name in ("ada", "eve")]
    names = ("milk", "cake", "tea", "soap")
    commands += [{"command": "ListProduct", "product": name, "name": name, "price": 500, "at": BEGIN} for name in names]
    for week in range(5):
        commands += buys("ada", ["milk", "cake"] if week == 0 else ["milk"], BEGIN + 7 * week * DAY)
        commands += buys("eve", ["tea", "soap"], BEGIN + 7 * week * DAY + 60_000)
    happens(client, commands)
    return client


def products(listed: dict[str, Any]) -> list[str]:
    return [item["product"] for item in listed["items"]]


def test_a_list_that_holds_is_the_stored_one_unless_a_fresh_one_is_asked_for(shop: Client) -> None:
    stored, kept, fresh = (shop.get(LIST + query).json for query in ("", "?fresh=false", "?fresh=true"))
    assert stored == kept
    assert "scored_at" not in stored
    assert fresh["scored_at"] == fresh["for_time"] == BEGIN + 28 * DAY + 60_000 < fresh["until"]
    assert {item["reason"] for item in fresh["items"]} >= {"You buy this about every week", "You bought this before"}
    assert [item["score"] for item in fresh["items"]] != [item["score"] for item in stored["items"]]


def test_a_fresh_list_is_that_of_the_console_and_has_an_etag(shop: Client, server: Served) -> None:
    fresh = shop.get(f"{LIST}?fresh=true")
    told = Regulars(server.home).json("recommend", "ada")
    assert (told["items"], told["discover"]) == (fresh.json["items"], fresh.json["discover"])
    assert shop.get(f"{LIST}?fresh=true", If_None_Match=fresh.headers["etag"]).status == 304
    assert shop.get(f"{LIST}?fresh=soon").json["code"] == "query_invalid"
    assert shop.get("/v1/members/nobody/recommendations?fresh=true").status == 404


def test_a_fresh_list_leaves_out_at_once_what_is_retired_or_dismissed(shop: Client) -> None:
    assert {"soap", "cake"} <= set(products(shop.get(f"{LIST}?fresh=true").json))
    at = BEGIN + 29 * DAY
    happens(shop, [{"command": "RetireProduct", "product": "soap", "at": at}])
    happens(shop, [{"command": "Dismissed", "member": "ada", "product": "cake", "at": at}])
    assert set(products(shop.get(f"{LIST}?fresh=true").json)) == {"milk", "tea"}


def test_a_list_that_no_longer_holds_is_scored_anew(shop: Client) -> None:
    later = BEGIN + 60 * DAY
    assert shop.get(f"{LIST}?fresh=true").status == 200  # the shop's part is read
    assert shop.get(f"{LIST}?fresh=false").json["until"] < later
    happens(shop, buys("eve", ["tea"], later))
    deadline = time.monotonic() + 10
    while (found := shop.get(LIST).json).get("scored_at") != later:  # the log's latest instant is read once a second
        assert time.monotonic() < deadline
    composed = shop.post("/v1/recommendations", {"member": "ada"}).json
    assert (composed["scored_at"], composed["until"]) == (later, found["until"])
    assert shop.post("/v1/recommendations", {"member": "ada", "fresh": False}).json["scored_at"] is None
