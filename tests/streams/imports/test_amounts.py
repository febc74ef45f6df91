from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.imports.shop_log.amounts import gross_of, number_text
from tests.streams.imports.lines import code, item_code, line, read, read_item


@pytest.mark.parametrize("written", [12.5, "12.5", "12.50", "12.500000000000000000", "012.5"])
def test_amounts_are_equal_by_value(written: object) -> None:
    assert read_item(total=written).total == 1250


@pytest.mark.parametrize(("currency", "written", "units"), [("JPY", 12, 12), ("JPY", "12.00", 12), ("KWD", "1.234", 1234)])
def test_the_currency_sets_the_number_of_decimals(currency: str, written: object, units: int) -> None:
    assert read_item(currency, total=written).total == units


@pytest.mark.parametrize("written", ["1.001", 1.001, 0.1 + 0.2, 1e-7, 1e-300, "1." + "0" * 30 + "1"])
def test_more_decimals_than_the_currency_has_are_rejected(written: object) -> None:
    assert item_code(total=written) == "money_too_precise"
    assert item_code("JPY", total=1.5) == "money_too_precise"
    assert item_code(discount=written) == item_code(paid=written) == "money_too_precise"
    assert code(line("product", price=written)) == "money_too_precise"
    assert code(line("coupon_sent", amount=written)) == "money_too_precise"


def test_a_long_number_is_judged_by_all_its_digits() -> None:
    raw = b'{"type":"order","at":"2024-05-01T12:00Z","order_id":"o","lines":[{"product_id":"tea","total":%s}]}'
    assert code(raw % b"1.0000000000000000000000001") == "money_too_precise"
    assert read(raw % b"1.0000000000000000000000000").line.lines[0].total == 100  # type: ignore[attr-defined]
    assert code(raw % b"1e-999999999") == "money_too_precise"
    assert read(raw % b"0e-999999999").line.lines[0].total == 0  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "written", ["", "+1", " 1", "1 ", "1,50", "1e2", ".5", "5.", "1_000", "$1", "NaN", "Infinity", "٣", "0x1", True, [], {}]
)
def test_an_invalid_amount_is_rejected(written: object) -> None:
    assert item_code(total=written) == "money_invalid"
    assert item_code(unit_price=written) == "money_invalid"


@pytest.mark.parametrize("written", [-1, -0.01, "-1", "-0.01", -1e300])
def test_negative_money_is_rejected_but_for_what_was_paid(written: object) -> None:
    assert item_code(total=written) in ("money_negative", "money_too_large")
    assert read_item(total=1, paid=-0.5).paid == -50
    assert read_item(total=1, paid="-0.5").paid == -50


def test_zero_is_a_price_without_a_sign() -> None:
    assert (read_item(total=0).total, read_item(total="0.00").total, read_item(total=-0.0).total) == (0, 0, 0)


@pytest.mark.parametrize("written", [10_000_000_000.01, "10000000000.01", 1e13, 1e300, 10**300, "9" * 400_000])
def test_an_amount_beyond_the_largest_is_rejected(written: object) -> None:
    assert read_item(total=10**10).total == 10**12
    assert item_code(total=written) == "money_too_large"


def test_a_unit_price_may_have_six_decimals() -> None:
    assert read_item(unit_price=1.234567).unit_price == Decimal("123.4567")
    assert read_item("JPY", unit_price="0.000001").unit_price == Decimal("0.000001")
    assert item_code(unit_price="1.2345678") == "money_too_precise"


def test_a_total_is_rounded_once_half_to_even_and_then_discounted() -> None:
    assert read_item(unit_price=0.333333, quantity=3).own_total() == 100
    assert [read_item(unit_price=price).own_total() for price in ("0.005", "0.015", "0.025", "0.0250001"[:8])] == [0, 2, 2, 2]
    assert read_item(unit_price="0.025001").own_total() == 3
    assert read_item(unit_price="4.995", quantity=2, discount=0.5).own_total() == 949
    assert read_item(unit_price="4.99", quantity=0).own_total() == 0


def test_a_total_wins_over_a_unit_price_and_without_both_there_is_none() -> None:
    assert read_item(total=3, unit_price=9, discount=1).own_total() == 300
    assert read_item(quantity=2, discount=1).own_total() is None


def test_a_discount_that_exceeds_the_price_is_rejected() -> None:
    assert item_code(unit_price=1, discount=1.01) == "total_negative"
    assert item_code(unit_price=10**6, quantity=10**9) == "money_too_large"


@given(st.integers(0, 10**12), st.integers(0, 10**9))
def test_a_rounded_total_is_never_half_a_unit_away(millionths: int, quantity: int) -> None:
    price = Decimal(millionths).scaleb(-4)
    assert abs(gross_of(price, quantity) * 10**4 - millionths * quantity) <= 5000


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_the_text_of_a_number_is_its_value(number: float) -> None:
    text = number_text(number)
    assert float(text) == number
    assert (
        text
        == number_text(Decimal(repr(number)))
        == number_text(Decimal(repr(number) + "0" if "e" not in repr(number) else repr(number)))
    )
