"""Numbers by their value, whichever way JSON wrote them: 2, 2.0 and 20e-1 are one number."""

from __future__ import annotations

from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal
from typing import Any, TypeAlias

from streams.imports.shop_log.rejected import Rejected

Number: TypeAlias = int | float | Decimal

WRITTEN_OUT = 30
"""Beyond so many digits before or behind the point, a number is written with an exponent."""

EXACT = Context(prec=2_000_000, Emax=MAX_EMAX, Emin=MIN_EMIN)
"""More digits than a line can have."""


def is_number(value: object) -> bool:
    """True and false are none."""
    return type(value) in (int, float, Decimal)


def number_text(number: Number) -> str:
    """The one text of a number's value.

    >>> number_text(2.50), number_text(Decimal("20e-1")), number_text(-0.0), number_text(1e300)
    ('2.5', '2', '0', '1E+300')
    """
    if type(number) is int:
        return str(number)
    if not number:
        return "0"
    value = Decimal(number)
    if isinstance(number, float):
        text = repr(number)  # the shortest that reads as this float, so as it was written
        if "e" not in text:
            return text.removesuffix(".0")
        value = Decimal(text)
    if not -WRITTEN_OUT <= value.adjusted() <= WRITTEN_OUT:
        return str(value.normalize(EXACT))
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def whole_number(value: object, least: int, most: int, code: str) -> int:
    """An integer, 2.0 too. Raises :class:`Rejected` with ``code`` if it is none from ``least`` to ``most``."""
    if type(value) is int and least <= value <= most:
        return value
    if isinstance(value, float | Decimal) and least <= value <= most and value == int(value):
        return int(value)
    raise Rejected(code, f"It must be a whole number from {least} to {most}.")


def by_value(value: Any) -> Any:
    """A JSON value in which equal numbers are equal: whole ones of 64 bits are ints, others floats where a float is exact."""
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
