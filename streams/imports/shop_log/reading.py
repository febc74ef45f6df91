"""From the bytes of a line to what it says. Pure, but for the count of unknown fields."""

from __future__ import annotations

from collections import Counter
from zoneinfo import ZoneInfo

from aggregates.money import minor_units
from streams.imports.shop_log.content import content_of
from streams.imports.shop_log.document import parse_object
from streams.imports.shop_log.instants import DAY
from streams.imports.shop_log.lines import ShopLine
from streams.imports.shop_log.rejected import Rejected
from streams.imports.shop_log.shape import Terms
from streams.imports.shop_log.table import TABLE

MOST_NAMES = 1000
OTHERS = "(others)"
"""What unknown fields count as once there are too many names to keep."""


class Reader:
    """Reads one shop's lines: amounts in ``currency``, text without an offset in the IANA ``zone``.

    ``now`` is epoch milliseconds; nothing may have happened more than a day after it. ``unknown_fields`` counts the fields of
    the lines that were read which nothing reads, by type and name (``view.colour``, ``order.lines.colour``).
    """

    def __init__(self, currency: str, zone: str | None, now: int) -> None:
        self.unknown_fields: Counter[str] = Counter()
        digits = len(str(minor_units(currency))) - 1
        self._terms = Terms(digits, None if zone is None else ZoneInfo(zone), now + DAY)

    def read(self, number: int, raw: bytes) -> ShopLine:
        """What line ``number`` of the file says. Raises :class:`Rejected`, and nothing else."""
        document = parse_object(raw)
        kind = document.get("type")
        if type(kind) is not str:
            raise Rejected("type_missing", 'The line has no type: write one, as in "type": "view".')
        row = TABLE.get(kind)
        if row is None:
            raise Rejected("type_unknown", f"No line is of type {kind[:80]!r}: regulars import shop-log --schema names them.")
        unknown = self._terms.unknown
        unknown.clear()
        told = row.shape.read(document, self._terms)
        body = row.build(kind, told)
        at = told["at"]
        content = content_of(kind, at, body)
        if unknown:
            self._count(unknown)
        return ShopLine(number, kind, at, told.get("id"), content, body)

    def _count(self, unknown: list[str]) -> None:
        counted = self.unknown_fields
        for name in unknown:
            counted[name if name in counted or len(counted) < MOST_NAMES else OTHERS] += 1
