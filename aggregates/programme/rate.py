"""Rates: rationals, so that no float ever touches money or points. A document has them as text: ``1.5``, ``3/2``, ``50 %``."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TypeAlias

Rate: TypeAlias = tuple[int, int]
"""A rational: numerator, denominator."""

DECIMAL = re.compile(r"(\d{1,9}(?:\.\d{1,9})?) ?(%?)", re.ASCII)
RATIO = re.compile(r"(\d{1,9}) ?/ ?(0*[1-9]\d{0,8})", re.ASCII)


def rate(text: str) -> Rate | None:
    """What a text says, in lowest terms; None if it is no rate.

    >>> rate("1.5"), rate("3/2"), rate("50 %"), rate("-1"), rate("1/0")
    ((3, 2), (3, 2), (1, 2), None, None)
    """
    if decimal := DECIMAL.fullmatch(text):
        return (Fraction(decimal[1]) / (100 if decimal[2] else 1)).as_integer_ratio()
    if ratio := RATIO.fullmatch(text):
        return Fraction(int(ratio[1]), int(ratio[2])).as_integer_ratio()
    return None


def rate_text(value: Rate) -> str:
    """As a document has it: a decimal number where there is one.

    >>> rate_text((3, 2)), rate_text((1, 100)), rate_text((2, 1)), rate_text((1, 3)), rate_text((1, 2**40))
    ('1.5', '0.01', '2', '1/3', '1/1099511627776')
    """
    numerator, denominator = Fraction(*value).as_integer_ratio()
    for digits in range(10):
        if not 10**digits % denominator:
            whole, rest = divmod(numerator * 10**digits // denominator, 10**digits)
            return f"{whole}.{rest:0{digits}}" if digits else str(whole)
    return f"{numerator}/{denominator}"
