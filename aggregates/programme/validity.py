"""How long points live, counted from the instant they become spendable, in the programme's zone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, assert_never

from aggregates.programme_time import add_days, add_months, end_of_day, end_of_month, end_of_year

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

        >>> from aggregates.programme_time import day_start
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
