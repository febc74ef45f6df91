from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from streams.imports.shop_log import lines
from streams.imports.shop_log.reading import Reader
from streams.imports.shop_log.rejected import Rejected
from streams.imports.shop_log.table import TABLE
from tests.streams.shop_log.sample_lines import NOON, NOW, SAMPLES, code, line, raw, read

BOTH = lines.Who("ada", "s-1")

BODIES: dict[str, lines.Body] = {
    "product": lines.ProductLine(
        "tea",
        "Tea",
        ("Food", "Drinks"),
        "Leaf",
        "Green: loose",
        499,
        12,
        "https://example.org/tea.png",
        (0.25, -1.0, 0.00003),
        "Grocery",
        {"size": "250 g"},
    ),
    "member": lines.MemberLine(
        "ada", "Ada", "ada@example.org", "1990-12-31", {"type": "A", "city": "Paris", "children": "2", "tags": "new,vip"}
    ),
    **{
        kind: lines.BehaviourLine(kind, "tea", BOTH, "home", 3)
        for kind in ("view", "click", "favourite", "unfavourite", "dismiss", "share")
    },
    "search": lines.SearchLine("green tea", BOTH, ("tea", "7")),
    "impression": lines.ImpressionLine("home", ("tea", "milk"), BOTH, (0.5, 1.0), "popular"),
    "add_to_cart": lines.CartLine(True, "tea", BOTH, 2, "c-1", 499),
    "remove_from_cart": lines.CartLine(False, "tea", BOTH, 1, "c-1"),
    "order_status": lines.StatusLine("o-1", "shipped"),
    "cancel": lines.CancelLine("o-1", "too late"),
    "refund": lines.RefundLine(
        "o-1", (lines.RefundPart(1, quantity=1), lines.RefundPart(product="milk", total=10)), BOTH, "r-1"
    ),
    "review": lines.ReviewLine("tea", BOTH, 9, "Good", "o-1"),
    "coupon_sent": lines.CouponLine(True, "spring", "ada", "o-1", 100, "TEN", "A", NOON, 1_893_456_000_000),
    "coupon_redeemed": lines.CouponLine(False, "spring", "ada", "o-1", 100, "c-7", use="u-1"),
    "regulars": lines.CommandLine("LaunchCampaign", {"campaign": "spring", "limit": 10}),
}

every_type = pytest.mark.parametrize("kind", SAMPLES)


def test_every_type_has_a_sample() -> None:
    assert set(SAMPLES) == set(TABLE)
    assert set(BODIES) | {"order"} == set(TABLE)


@every_type
def test_every_sample_tells_all_that_its_type_may_have(kind: str) -> None:
    told = set(line(kind)) | {"id"}
    left = set(TABLE[kind].shape.fields) - told
    assert left <= ({"code"} if kind.startswith("coupon") else set())


@pytest.mark.parametrize("kind", BODIES)
def test_a_line_is_read_into_what_it_says(kind: str) -> None:
    told = Reader("USD", None, NOW).read(42, raw(line(kind)))
    assert told.body == BODIES[kind]
    assert (told.number, told.type, told.at, len(told.content)) == (42, kind, NOON, 16)
    assert told.id == SAMPLES[kind].get("id")


def test_an_order_is_read_line_by_line() -> None:
    order = read(line("order")).body
    assert isinstance(order, lines.OrderRecord)
    tea, milk = order.lines
    assert (tea.product, tea.quantity, tea.total, tea.unit_price, tea.discount) == ("tea", 2, None, Decimal("499.5"), 50)
    assert milk == lines.OrderLineItem("milk", 0, 120, None, 0, -30, "Dairy", ("Food", "Milk"))
    assert (order.who, order.coupons, order.status, order.cart, order.tax) == (BOTH, ("TEN",), "paid", "c-1", 35)


def test_what_a_line_leaves_open_gets_its_default() -> None:
    order = {"type": "order", "at": NOON, "order_id": 1, "lines": [{"product_id": 7}]}
    assert read(order).body == lines.OrderRecord("1", (lines.OrderLineItem("7"),), lines.Who(), (), "delivered")
    assert read({"type": "refund", "at": NOON, "order_id": 1}).body == lines.RefundLine("1", None)
    assert read(line("search", "product_ids")).body == lines.SearchLine("green tea", BOTH, ())
    assert read(line("add_to_cart", "quantity", "cart", "price")).body == lines.CartLine(True, "tea", BOTH, 1)


@every_type
def test_null_in_an_optional_field_is_the_same_as_none(kind: str) -> None:
    needed = {"type", *(name for names in TABLE[kind].shape.needs for name in names)}
    if kind == "member":
        needed.add("city")
    for name in set(line(kind)) - needed:
        assert read(line(kind, **{name: None})).body == read(line(kind, name)).body


@every_type
def test_a_line_without_what_it_needs_is_rejected(kind: str) -> None:
    for names in TABLE[kind].shape.needs:
        assert code(line(kind, *names)) == "field_missing"
        assert code(line(kind, **dict.fromkeys(names))) == "field_missing"


@pytest.mark.parametrize("told", [{"member_id": "ada"}, {"session_id": "s-1"}])
def test_a_member_or_a_session_is_who_enough(told: dict[str, str]) -> None:
    body = read(line("view", "member_id", "session_id", **told)).body
    assert isinstance(body, lines.BehaviourLine)
    assert body.who == lines.Who(told.get("member_id"), told.get("session_id"))


def test_a_coupon_without_a_campaign_is_known_by_its_code() -> None:
    body = read(line("coupon_sent", "campaign_id")).body
    assert isinstance(body, lines.CouponLine)
    assert (body.campaign, body.coupon) == ("TEN", None)


@pytest.mark.parametrize("kind", ["browse", "View", "", " view", "x" * 9999])
def test_a_line_of_an_unknown_type_is_rejected(kind: str) -> None:
    assert code(line("view", type=kind)) == "type_unknown"


@pytest.mark.parametrize("kind", [None, 1, True, [], {}])
def test_a_line_of_no_type_is_rejected(kind: object) -> None:
    assert code(line("view", type=kind)) == code(line("view", "type")) == "type_missing"


@pytest.mark.parametrize("kind", ["order", "refund"])
@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([], "lines_empty"),
        ({}, "list_invalid"),
        ("tea", "list_invalid"),
        (["tea"], "object_invalid"),
        ([None], "object_invalid"),
        ([[]], "object_invalid"),
        ([{}], "field_missing"),
    ],
)
def test_an_order_or_a_refund_needs_proper_lines(kind: str, told: object, expected: str) -> None:
    assert code(line(kind, lines=told)) == expected


@pytest.mark.parametrize("status", ["returned", "Paid", "", 1, [], {}])
def test_a_status_is_one_of_four(status: object) -> None:
    assert code(line("order_status", status=status)) == code(line("order", status=status)) == "status_invalid"


def test_the_lines_of_a_refund_count_from_one() -> None:
    assert code(line("refund", lines=[{"line": 0}])) == code(line("refund", lines=[{"line": True}])) == "count_invalid"


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"product_ids": []}, "list_empty"),
        ({"product_ids": "tea"}, "list_invalid"),
        ({"product_ids": ["tea", None]}, "id_invalid"),
        ({"propensities": [0.5]}, "propensities_unmatched"),
        ({"propensities": [0, 1]}, "propensity_invalid"),
        ({"propensities": [0.5, 1.1]}, "propensity_invalid"),
        ({"propensities": [0.5, True]}, "number_invalid"),
        ({"propensities": 1}, "list_invalid"),
        ({"slot": ""}, "id_invalid"),
        ({"strategy": 1}, "text_invalid"),
    ],
)
def test_an_impression_that_does_not_add_up_is_rejected(told: dict[str, Any], expected: str) -> None:
    assert code(line("impression", **told)) == expected


def test_a_command_needs_values_in_an_object() -> None:
    assert code(line("regulars", values=[1])) == "object_invalid"


def test_a_fault_names_its_place() -> None:
    with pytest.raises(Rejected) as rejected:
        read(line("order", lines=[{"product_id": "tea"}, {"product_id": "milk", "total": "1,50"}]))
    assert rejected.value.reason.startswith("lines: entry 2: total: Money as text")
    with pytest.raises(Rejected, match=r"^product_ids: entry 2: An id"):
        read(line("search", product_ids=["tea", -1]))
    with pytest.raises(Rejected, match=r"^member_id or session_id is missing\.$"):
        read(line("view", "member_id", "session_id"))


def test_a_fault_names_its_place_without_what_a_terminal_obeys() -> None:
    with pytest.raises(Rejected) as rejected:
        read(line("member", **{"\x1b[31m\n": []}))
    assert rejected.value.reason.startswith("'\\x1b[31m\\n': A profile field")
