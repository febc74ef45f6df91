"""Minor units as the decimal text that a shop-log has."""

from __future__ import annotations

from aggregates.money import minor_units


class Amounts:
    """
    >>> Amounts("EUR").text(1205), Amounts("EUR").text(-5), Amounts("JPY").text(90)
    ('12.05', '-0.05', '90')
    """

    def __init__(self, currency: str) -> None:
        self._unit = minor_units(currency)
        self._digits = len(str(self._unit)) - 1

    def text(self, amount: int | None) -> str | None:
        if amount is None:
            return None
        major, minor = divmod(abs(amount), self._unit)
        sign = "-" if amount < 0 else ""
        return f"{sign}{major}.{minor:0{self._digits}d}" if self._digits else f"{sign}{major}"
