"""Numbers and money as a file writes them. Equal numbers are equal however JSON spells them: 2, 2.0 and 20e-1.

Money is written in major units and counted in minor units. It is rounded in one place: :func:`gross_of`.
"""

from __future__ import annotations

import re
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal
from typing import Any, TypeAlias

from aggregates.decider import LARGEST_COUNT
from streams.imports.shop_log.rejected import Rejected

Number: TypeAlias = int | float | Decimal

WRITTEN_OUT = 30
"""A number with more digits than this before or after the point is written with an exponent."""

EXACT = Context(prec=2_000_000, Emax=MAX_EMAX, Emin=MIN_EMIN)
"""More digits than a line can have."""

UNIT_PRICE_DIGITS = 6

WRITTEN = re.compile(r"[0-9]+(?:\.[0-9]+)?")

TOO_LARGE = f"An amount is at most {LARGEST_COUNT} minor units."
TOO_PRECISE = "An amount has no more decimals than the currency, a unit_price no more than six: round it."


def is_number(value: object) -> bool:
    """Return whether a JSON value is a number; true and false are not."""
    return type(value) in (int, float, Decimal)


def number_text(number: Number) -> str:
    """Return the one text of a number's value.

    >>> number_text(2.50), number_text(Decimal("20e-1")), number_text(-0.0), number_text(1e300)
    ('2.5', '2', '0', '1E+300')
    """
    if type(number) is int:
        return str(number)
    if not number:
        return "0"
    value = Decimal(number)
    if isinstance(number, float):
        text = repr(number)  # the shortest text that reads as this float, so as it was written
        if "e" not in text:
            return text.removesuffix(".0")
        value = Decimal(text)
    if not -WRITTEN_OUT <= value.adjusted() <= WRITTEN_OUT:
        return str(value.normalize(EXACT))
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def whole_number(value: object, least: int, most: int, code: str) -> int:
    """Return an integer; 2.0 is one. Raises :class:`Rejected` with ``code`` unless it is from ``least`` to ``most``."""
    if type(value) is int and least <= value <= most:
        return value
    if isinstance(value, float | Decimal) and least <= value <= most and value == int(value):
        return int(value)
    raise Rejected(code, f"It must be a whole number from {least} to {most}.")


def by_value(value: Any) -> Any:
    """Return a JSON value in which equal numbers are equal: whole numbers of 64 bits are ints, others floats if exact."""
    if isinstance(value, dict):
        return {name: by_value(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [by_value(inner) for inner in value]
    if not is_number(value):
        return value
    text = number_text(value)
    if text.lstrip("-").isdecimal() and -(1 << 63) <= int(text) < 1 << 63:
        return int(text)
    return float(text) if number_text(float(text)) == text else Decimal(text)


def money(value: Any, digits: int) -> int:
    """Return the minor units of an amount with at most ``digits`` decimals; trailing zeros do not count.

    >>> money("12.5", 2), money(12.50, 2), money("3.000", 0)
    (1250, 1250, 3)

    Raises :class:`Rejected`.
    """
    return scaled(written(value), digits)


def tender(value: Any, digits: int) -> int:
    """Return minor units as :func:`money` does; they may be negative: a coupon may exceed what it pays for."""
    text = written(value, signed=True)
    return -scaled(text[1:], digits) if text.startswith("-") else scaled(text, digits)


def unit_price(value: Any, digits: int) -> Decimal:
    """Return minor units, and parts of them, of an amount with at most six decimals.

    >>> unit_price("1.2345", 2)
    Decimal('123.4500')

    Raises :class:`Rejected`.
    """
    millionths = scaled(written(value), UNIT_PRICE_DIGITS, LARGEST_COUNT * 10 ** (UNIT_PRICE_DIGITS - digits))
    return Decimal(millionths).scaleb(digits - UNIT_PRICE_DIGITS)


def gross_of(price: Decimal, quantity: int) -> int:
    """Return ``quantity`` × ``price`` in minor units, rounded once, half to even.

    >>> gross_of(Decimal("0.5"), 1), gross_of(Decimal("0.5"), 3)
    (0, 2)
    """
    over, under = price.as_integer_ratio()
    total, rest = divmod(over * quantity, under)
    return total + (2 * rest > under or (2 * rest == under and total % 2 == 1))


def written(value: Any, signed: bool = False) -> str:
    """Return the digits of an amount, before and after the point. Raises :class:`Rejected`."""
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
    """Return decimal text in units of 10^-``digits``. Raises :class:`Rejected` if it is finer, or more than ``most``."""
    whole, _, fraction = text.partition(".")
    whole, fraction = whole.lstrip("0"), fraction.rstrip("0")
    if len(fraction) > digits:
        raise Rejected("money_too_precise", TOO_PRECISE)
    units = int("0" + whole + fraction.ljust(digits, "0")) if len(whole) <= 20 else most + 1
    if units > most:
        raise Rejected("money_too_large", TOO_LARGE)
    return units
