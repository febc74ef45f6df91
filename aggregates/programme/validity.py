"""How long points live, counted from the instant they become spendable, in the programme's zone.

In a document it is text: ``never``, ``90 days``, ``6 months``, ``end of month``, ``end of year``, ``end of year + 1``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias, assert_never

from aggregates.calendar import add_days, add_months, end_of_day, end_of_month, end_of_year

Span: TypeAlias = Literal["never", "days", "months", "end_of_month", "end_of_year"]


@dataclass(frozen=True)
class Validity:
    """``days``, ``months``: to the end of the local day so many later. ``end_of_month``, ``end_of_year``: of the month or year
    so many after the current one, 0 for the current. ``never``: points do not expire.
    """

    span: Span = "never"
    length: int = 0

    def ends(self, active_from: int, zone: str, extra_days: int = 0) -> int | None:
        """The first instant at which points active from then on are expired; None: there is none.

        >>> from aggregates.calendar import day_start
        >>> Validity("months", 1).ends(day_start("2026-01-31", "UTC"), "UTC") == day_start("2026-03-01", "UTC")
        True
        """
        last = self.last(active_from, zone)
        if last is None:
            return None
        return end_of_day(add_days(last, extra_days, zone) if extra_days else last, zone)

    def last(self, active_from: int, zone: str) -> int | None:
        """An instant of the last day."""
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
    """What a text says; None if it is no validity.

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
    """As a document has it.

    >>> validity_text(Validity("days", 1)), validity_text(Validity("end_of_month", 2)), validity_text(Validity("end_of_year"))
    ('1 day', 'end of month + 2', 'end of year')
    """
    if known.span == "never":
        return "never"
    if known.span in ("days", "months"):
        return f"{known.length} {known.span if known.length != 1 else known.span[:-1]}"
    return known.span.replace("_", " ") + (f" + {known.length}" if known.length else "")
