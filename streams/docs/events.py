"""Generates ``docs/events.md`` from the registry: ``python -m streams.docs.events``."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import cleandoc

from aggregates.programme import Programme
from aggregates.value import annotations_of
from infra.codec import PARTITION_KEYS, EventType, partition_fields
from streams.registry import EVENTS, TOPICS, folds


def page() -> str:
    """Return the whole page."""
    return "\n".join(lines()) + "\n"


def lines() -> Iterator[str]:
    yield "# Events"
    yield ""
    yield "<!-- generated from the registry by `make docs`; a test keeps it up to date -->"
    yield ""
    yield f"{len(EVENTS)} events are stored, by these names for ever. Instants (`at`, `starts`, …) are UTC epoch milliseconds,"
    yield "money is integer minor units. A stored event is JSON that begins with its `key`: the first of"
    yield f"{', '.join(f'`{name}`' for name in PARTITION_KEYS)} that the event has."
    yield "Sealed fields can be read as long as their member's key exists. [Commands](commands.md) have a page of their own."
    yield ""
    for kind in EVENTS.values():
        yield from event(kind)


def event(kind: EventType) -> Iterator[str]:
    """Yield the part of the page about one event."""
    yield f"## {kind.name}"
    yield ""
    if kind.event.__doc__:
        yield cleandoc(kind.event.__doc__)
        yield ""
    yield "| field | type | |"
    yield "|---|---|---|"
    for name, hint in annotations_of(kind.event).items():
        kept = str(hint).replace("|", "\\|")
        yield f"| `{name}` | `{kept}` | {'sealed' if name in kind.sealed else ''} |"
    yield ""
    reached = [fold.name for fold in folds(Programme()) if kind.event in fold.events]
    keys = " or ".join(f"`{name}`" for name in partition_fields(kind.event))
    yield f"Topic `{TOPICS[kind.event]}`, key {keys}. Folds: {', '.join(reached) or 'none'}."
    yield ""


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201 - it is what this module is run for
