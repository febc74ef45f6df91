"""Values that a policy document writes as text: rates (``1.5``, ``3/2``, ``50 %``) and how long points live.

Rates are rationals, so no float ever touches money or points. A validity is ``never``, ``90 days``, ``6 months``, ``end of
month``, ``end of year`` or ``end of year + 1``; it counts from when points become spendable, in the programme's zone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeAlias, assert_never

from aggregates.calendar import add_days, add_months, end_of_day, end_of_month, end_of_year

Rate: TypeAlias = tuple[int, int]
"""A rational: numerator, denominator."""

DECIMAL = re.compile(r"(\d{1,9}(?:\.\d{1,9})?) ?(%?)", re.ASCII)
RATIO = re.compile(r"(\d{1,9}) ?/ ?(0*[1-9]\d{0,8})", re.ASCII)


def rate(text: str) -> Rate | None:
    """Return the rate that a text states, in lowest terms; None if it states none.

    >>> rate("1.5"), rate("3/2"), rate("50 %"), rate("-1"), rate("1/0")
    ((3, 2), (3, 2), (1, 2), None, None)
    """
    if decimal := DECIMAL.fullmatch(text):
        return (Fraction(decimal[1]) / (100 if decimal[2] else 1)).as_integer_ratio()
    if ratio := RATIO.fullmatch(text):
        return Fraction(int(ratio[1]), int(ratio[2])).as_integer_ratio()
    return None


def rate_text(value: Rate) -> str:
    """Return a rate as a document has it: a decimal number where there is one.

    >>> rate_text((3, 2)), rate_text((1, 100)), rate_text((2, 1)), rate_text((1, 3)), rate_text((1, 2**40))
    ('1.5', '0.01', '2', '1/3', '1/1099511627776')
    """
    numerator, denominator = Fraction(*value).as_integer_ratio()
    for digits in range(10):
        if not 10**digits % denominator:
            whole, rest = divmod(numerator * 10**digits // denominator, 10**digits)
            return f"{whole}.{rest:0{digits}}" if digits else str(whole)
    return f"{numerator}/{denominator}"


Span: TypeAlias = Literal["never", "days", "months", "end_of_month", "end_of_year"]


@dataclass(frozen=True)
class Validity:
    """``days``, ``months``: to the end of the local day so many later. ``end_of_month``, ``end_of_year``: of the month or year
    so many after the current one (0: the current one). ``never``: points do not expire.
    """

    span: Span = "never"
    length: int = 0

    def ends(self, active_from: int, zone: str, extra_days: int = 0) -> int | None:
        """Return the first instant at which points that are active from then on have expired; None for never.

        >>> from aggregates.calendar import day_start
        >>> Validity("months", 1).ends(day_start("2026-01-31", "UTC"), "UTC") == day_start("2026-03-01", "UTC")
        True
        """
        last = self.last(active_from, zone)
        if last is None:
            return None
        return end_of_day(add_days(last, extra_days, zone) if extra_days else last, zone)

    def last(self, active_from: int, zone: str) -> int | None:
        """Return an instant of the last day."""
        match self.span:
            case "never":
                return None
            case "days":
                return add_days(active_from, self.length, zone)
            case "months":
                return add_months(active_from, self.length, zone)
            case "end_of_month":
                return end_of_month(active_from, self.length, zone) - 1
            case "end_of_year":
                return end_of_year(active_from, self.length, zone) - 1
            case _:
                assert_never(self.span)


COUNTED = re.compile(r"(\d{1,6}) (day|month)s?", re.ASCII)
TO_THE_END = re.compile(r"end of (month|year)(?: ?\+ ?(\d{1,6}))?", re.ASCII)


def validity(text: str) -> Validity | None:
    """Return the validity that a text states; None if it states none.

    >>> validity("6 months"), validity("end of year + 1"), validity("soon")
    (Validity(span='months', length=6), Validity(span='end_of_year', length=1), None)
    """
    if text == "never":
        return Validity()
    if counted := COUNTED.fullmatch(text):
        return Validity("days" if counted[2] == "day" else "months", int(counted[1]))
    if end := TO_THE_END.fullmatch(text):
        return Validity("end_of_month" if end[1] == "month" else "end_of_year", int(end[2] or 0))
    return None


def validity_text(known: Validity) -> str:
    """Return a validity as a document has it.

    >>> validity_text(Validity("days", 1)), validity_text(Validity("end_of_month", 2)), validity_text(Validity("end_of_year"))
    ('1 day', 'end of month + 2', 'end of year')
    """
    if known.span == "never":
        return "never"
    if known.span in ("days", "months"):
        return f"{known.length} {known.span if known.length != 1 else known.span[:-1]}"
    return known.span.replace("_", " ") + (f" + {known.length}" if known.length else "")
