"""Selling over HTTP: a cart's live price, stock, orders by state, a refund before it is made, why an order is so."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.streams.web.client import Client, Served


@pytest.fixture(scope="module")
def shop(served: Served) -> Client:
    """A shop with a member who has a cart, and an order of which a gift card paid a part."""
    client = served.client()
    line = {"product": "tea", "quantity": 2, "gross": 2000, "total": 2000, "paid": 2000}
    commands: list[dict[str, Any]] = [
        {"command": "ListProduct", "product": "tea", "name": "Tea", "price": 1000, "stock": 5},
        {"command": "RepriceProduct", "product": "tea", "price": 900},
        {"command": "OpenCart", "cart": "c", "member": "ada"},
        {"command": "AddToCart", "cart": "c", "product": "tea", "quantity": 3, "price": 1000},
        {"command": "IssueGiftCard", "card": "g", "amount": 1500},
        {"command": "PlaceOrder", "order": "o", "member": "ada", "currency": "EUR", "lines": [line]},
        {"command": "ReserveStock", "order": "o", "until": 4_000_000_000_000},
        {"command": "TenderOrder", "order": "o", "tender": "t-1", "kind": "gift_card", "amount": 500, "gift_card": "g"},
        {"command": "TenderOrder", "order": "o", "tender": "t-2", "kind": "card", "amount": 1500},
    ]
    done = client.post("/v1/requests", {"commands": commands})
    assert done.status == 200, done.raw
    for path in ("/v1/orders/o/state", "/v1/gift-cards/g", "/v1/products/tea/lowest-price"):
        assert client.get(f"{path}?wait_for={done.json['position']}&wait_ms=10000").status == 200
    return client


def test_a_cart_has_a_price_points_and_notices(shop: Client) -> None:
    told = shop.get("/v1/carts/c/price?codes=NONE").json
    assert (told["payable"], told["points"]) == (2700, 27)
    assert told["notices"] == [{"product": "tea", "shown": 1000, "price": 900, "rose": False}]
    assert [refused["reason"] for refused in told["trace"]["refused"]] == ["code_unknown"]
    assert shop.get("/v1/carts/nowhere/price").status == 404


def test_stock_is_what_can_be_sold_now(shop: Client) -> None:
    assert shop.get("/v1/products/tea/stock").json["left"] == 3
    assert shop.get("/v1/products/cup/stock").json["tracked"] is False


def test_a_reduction_tells_the_lowest_price_of_thirty_days(shop: Client) -> None:
    assert shop.get("/v1/products/tea/lowest-price").json["reduction"]["lowest"] == 1000


def test_orders_are_found_by_product_and_state(shop: Client) -> None:
    for query in ("", "?product=tea", "?state=paid", "?product=tea&state=paid"):
        assert [one["order"] for one in shop.get(f"/v1/orders{query}").json["orders"]] == ["o"]
    for query in ("?product=cup", "?state=shipped", "?to=2001-01-01"):
        assert shop.get(f"/v1/orders{query}").json["orders"] == []


def test_a_refund_is_seen_before_it_is_made(shop: Client) -> None:
    told = shop.get("/v1/orders/o/refund-preview?parts=1:1").json
    assert (told["amount"], told["tenders"], told["points_taken"]) == (1000, [{"tender": "t-2", "amount": 1000}], 10)
    assert shop.get("/v1/orders/o/refund-preview?parts=9:1").json["code"] == "line_unknown"
    assert shop.get("/v1/orders/nowhere/refund-preview").status == 404
    assert shop.get("/v1/orders/o/state").json["payment"] == "paid"


def test_an_order_is_explained(shop: Client) -> None:
    steps = shop.get("/v1/orders/o/why").json["steps"]
    assert {"price", "payment", "stock", "points"} <= {step["what"] for step in steps}


def test_a_gift_card_shows_what_is_left(shop: Client) -> None:
    assert shop.get("/v1/gift-cards/g").json["balance"] == 1000


def test_a_cart_keeps_codes_and_is_checked_out_at_the_price_that_was_seen(shop: Client) -> None:
    opened = [
        {"command": "OpenCart", "cart": "d", "member": "bob"},
        {"command": "AddToCart", "cart": "d", "product": "tea", "quantity": 2},
    ]
    assert shop.post("/v1/requests", {"commands": opened}).status == 200
    assert shop.post("/v1/carts/d/codes", {"code": "NONE"}).status == 200
    shown = shop.get("/v1/carts/d/price").json
    assert [refused["reason"] for refused in shown["trace"]["refused"]] == ["code_unknown"]
    body = {"order": "d-1", "shipping": {"method": "post", "price": 490}, "seen": {"payable": 1800, "as_of": shown["as_of"]}}
    path = "/v1/carts/d/checkout"
    changed = shop.post(path, body, Idempotency_Key="k-1")
    assert (changed.status, changed.json["code"], changed.json["payable"]) == (409, "price_changed", 2290)
    assert changed.json["trace"]["payable"] == 2290
    body["seen"] = {"payable": 2290}
    dry = shop.post(f"{path}?dry_run=true", body, Idempotency_Key="k-1").json
    assert [event["event"] for event in dry["events"]] == ["CartCheckedOut", "OrderPlaced", "OrderPriced", "StockReserved"]
    done = shop.post(path, body, Idempotency_Key="k-1")
    assert (done.status, done.headers["location"], done.json["payable"]) == (201, "/v1/orders/d-1", 2290), done.raw
    assert [line["kind"] for line in done.json["trace"]["lines"]] == ["shipping", "goods"]
    again = shop.post(path, body, Idempotency_Key="k-1")
    assert again.json == done.json | {"repeated": True}
    assert shop.post(path, body | {"order": "d-2"}, Idempotency_Key="k-1").json["code"] == "id_taken"
    assert shop.post(path, body | {"order": "d-2"}, Idempotency_Key="k-2").json["code"] == "cart_unknown"
    assert shop.post(path, {"order": "d-3", "price": 1}).json["code"] == "body_invalid"


def test_goods_are_exchanged_as_the_preview_said(shop: Client) -> None:
    line = {"product": "cup", "quantity": 1, "gross": 700, "total": 700, "paid": 700}
    commands = [
        {"command": "PlaceOrder", "order": "e", "member": "eve", "currency": "EUR", "lines": [line]},
        {"command": "TenderOrder", "order": "e", "tender": "t", "kind": "card", "amount": 700},
    ]
    assert shop.post("/v1/requests", {"commands": commands}).status == 200
    told = shop.get("/v1/orders/e/exchange-preview?parts=1:1&price=900").json
    assert (told["credit"], told["to_pay"], told["back"]) == (700, 200, 0)
    less = shop.get("/v1/orders/e/exchange-preview?parts=1:1&price=500").json
    assert (less["to_pay"], less["back"], less["tenders"]) == (0, 200, [{"tender": "t", "amount": 200}])
    out = line | {"product": "pot", "gross": 500, "total": 500, "paid": 500}
    body = {"exchange": "x", "into": "e-2", "parts": [{"line": 1, "units": 1}], "lines": [out]}
    done = shop.post("/v1/orders/e/exchanges", body)
    assert (done.status, done.headers["location"]) == (201, "/v1/orders/e-2"), done.raw
    position = done.json["position"]
    old = shop.get(f"/v1/orders/e/state?wait_for={position}&wait_ms=10000").json
    new = shop.get(f"/v1/orders/e-2/state?wait_for={position}&wait_ms=10000").json
    assert (old["exchanged_into"], old["payment"], new["exchange_of"], new["payment"]) == (["e-2"], "refunded", "e", "paid")


def test_orders_are_paged_over_days_and_months(shop: Client) -> None:
    day, first = 86_400_000, 1_600_000_000_000
    line = {"product": "pencil", "quantity": 1, "gross": 100, "total": 100, "paid": 100}
    days = [0, 0, 0, 1, 20, 60]
    commands = [
        {
            "command": "PlaceOrder",
            "order": f"p-{n}",
            "currency": "EUR",
            "lines": [line],
            "session": "s",
            "at": first + on * day + n,
        }
        for n, on in enumerate(days)
    ]
    done = shop.post("/v1/requests", {"commands": [*commands, {"command": "CancelOrder", "order": "p-1"}]})
    assert done.status == 200, done.raw
    newest = [f"p-{n}" for n in (5, 4, 3, 2, 1, 0)]
    for query, wanted in {
        "product=pencil": newest,
        "to=2020-12-31": newest,
        "product=pencil&state=placed": [name for name in newest if name != "p-1"],
        "product=pencil&from=2020-09-14&to=2020-10-31": newest[1:3],
    }.items():
        path = f"/v1/orders?{query}&limit=2"
        told = shop.get(f"{path}&wait_for={done.json['position']}&wait_ms=10000").json
        found = list(told["orders"])
        while told["next"]:
            told = shop.get(f"{path}&cursor={told['next']}").json
            found += told["orders"]
        assert [one["order"] for one in found] == wanted, query


def test_who_ships_page_by_page_what_is_paid_misses_no_order(shop: Client) -> None:
    line = {"product": "pen", "quantity": 1, "gross": 100, "total": 100, "paid": 100}
    at = 1_500_000_000_000  # the same instant for all: their names decide
    names = [f"s-{n}" for n in range(5)]
    placed = [
        {"command": "PlaceOrder", "order": name, "currency": "EUR", "lines": [line], "session": "s", "at": at} for name in names
    ]
    paid = [{"command": "PayOrder", "order": name} for name in names]
    done = shop.post("/v1/requests", {"commands": [*placed, *paid]})
    assert done.status == 200, done.raw
    path, found, cursor = "/v1/orders?product=pen&state=paid&limit=2", list[str](), ""
    position = done.json["position"]
    while True:
        told = shop.wait(f"{path}{cursor}", position).json
        page = [one["order"] for one in told["orders"]]
        found += page
        shipped = shop.post("/v1/requests", {"commands": [{"command": "ShipOrder", "order": name} for name in page]})
        position = shipped.json["position"]
        if not told["next"]:
            break
        cursor = f"&cursor={told['next']}"
    assert found == names


@pytest.mark.parametrize("last", [1, "2020-01-01 x", [1, 2, 3], ["2020-01-01", 1], {"a": 1}])
def test_a_cursor_of_orders_that_was_never_given_is_refused(shop: Client, last: object) -> None:
    known = json.loads(base64.urlsafe_b64decode(shop.get("/v1/orders?limit=1").json["next"]))
    cursor = base64.urlsafe_b64encode(json.dumps([known[0], last]).encode()).decode()
    assert shop.get(f"/v1/orders?limit=1&cursor={cursor}").json["code"] == "cursor_invalid"


def test_an_exchange_that_was_made_closes_no_further_cart(shop: Client) -> None:
    line = {"product": "cup", "quantity": 1, "gross": 700, "total": 700, "paid": 700}
    carts = [
        one
        for cart in ("x-1", "x-2")
        for one in (
            {"command": "OpenCart", "cart": cart, "member": "mia"},
            {"command": "AddToCart", "cart": cart, "product": "tea", "quantity": 1},
        )
    ]
    order = [
        {"command": "PlaceOrder", "order": "m", "member": "mia", "currency": "EUR", "lines": [line]},
        {"command": "PayOrder", "order": "m"},
    ]
    assert shop.post("/v1/requests", {"commands": [*order, *carts]}).status == 200
    body = {"order": "m-2", "exchange": {"order": "m", "exchange": "x", "parts": [{"line": 1, "units": 1}]}}
    assert shop.post("/v1/carts/x-1/checkout", body, Idempotency_Key="x-1").status == 201
    assert shop.post("/v1/carts/x-1/checkout", body, Idempotency_Key="x-1").json["repeated"] is True
    assert shop.post("/v1/carts/x-2/checkout", body).json["code"] == "order_exists"
    assert shop.get("/v1/carts/x-2/price").json["payable"] == 900
