"""One good line of every type, with every field that it may have; and how a line is read in these tests."""

from __future__ import annotations

import json
from typing import Any

import pytest

from streams.imports.shop_log.lines import OrderLineItem, OrderRecord, ShopLine
from streams.imports.shop_log.reading import Reader
from streams.imports.shop_log.rejected import Rejected

NOON = 1_714_564_800_000  # 2024-05-01T12:00:00Z
NOW = NOON + 3_600_000
AT = "2024-05-01T12:00:00Z"
WHO = {"member_id": "ada", "session_id": "s-1"}
SEEN = {"at": AT, "id": "e-1", **WHO, "product_id": "tea", "slot": "home", "position": 3}
COUPON = {"at": AT, "campaign_id": "spring", "code": "TEN", "member_id": "ada", "order_id": "o-1", "amount": "1.00"}

SAMPLES: dict[str, dict[str, Any]] = {
    "product": {
        "at": AT,
        "product_id": "tea",
        "name": "Tea",
        "category": ["Food", "Drinks"],
        "brand": "Leaf",
        "description": "Green: loose",
        "price": 4.99,
        "stock": 12,
        "image": "https://example.org/tea.png",
        "embedding": [0.25, -1, 3e-5],
        "department": "Grocery",
        "attributes": {"size": "250 g"},
    },
    "member": {
        "at": AT,
        "member_id": "ada",
        "name": "Ada",
        "email": "ada@example.org",
        "birthday": "1990-12-31",
        "tags": ["new", "vip"],
        "city": "Paris",
        "children": 2,
        "profile": {"type": "A"},
    },
    **dict.fromkeys(("view", "click", "favourite", "unfavourite", "dismiss", "share"), SEEN),
    "search": {"at": AT, **WHO, "query": "green tea", "product_ids": ["tea", 7]},
    "impression": {
        "at": AT,
        **WHO,
        "slot": "home",
        "product_ids": ["tea", "milk"],
        "propensities": [0.5, 1],
        "strategy": "popular",
    },
    "add_to_cart": {"at": AT, **WHO, "product_id": "tea", "quantity": 2, "cart": "c-1", "price": "4.99"},
    "remove_from_cart": {"at": AT, **WHO, "product_id": "tea", "quantity": 1, "cart": "c-1"},
    "order": {
        "at": AT,
        **WHO,
        "order_id": "o-1",
        "lines": [
            {"product_id": "tea", "quantity": 2, "unit_price": "4.995", "discount": 0.5},
            {
                "product_id": "milk",
                "quantity": 0,
                "total": "1.20",
                "paid": -0.3,
                "department": "Dairy",
                "category": ["Food", "Milk"],
            },
        ],
        "coupons": ["TEN"],
        "status": "paid",
        "cart": "c-1",
        "tax": "0.35",
    },
    "order_status": {"at": AT, "order_id": "o-1", "status": "shipped"},
    "cancel": {"at": AT, "order_id": "o-1", "reason": "too late"},
    "refund": {
        "at": AT,
        **WHO,
        "order_id": "o-1",
        "lines": [{"line": 1, "quantity": 1}, {"product_id": "milk", "total": "0.10"}],
        "refund": "r-1",
    },
    "review": {"at": AT, **WHO, "product_id": "tea", "rating": 4.5, "text": "Good", "order_id": "o-1"},
    "coupon_sent": {**COUPON, "kind": "A", "starts": AT, "ends": "2030-01-01T00:00:00Z"},
    "coupon_redeemed": {**COUPON, "coupon": "c-7", "use": "u-1"},
    "regulars": {"at": AT, "command": "LaunchCampaign", "values": {"campaign": "spring", "limit": 10}},
}


def line(kind: str, /, *without: str, **changed: Any) -> dict[str, Any]:
    """The sample of a type, with some fields left out and some changed."""
    told = {"type": kind, **SAMPLES[kind]}
    return {name: value for name, value in told.items() if name not in without} | changed


def raw(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


def read(document: object, currency: str = "USD", zone: str | None = None) -> ShopLine:
    written = document if isinstance(document, bytes) else raw(document)
    return Reader(currency, zone, NOW).read(1, written)


def code(document: object, currency: str = "USD", zone: str | None = None) -> str:
    """Why a line is rejected."""
    with pytest.raises(Rejected) as rejected:
        read(document, currency, zone)
    assert rejected.value.reason.endswith(".")
    return rejected.value.code


def item(currency: str = "USD", /, **told: Any) -> OrderLineItem:
    """The one line of an order, as it is read."""
    body = read(line("order", "tax", lines=[{"product_id": "tea", **told}]), currency).body
    assert isinstance(body, OrderRecord)
    return body.lines[0]


def bad_item(currency: str = "USD", /, **told: Any) -> str:
    """Why such a line is rejected."""
    return code(line("order", "tax", lines=[{"product_id": "tea", **told}]), currency)
