"""A shop-log file read as events, as an import would record them."""

from __future__ import annotations

import json
from typing import Any

from aggregates.behaviour import Searched, Viewed
from aggregates.cart_events import (
    CartItemAdded,
)
from aggregates.order.events import OrderPaid
from aggregates.product import ProductListed
from streams.evaluating.shop_log_events import ShopLogEvents
from streams.imports.shop_log.importing import ShopLogImport
from streams.imports.shop_log.planning import Planner
from streams.imports.shop_log.reading import Reader
from streams.running.app import App
from tests.streams.evaluating.planted import Shop

AT = 1_700_000_000_000


def read(*lines: dict[str, Any] | bytes) -> tuple[list[object], ShopLogEvents]:
    reading = ShopLogEvents(Reader("EUR", None, now=AT + 1), "EUR")
    raw = (line if isinstance(line, bytes) else json.dumps({"at": AT, **line}).encode() for line in lines)
    return list(reading.events(enumerate(raw, 1))), reading


def order(number: str, **more: Any) -> dict[str, Any]:
    return {"type": "order", "order_id": number, "lines": [{"product_id": "tea", "total": "2.50"}], **more}


def test_a_session_that_was_joined_is_the_members_from_then_on() -> None:
    view = {"type": "view", "product_id": "tea", "session_id": "s"}
    events, _ = read(view, {**view, "member_id": "ann"}, view, {"type": "search", "query": "pot", "session_id": "s"})
    assert [event.member for event in events if isinstance(event, Viewed | Searched)] == [None, "ann", "ann", "ann"]


def test_an_order_teaches_once_it_is_paid() -> None:
    events, _ = read(
        order("1", member_id="ann", status="placed"),
        order("2"),
        {"type": "order_status", "order_id": "1", "status": "shipped", "at": AT + 1},
        {"type": "order_status", "order_id": "1", "status": "delivered", "at": AT + 1},
    )
    assert [(event.order, event.member, event.at) for event in events if isinstance(event, OrderPaid)] == [
        ("2", None, AT),
        ("1", "ann", AT + 1),
    ]


def test_lines_that_teach_nothing_are_counted() -> None:
    events, reading = read(
        order("1"),
        order("1"),
        {"type": "cancel", "order_id": "1"},
        b"{",
        {"type": "view", "product_id": "tea", "session_id": "s", "id": "7"},
        {"type": "view", "product_id": "tea", "session_id": "s", "id": "7"},
    )
    assert [type(event).__name__ for event in events] == ["OrderPaid", "Viewed"]
    assert reading.skipped == {"duplicate": 2, "type cancel": 1, "json_invalid": 1}


def test_what_is_said_of_a_product_is_completed_by_what_is_said_later() -> None:
    product = {"type": "product", "product_id": "tea"}
    events, _ = read({**product, "name": "Tea", "category": ["Drinks", "Hot"]}, {**product, "brand": "Own"})
    last = events[-1]
    assert isinstance(last, ProductListed)
    assert (last.name, last.department, last.category, last.brand) == ("Tea", "Drinks", "Hot", "Own")


def test_what_is_put_into_a_cart_is_told_with_its_shopper() -> None:
    events, _ = read({"type": "add_to_cart", "product_id": "tea", "session_id": "s", "quantity": 2})
    assert [(event.session, event.quantity) for event in events if isinstance(event, CartItemAdded)] == [("s", 2)]


def test_they_are_what_an_import_of_the_file_records(app: App) -> None:
    lines = [(n, json.dumps(line).encode()) for n, line in enumerate(Shop(members=4, visits=10, bots=1, weeks=6).lines(), 1)]
    now = AT + 10**11
    task = ShopLogImport(app.handler, app.log, Reader("USD", None, now), Planner(app.terms))
    assert not task.take(lines)
    recorded = [one.event for one in app.log.recorded(0, 100_000) if isinstance(one.event, OrderPaid | Viewed | ProductListed)]
    events = list(ShopLogEvents(Reader("USD", None, now), "USD").events(lines))
    kinds = {type(event) for event in events}
    assert kinds == {OrderPaid, Viewed, ProductListed}
    for kind in kinds:
        assert [event for event in events if type(event) is kind] == [event for event in recorded if type(event) is kind]
