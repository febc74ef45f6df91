"""Which members' lists hold a product, so that it leaves all of them when it is no longer sold.

A product's members are read when they are needed, and dropped with the chunk: for a product that is popular they are many. What
a read misses is what the chunk before has written, which may still be on its way; that is kept for one chunk.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import count

from aggregates.delta import Delta
from models.recommender.habits import LIST

LISTING = "listing"

LONGEST = 64
"""Characters of a field. With a longer one, Redis keeps a member's whole map in twice the memory."""


class ListIndex:
    """Products by member, and members by product.

    >>> index = ListIndex()
    >>> index.load({"listing:tea": {"eve": "1"}, "repeat:eve": {LIST: "tea"}}); index.put("eve", ["pot"])
    >>> index.put("ann", ["tea", "pot"])
    >>> index.holders("tea")
    ['ann']
    """

    def __init__(self) -> None:
        self._shown: dict[str, tuple[str, ...]] = {}
        self._holders: dict[str, set[str]] = {}  # of the products that this chunk asked for
        self._moved: dict[str, dict[str, bool]] = {}
        self._moved_before: dict[str, dict[str, bool]] = {}
        self._stored: dict[str, int] = {}  # fields of each member's list
        self._changed: set[str] = set()

    def put(self, member: str, products: Iterable[str]) -> None:
        """Note what a member's list holds now."""
        before, now = self._shown.get(member, ()), dict.fromkeys(products)
        for product in before:
            if product not in now:
                self._move(product, member, False)
        for product in now.keys() - set(before):
            self._move(product, member, True)
        self._shown[member] = tuple(now)
        self._changed.add(member)

    def holders(self, product: str) -> list[str]:
        """Return the members whose lists hold a product that was read, in the order of their ids."""
        return sorted(self._holders.get(product, ()))

    def _move(self, product: str, member: str, holds: bool) -> None:
        self._moved.setdefault(product, {})[member] = holds
        if (holders := self._holders.get(product)) is not None:
            (holders.add if holds else holders.discard)(member)

    def end_chunk(self) -> list[str]:
        """Drop what was read for a chunk, and return its keys."""
        keys = [f"{LISTING}:{product}" for product in self._holders]
        self._holders.clear()
        self._moved_before, self._moved = self._moved, {}
        return keys

    # State

    def dump(self, delta: Delta) -> None:
        """Write what changed since the last time."""
        for product, members in self._moved.items():
            delta.fields[f"{LISTING}:{product}"].update({member: 1 if holds else None for member, holds in members.items()})
        for member in self._changed:
            texts, before = packed(self._shown[member]), self._stored.get(member, 0)
            fields = delta.fields[f"repeat:{member}"]
            fields.update((field_of(at), text) for at, text in enumerate(texts))
            fields.update((field_of(at), None) for at in range(len(texts), before))
            self._stored[member] = len(texts)
        self._changed.clear()

    def load(self, maps: Mapping[str, Mapping[str, str]]) -> None:
        """Read the state from where it was written."""
        for key, fields in maps.items():
            kind, _, name = key.partition(":")
            if kind == LISTING:
                moved = self._moved_before.get(name, {})
                self._holders[name] = {m for m in (*fields, *moved) if moved.get(m, True)}
            elif kind == "repeat" and LIST in fields:
                texts = list(texts_of(fields))
                self._shown[name] = tuple("\n".join(texts).split("\n"))
                self._stored[name] = len(texts)


def field_of(at: int) -> str:
    return f"{LIST}{at or ''}"


def texts_of(fields: Mapping[str, str]) -> Iterator[str]:
    """Yield the texts of a stored list in their order."""
    for at in count():
        text = fields.get(field_of(at))
        if text is None:
            return
        yield text


def packed(products: Iterable[str]) -> list[str]:
    """Return products as lines of a few texts, none of which is longer than it must be.

    >>> [len(text) for text in packed(["a" * 40, "b" * 20, "c" * 10])]
    [61, 10]
    """
    texts: list[str] = []
    for product in products:
        if texts and len(texts[-1]) + 1 + len(product) <= LONGEST:
            texts[-1] += "\n" + product
        else:
            texts.append(product)
    return texts
