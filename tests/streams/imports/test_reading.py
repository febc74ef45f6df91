from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from streams.imports.shop_log import lines
from streams.imports.shop_log.fields import fields_of, needs_of
from streams.imports.shop_log.lines import TABLE
from streams.imports.shop_log.reading import Reader
from streams.imports.shop_log.rejected import Rejected
from tests.streams.imports.lines import NOON, NOW, SAMPLES, code, line, raw, read

ADA = {"member": "ada", "session": "s-1"}
COUPON = {"campaign": "spring", "member": "ada", "order": "o-1", "amount": 100, "code": "TEN"}


def made(kind: str, /, line_type: type[lines.FileLine], **values: Any) -> lines.FileLine:
    """Return a line as it is read from the sample of a type."""
    return line_type(type=kind, at=NOON, id=SAMPLES[kind].get("id"), **values)


LINES: dict[str, lines.FileLine] = {
    "product": made(
        "product",
        lines.ProductLine,
        product="tea",
        name="Tea",
        category=("Food", "Drinks"),
        brand="Leaf",
        description="Green: loose",
        price=499,
        stock=12,
        image="https://example.org/tea.png",
        embedding=(0.25, -1.0, 0.00003),
        department="Grocery",
        attributes={"size": "250 g"},
    ),
    "member": made(
        "member",
        lines.MemberLine,
        member="ada",
        name="Ada",
        email="ada@example.org",
        birthday="1990-12-31",
        tags="new,vip",
        profile={"type": "A", "city": "Paris", "children": "2", "tags": "new,vip"},
    ),
    **{
        kind: made(kind, lines.BehaviourLine, product="tea", **ADA, slot="home", order_position=3)
        for kind in ("view", "click", "favourite", "unfavourite", "dismiss", "share")
    },
    "search": made("search", lines.SearchLine, query="green tea", **ADA, shown=("tea", "7")),
    "impression": made(
        "impression",
        lines.ImpressionLine,
        slot="home",
        products=("tea", "milk"),
        **ADA,
        propensities=(0.5, 1.0),
        strategy="popular",
    ),
    "add_to_cart": made("add_to_cart", lines.CartAdditionLine, product="tea", **ADA, quantity=2, cart="c-1", price=499),
    "remove_from_cart": made("remove_from_cart", lines.CartLine, product="tea", **ADA, quantity=1, cart="c-1"),
    "order_status": made("order_status", lines.StatusLine, order="o-1", status="shipped"),
    "cancel": made("cancel", lines.CancelLine, order="o-1", reason="too late"),
    "refund": made(
        "refund",
        lines.RefundLine,
        order="o-1",
        parts=(lines.RefundLineItem(line=1, quantity=1), lines.RefundLineItem(product="milk", total=10)),
        **ADA,
        refund="r-1",
    ),
    "review": made("review", lines.ReviewLine, product="tea", **ADA, rating=9, text="Good", order="o-1"),
    "coupon_sent": made("coupon_sent", lines.CouponSentLine, **COUPON, kind="A", starts=NOON, ends=1_893_456_000_000),
    "coupon_redeemed": made("coupon_redeemed", lines.CouponRedeemedLine, **COUPON, coupon="c-7", use="u-1"),
    "session_left": made("session_left", lines.SessionLeftLine, session="s-1"),
    "regulars": made("regulars", lines.CommandLine, command="LaunchCampaign", values={"campaign": "spring", "limit": 10}),
}

every_type = pytest.mark.parametrize("kind", SAMPLES)


def test_every_type_has_a_sample() -> None:
    assert set(SAMPLES) == set(TABLE)
    assert set(LINES) | {"order"} == set(TABLE)


@every_type
def test_every_sample_has_every_field_of_its_type(kind: str) -> None:
    told = set(line(kind)) | {"id"}
    left = set(fields_of(TABLE[kind].line)) - told
    assert left <= ({"code"} if kind.startswith("coupon") else set())


@pytest.mark.parametrize("kind", LINES)
def test_each_sample_is_read_into_its_line(kind: str) -> None:
    read_line = Reader("USD", None, NOW).read(42, raw(line(kind)))
    assert read_line.line == LINES[kind]
    assert (read_line.number, len(read_line.digest)) == (42, 16)


def test_an_order_is_read_line_by_line() -> None:
    order = read(line("order")).line
    assert isinstance(order, lines.OrderRecord)
    tea, milk = order.lines
    assert (tea.product, tea.quantity, tea.total, tea.unit_price, tea.discount) == ("tea", 2, None, Decimal("499.5"), 50)
    assert milk == lines.OrderLineItem(
        product="milk", quantity=0, total=120, paid=-30, department="Dairy", category=("Food", "Milk")
    )
    assert (order.who, order.coupons, order.status) == (lines.Shopper("ada", "s-1"), ("TEN",), "paid")
    assert (order.cart, order.tax) == ("c-1", 35)


def test_a_field_that_a_line_leaves_out_gets_its_default() -> None:
    order = {"type": "order", "at": NOON, "order_id": 1, "lines": [{"product_id": 7}]}
    assert read(order).line == lines.OrderRecord(type="order", at=NOON, order="1", lines=(lines.OrderLineItem(product="7"),))
    assert read({"type": "refund", "at": NOON, "order_id": 1}).line == lines.RefundLine(type="refund", at=NOON, order="1")
    assert read(line("search", "product_ids")).line.shown == ()  # type: ignore[attr-defined]
    assert read(line("add_to_cart", "quantity", "cart", "price")).line.quantity == 1  # type: ignore[attr-defined]


@every_type
def test_null_in_an_optional_field_is_the_same_as_none(kind: str) -> None:
    needed = {"type", *(name for names in needs_of(TABLE[kind].line) for name in names)}
    if kind == "member":
        needed.add("city")
    for name in set(line(kind)) - needed:
        assert read(line(kind, **{name: None})).line == read(line(kind, name)).line


@every_type
def test_a_line_without_what_it_needs_is_rejected(kind: str) -> None:
    for names in set(needs_of(TABLE[kind].line)) - {("type",)}:
        assert code(line(kind, *names)) == "field_missing"
        assert code(line(kind, **dict.fromkeys(names))) == "field_missing"


@pytest.mark.parametrize("told", [{"member_id": "ada"}, {"session_id": "s-1"}])
def test_a_member_or_a_session_is_who_enough(told: dict[str, str]) -> None:
    found = read(line("view", "member_id", "session_id", **told)).line
    assert isinstance(found, lines.BehaviourLine)
    assert found.who == lines.Shopper(told.get("member_id"), told.get("session_id"))


def test_a_coupon_without_a_campaign_is_known_by_its_code() -> None:
    found = read(line("coupon_sent", "campaign_id")).line
    assert isinstance(found, lines.CouponLine)
    assert (found.campaign, found.code) == ("TEN", None)


@pytest.mark.parametrize("kind", ["browse", "View", "", " view", "x" * 9999])
def test_a_line_of_an_unknown_type_is_rejected(kind: str) -> None:
    assert code(line("view", type=kind)) == "type_unknown"


@pytest.mark.parametrize("kind", [None, 1, True, [], {}])
def test_a_line_without_a_type_is_rejected(kind: object) -> None:
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
def test_propensities_must_match_the_products(told: dict[str, Any], expected: str) -> None:
    assert code(line("impression", **told)) == expected


def test_a_command_needs_values_in_an_object() -> None:
    assert code(line("regulars", values=[1])) == "object_invalid"


def test_a_rejection_names_the_field() -> None:
    with pytest.raises(Rejected) as rejected:
        read(line("order", lines=[{"product_id": "tea"}, {"product_id": "milk", "total": "1,50"}]))
    assert rejected.value.reason.startswith("lines: entry 2: total: Money as text")
    with pytest.raises(Rejected, match=r"^product_ids: entry 2: An id"):
        read(line("search", product_ids=["tea", -1]))
    with pytest.raises(Rejected, match=r"^member_id or session_id is missing\.$"):
        read(line("view", "member_id", "session_id"))


def test_a_rejection_escapes_control_characters() -> None:
    with pytest.raises(Rejected) as rejected:
        read(line("member", **{"\x1b[31m\n": []}))
    assert rejected.value.reason.startswith("'\\x1b[31m\\n': A profile field")
