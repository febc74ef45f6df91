"""What differs between two policy documents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from aggregates.programme.document import Path
from aggregates.programme.terms import Programme


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


def dropped(before: Programme, after: Programme) -> Iterator[str]:
    """What terms no longer know that members may hold, and what becomes of whoever does.

    >>> [said.split(":")[0] for said in dropped(Programme(), Programme(tiers=()))]
    ['Tier silver is gone', 'Tier gold is gone']
    """
    for wallet in before.wallets:
        if after.wallet(wallet.name) is None:
            yield (
                f"Wallet {wallet.name} is gone: its points stay with whoever has some, to their expiry, but cannot be spent, "
                "held, sent or given by hand until a version has it again."
            )
    for tier in before.tiers:
        if not after.rank(tier.name):
            yield (
                f"Tier {tier.name} is gone: whoever holds it earns as one without a tier, rises with the next purchase that "
                "reaches another, and has none after the next review."
            )


def named(entries: list[Any]) -> bool:
    return all(isinstance(entry, Mapping) and ("id" in entry or "name" in entry) for entry in entries)


def by_name(entries: list[Any]) -> dict[str, Any]:
    return {str(entry.get("id", entry.get("name"))): entry for entry in entries}
