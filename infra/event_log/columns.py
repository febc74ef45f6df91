"""The columns of the log's tables, in order, as PostgreSQL names their types: what is inserted or copied comes so."""

from __future__ import annotations

from typing import Any

from infra.event_log.statements import EVENTS

COLUMNS: dict[str, tuple[str, ...]] = {
    EVENTS: ("int8", "text", "int8", "text", "bytea"),  # position, stream, version, name, state
    "outcomes": ("text", "bool", "text", "text", "int8", "int8", "bytea"),
    "claims": ("text", "text", "text"),
    "limits": ("text", "int8", "int8"),
    "holds": ("text", "text", "int8", "int8"),
    "erasures": ("text", "int8", "bool"),
    "relayed": ("text", "text", "int8", "text"),
    "due": ("text", "int8"),
    "indexed": ("text",),
    "shop": ("text", "text", "text"),
}


def typed(table: str, row: tuple[Any, ...]) -> tuple[Any, ...]:
    """A row with its truths as truths, which SQLite keeps as numbers."""
    return tuple(bool(value) if kind == "bool" else value for value, kind in zip(row, COLUMNS[table], strict=True))
