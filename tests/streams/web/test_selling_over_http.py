"""Selling over HTTP: a cart's live price, stock, orders by state, a refund before it is made, why an order is so."""

from __future__ import annotations

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
