"""Money as a file writes it, in major units; as the shop counts it, in minor units. Rounding happens in one place."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from aggregates.decider import LARGEST_COUNT
from streams.imports.shop_log.figures import is_number, number_text
from streams.imports.shop_log.rejected import Rejected

if TYPE_CHECKING:
    from streams.imports.shop_log.lines import OrderLineItem

UNIT_PRICE_DIGITS = 6

WRITTEN = re.compile(r"[0-9]+(?:\.[0-9]+)?")

TOO_LARGE = f"An amount is at most {LARGEST_COUNT} minor units."
TOO_PRECISE = "An amount has no more decimals than the currency, a unit_price no more than six: round it."


def money(value: Any, digits: int) -> int:
    """Minor units of an amount with at most ``digits`` decimals; zeros at the end do not count.

    >>> money("12.5", 2), money(12.50, 2), money("3.000", 0)
    (1250, 1250, 3)

    Raises :class:`Rejected`.
    """
    return scaled(written(value), digits)


def tender(value: Any, digits: int) -> int:
    """As :func:`money`, but it may be below nothing: a manufacturer's coupon may exceed what it pays for."""
    text = written(value, signed=True)
    return -scaled(text[1:], digits) if text.startswith("-") else scaled(text, digits)


def unit_price(value: Any, digits: int) -> Decimal:
    """Minor units, and parts of them, of an amount with at most six decimals.

    >>> unit_price("1.2345", 2)
    Decimal('123.4500')

    Raises :class:`Rejected`.
    """
    millionths = scaled(written(value), UNIT_PRICE_DIGITS, LARGEST_COUNT * 10 ** (UNIT_PRICE_DIGITS - digits))
    return Decimal(millionths).scaleb(digits - UNIT_PRICE_DIGITS)


def total_of(item: OrderLineItem) -> int | None:
    """What a line costs after its discount, in minor units; None if it names no price of its own.

    Raises :class:`Rejected` if the discount exceeds the price, or the total the largest amount.
    """
    if item.total is not None or item.unit_price is None:
        return item.total
    total = gross_of(item.unit_price, item.quantity) - item.discount
    if total < 0:
        raise Rejected("total_negative", "The discount exceeds quantity × unit_price: a line costs at least nothing.")
    if total > LARGEST_COUNT:
        raise Rejected("money_too_large", TOO_LARGE)
    return total


def gross_of(price: Decimal, quantity: int) -> int:
    """``quantity`` times ``price`` in minor units, rounded once, half to even.

    >>> gross_of(Decimal("0.5"), 1), gross_of(Decimal("0.5"), 3)
    (0, 2)
    """
    over, under = price.as_integer_ratio()
    total, rest = divmod(over * quantity, under)
    return total + (2 * rest > under or (2 * rest == under and total % 2 == 1))


def written(value: Any, signed: bool = False) -> str:
    """The digits of an amount, before and behind the point."""
    text = number_text(value) if is_number(value) else value
    if not isinstance(text, str):
        raise Rejected("money_invalid", 'Money is a number, or decimal text such as "12.50".')
    if WRITTEN.fullmatch(text.removeprefix("-") if signed else text):
        return text
    if is_number(value) and "E" in text:
        raise Rejected("money_too_large", TOO_LARGE) if "E+" in text else Rejected("money_too_precise", TOO_PRECISE)
    if WRITTEN.fullmatch(text.removeprefix("-")):
        raise Rejected("money_negative", "Negative money is not taken: write what is given back as a refund.")
    raise Rejected("money_invalid", 'Money as text is digits and a point, such as "12.50": no sign, space or exponent.')


def scaled(text: str, digits: int, most: int = LARGEST_COUNT) -> int:
    whole, _, fraction = text.partition(".")
    whole, fraction = whole.lstrip("0"), fraction.rstrip("0")
    if len(fraction) > digits:
        raise Rejected("money_too_precise", TOO_PRECISE)
    units = int("0" + whole + fraction.ljust(digits, "0")) if len(whole) <= 20 else most + 1
    if units > most:
        raise Rejected("money_too_large", TOO_LARGE)
    return units
