"""What differs between two policy documents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from aggregates.programme.document import Path


def changes(before: object, after: object, path: Path = ()) -> Iterator[tuple[Path, object, object]]:
    """What differs between two documents: where, what it was, what it is (None: not there). Rules are matched by id or name;
    where their order differs, that is told as well.

    >>> list(changes({"tiers": [{"name": "a", "keep": 1}]}, {"tiers": [{"name": "b", "keep": 9}, {"name": "a", "keep": 2}]}))
    [(('tiers', 'b'), None, {'name': 'b', 'keep': 9}), (('tiers', 'a', 'keep'), 1, 2)]
    """
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in {**after, **before}:
            yield from changes(before.get(name), after.get(name), (*path, name))
    elif isinstance(before, list) and isinstance(after, list) and named(before) and named(after):
        old, new = by_name(before), by_name(after)
        yield from changes(old, new, path)
        if [name for name in old if name in new] != [name for name in new if name in old]:
            yield path, list(old), list(new)
    elif before != after:
        yield path, before, after


def named(entries: list[Any]) -> bool:
    return all(isinstance(entry, Mapping) and ("id" in entry or "name" in entry) for entry in entries)


def by_name(entries: list[Any]) -> dict[str, Any]:
    return {str(entry.get("id", entry.get("name"))): entry for entry in entries}
