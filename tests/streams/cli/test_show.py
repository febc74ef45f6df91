"""``regulars show``, ``why``, ``audit`` and ``recommend`` agree on one instant, and show what a shop needs to see."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from aggregates.member import EraseMember, RegisterMember
from aggregates.order.decider import PayOrder
from aggregates.order.events import OrderLine
from aggregates.order.exchange import ExchangeItems
from aggregates.order.fulfilment import DeliverOrder, LineUnits
from aggregates.order.placing import PlaceOrder
from aggregates.order.refund import RefundOrder, RefundPart
from aggregates.product import ListProduct
from infra.settings import Settings
from streams.cli.show import order_of
from streams.commands.request import Request
from streams.commands.scheduler import latest
from streams.queries import views as reading
from streams.running.app import App, running
from tests.shop import HOUR, MEMBERS, START, requests
from tests.streams.conftest import Command

DAY = 24 * HOUR


@pytest.fixture
def shop(command: Command, tmp_path: Path, valkey_url: str, client: redis.Redis) -> Iterator[App]:
    """The shop of the command's own home, with a history that is in the read models."""
    with running(Settings(tmp_path / "home", valkey_url)) as app:
        app.handler.handle_all(list(requests(60)))
        app.follower().catch_up()
        yield app


def send(app: App, name: str, *commands: object) -> None:
    outcome = app.handler.handle(Request(name, commands))
    assert outcome.accepted, outcome.sentence
    app.follower().catch_up()


def test_member_why_and_audit_agree_on_now(shop: App, command: Command) -> None:
    shown: dict[str, tuple[int, int]] = {}
    for member in MEMBERS:
        card = command("show", "member", member, "--json").json["card"]
        if card and card["status"] == "registered" and command("why", member, "points", "--json").status == 0:
            last = command("why", member, "points", "--json").json
            as_of = last["steps"][-1]
            shown[member] = card["balance"], card["pending"]
            assert (card["balance"], card["pending"]) == (as_of["spendable"], as_of["pending"]), member
            assert card["as_of"] == last["as_of"]
    outstanding = command("audit", "--json").json["wallets"]["points"]["outstanding"]
    assert len(shown) > 3
    assert sum(max(0, balance) for balance, _ in shown.values()) <= outstanding["to_spend"]


def test_a_new_member_sees_the_way_to_the_first_tier(shop: App, command: Command) -> None:
    send(shop, "new", RegisterMember("new", START + 900 * DAY))
    assert re.search(
        r"tier +member; 1,000\.00 USD to silver \(0\.00 USD count\)", command("show", "member", "new").out.decode()
    )


def test_an_erasure_is_dated_by_the_shops_clock(shop: App, command: Command) -> None:
    before = latest(shop.log)
    told = command("erase", MEMBERS[4], "--yes", "--json").json
    assert (told["member"], told["position"], told["snapshots"]) == (MEMBERS[4], shop.log.head(), [])
    assert latest(shop.log) == before, "a log of 2017 stays in 2017"


def test_an_order_shows_how_far_it_is_paid_and_what_it_was_exchanged_for(shop: App, command: Command) -> None:
    def of(product: str, price: int) -> OrderLine:
        return OrderLine(product, 1, gross=price, total=price, paid=price)

    at = START + 900 * DAY
    send(shop, "sold", PlaceOrder("old", (of("tea", 500),), "USD", at, member=MEMBERS[5]), PayOrder("old", at))
    send(shop, "exchange", ExchangeItems("old", "x-1", "new", (LineUnits(1, 1),), (of("pot", 900),), at))
    old, new = (command("show", "order", order).out.decode() for order in ("old", "new"))
    assert re.search(r"payment +refunded\s", old)
    assert re.search(r"exchanged into +new\s", old)
    assert re.search(r"payment +part\s", new)
    assert re.search(r"exchange of +old\s", new)


def test_an_erased_member_is_shown_as_erased(shop: App, command: Command) -> None:
    send(shop, "erase", EraseMember(MEMBERS[5], START + 900 * DAY))
    page = command("show", "member", MEMBERS[5]).out.decode()
    assert f"Member {MEMBERS[5]} (erased)" in page
    assert "tier" not in page


def test_an_order_is_shown_with_dates_and_refunds(shop: App, command: Command) -> None:
    lines = (OrderLine("tea", 2, gross=1998, total=1998, paid=1998),)
    send(shop, "o", PlaceOrder("o", lines, "USD", START, member=MEMBERS[3]), PayOrder("o", START + HOUR))
    send(shop, "d", DeliverOrder("o", START + DAY))
    send(shop, "r", RefundOrder("o", "back", START + 2 * DAY, (RefundPart(1, 1),)))
    page = command("show", "order", "o").out.decode()
    assert re.search(r"paid +2017-01-01 21:00", page)
    assert re.search(r"delivered +2017-01-02 20:00", page)
    assert re.search(r"sum refunded +9\.99 USD", page)
    assert re.search(r"back +2017-01-03 20:00 +1 +9\.99 USD", page)


def test_an_order_from_the_log_equals_its_read_model(shop: App) -> None:
    found = [document for document in reading.documents(shop.views, "order") if document["member"]]
    assert found
    for document in found:
        events: Any = shop.log.read(f"order-{document['order']}")[0]
        assert json.loads(json.dumps(order_of(events))) == document | {"position": 0}


def test_products_of_one_name_are_told_apart(shop: App, command: Command) -> None:
    for product, size in (("a", "1 L"), ("b", "2 L")):
        send(shop, product, ListProduct(product, START, "Milk", "DAIRY", brand="Meadow", price=199, attributes={"size": size}))
    names = reading.product_names(shop.views, ["a", "b"])
    assert names == {"a": "Milk, Meadow, 1 L (DAIRY)", "b": "Milk, Meadow, 2 L (DAIRY)"}
    assert re.search(r"price +1\.99 USD", command("show", "product", "a").out.decode())


def test_why_points_is_one_line_an_event_at_80_columns(shop: App, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    steps = command("why", MEMBERS[3], "points", "--json").json["steps"]
    lines = command("why", MEMBERS[3], "points").out.decode().splitlines()
    told = [line for line in lines if re.match(r"(#\d+|-) +\d{4}-\d\d-\d\d", line)]
    assert len(told) == len(steps) > 3
    assert max(map(len, lines)) <= 80


def test_a_list_is_numbered_and_says_what_its_score_means(shop: App, command: Command) -> None:
    said = command("recommend", MEMBERS[3])
    numbers = re.findall(r"^ *(\d+)  ", said.out.decode(), re.MULTILINE)
    assert numbers == [str(number) for number in range(1, len(numbers) + 1)]
    assert "score: the expected share of the member's next basket" in said.err
