"""Two lines are the same if they say the same: whatever their spelling, and not otherwise."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.streams.imports.lines import NOON, SAMPLES, line, read


def content(document: object) -> bytes:
    return read(document).digest


def turned(value: Any) -> Any:
    """The same with the keys of every object in the other order."""
    if isinstance(value, dict):
        return {name: turned(inner) for name, inner in reversed(value.items())}
    return [turned(inner) for inner in value] if isinstance(value, list) else value


def goods(**told: Any) -> dict[str, Any]:
    return line("order", lines=[{"product_id": "5", "quantity": 2, "unit_price": "1.5", "discount": 0.5, **told}])


@pytest.mark.parametrize("kind", SAMPLES)
def test_content_ignores_key_order_id_and_line_number(kind: str) -> None:
    assert content(turned(line(kind))) == content(line(kind))
    assert content(line(kind, id="another")) == content(line(kind, "id"))


@pytest.mark.parametrize("kind", SAMPLES)
def test_content_ignores_spelling(kind: str) -> None:
    plain, escaped = json.dumps(line(kind), ensure_ascii=False, indent=1), json.dumps(line(kind), separators=(",", ":"))
    assert content(plain.encode()) == content(escaped.replace('"at"', '"\\u0061t"').encode())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (goods(unit_price=1.50), goods(unit_price="1.5000")),
        (goods(product_id=5), goods(product_id="5")),
        (goods(quantity=2.0), goods(quantity=2)),
        (goods(quantity=1), goods(quantity=None)),
        (goods(discount="0.50"), goods(discount=0.5)),
        (goods(discount=0), goods(discount=None)),
        (goods(total="3"), goods(total=3.00)),
        (line("order", status="delivered"), line("order", "status")),
        (line("order", coupons=[]), line("order", "coupons")),
        (line("view", at="2024-05-01T12:00:00Z"), line("view", at="2024-05-01T14:00:00.000+02:00")),
        (line("view", at="2024-05-01T12:00:00+00:00"), line("view", at=NOON)),
        (line("view", slot=None), line("view", "slot")),
        (line("view", colour="unknown"), line("view")),
        (line("review", rating=4.0), line("review", rating=4)),
        (line("product", category="Tea"), line("product", category=["Tea"])),
        (line("product", embedding=[1, -0.0]), line("product", embedding=[1.0, 0])),
        (line("member", tags=["a", "b"]), line("member", tags="a,b")),
        (line("member", children=2.0), line("member", children="2")),
        (line("coupon_sent", "code", campaign_id="X"), line("coupon_sent", "campaign_id", code="X")),
        (line("regulars", values={"a": 1.0, "b": [1.50]}), line("regulars", values={"b": [1.5], "a": 1})),
    ],
)
def test_lines_equal_by_value_have_equal_content(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert content(one) == content(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (line("view"), line("click")),
        (line("view"), line("view", at=NOON + 1)),
        (line("view", product_id="Tea"), line("view", product_id="tea")),
        (line("view", product_id="07"), line("view", product_id=7)),
        (line("view", "member_id"), line("view", "session_id")),
        (line("view", "member_id", session_id="x"), line("view", "session_id", member_id="x")),
        (line("add_to_cart", "price"), line("remove_from_cart", quantity=2)),
        (goods(quantity=1), goods(quantity=2)),
        (goods(total=1), goods(total=None)),
        (goods(unit_price="1.500001"), goods(unit_price="1.5")),
        (line("refund", "lines"), line("refund")),
        (line("product", name=""), line("product", "name")),
        (line("product", price=0), line("product", "price")),
        (line("search", product_ids=["a", "b"]), line("search", product_ids=["b", "a"])),
        (line("order", status="placed"), line("order", "status")),
        (line("member", tags=[]), line("member", "tags")),
        (line("coupon_sent"), line("coupon_redeemed", "use", "coupon")),
        (line("regulars", values={"a": 1}), line("regulars", values={"a": "1"})),
    ],
)
def test_lines_with_different_values_have_different_content(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert content(one) != content(other)


STORED = {
    "product": "8f5601c0acd0d7086f301cb890ac89dc",
    "member": "d51cea48f351a84ba1d930db57c5aada",
    "view": "4d00886d5cc048151fe6c97c949f84d2",
    "click": "856758dd9cf45db701b878f6c42e4e4e",
    "favourite": "afc34f9940985b6d9b789276836517b0",
    "unfavourite": "14605ddb0de8f2d9c1736d4fe72b7df9",
    "dismiss": "fd4939578ef8701ec6d3dc9382ee406f",
    "share": "f18fc447b04396ca61d018cd0d8baeb5",
    "search": "d87a1de46a4addcb9f3cdbfc18b774ec",
    "impression": "d687904254d207ac6c805cd8d141f44e",
    "add_to_cart": "ea3033a8bcf34f08dca4e62a55681bc8",
    "remove_from_cart": "d9d29b5c78f774035f58b41ec0fa604e",
    "order": "47df22254e0db78827700a424c278598",
    "order_status": "4939b7b6d2bd681550b8286c6e734dc8",
    "cancel": "d4bbb19df0bf1730ef823d6cd9308825",
    "refund": "d1ab40712731037891572fe4df7298fb",
    "review": "92615f6067c2e86d3c41a9f73f42dba1",
    "coupon_sent": "15d23f4cbf9403a663f5a814f6b691ca",
    "coupon_redeemed": "44c9b0586ce30e900992c9f2a5619049",
    "session_left": "17ac2812ae474b8286d96236d184c690",
    "regulars": "dbf33d3b8ff7e25b24f85c18bf96fb1c",
}


@pytest.mark.parametrize("kind", SAMPLES)
def test_stored_content_never_changes(kind: str) -> None:
    assert content(line(kind)).hex() == STORED[kind]


@given(st.permutations(sorted(line("view"))), st.integers(0, 10**12), st.integers(0, 6))
def test_equal_amounts_have_equal_content_in_any_order_of_keys(names: list[str], cents: int, zeros: int) -> None:
    view = line("view")
    assert content({name: view[name] for name in names}) == content(view)
    amount = f"{cents // 100}.{cents % 100:02}"
    written = json.dumps(goods(total="AMOUNT"))
    as_text, as_number = written.replace("AMOUNT", amount + "0" * zeros), written.replace('"AMOUNT"', amount)
    assert content(as_text.encode()) == content(as_number.encode())
