"""A row of the table of types: what a line of one type holds, and what it becomes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from streams.imports.shop_log.kinds import AT, ID, TEXT
from streams.imports.shop_log.lines import Body
from streams.imports.shop_log.shape import Field, Kind, Shape


@dataclass(frozen=True)
class LineType:
    shape: Shape
    build: Callable[[str, dict[str, Any]], Body]


COMMON = {
    "type": Field(TEXT, "What the line tells of."),
    "at": Field(AT, "When it happened: ISO 8601 with an offset, or epoch milliseconds."),
    "id": Field(ID, "The shop's own name for this line: one that was taken is not taken twice."),
}
WHO = {
    "member_id": Field(ID, "The member."),
    "session_id": Field(ID, "The guest's session; with a member, it is theirs from here on."),
}
ANYONE = ("member_id", "session_id")
PRODUCT = {"product_id": Field(ID, "The product.")}
ORDER = {"order_id": Field(ID, "The order.")}


def line_type(
    name: str,
    about: str,
    build: Callable[[str, dict[str, Any]], Body],
    fields: dict[str, Field],
    *needs: str | tuple[str, ...],
    rest: Kind | None = None,
) -> LineType:
    """One row of the table; a need of several names is met by any of them."""
    groups = tuple((need,) if isinstance(need, str) else need for need in ("at", *needs))
    return LineType(Shape(name, about, {**COMMON, **fields}, groups, rest), build)
