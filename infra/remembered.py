"""Hold what was used last in memory, bounded by number and by bytes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import ItemsView
from typing import Generic, TypeVar

import msgspec

V = TypeVar("V")

ENCODE = msgspec.msgpack.Encoder(enc_hook=str).encode


def size_of(value: object) -> int:
    """Return about how many bytes a value has, as encoded; in memory it takes some times as many."""
    try:
        return len(ENCODE(value))
    except (TypeError, ValueError, OverflowError):  # an integer beyond 64 bits
        return len(repr(value))


class Remembered(Generic[V]):
    """The values that were put or updated last: at most ``most`` of them, of at most ``most_bytes`` together.

    Measuring costs as much as writing, so a value is measured at its 1st, 2nd, 4th, 8th … update only.

    >>> remembered = Remembered(most=9, most_bytes=20)
    >>> for name in ("a", "b", "c"): remembered.put(name, name * 8)
    >>> remembered.shrink()
    >>> "a" in remembered, remembered.get("b"), remembered.get("c")
    (False, 'bbbbbbbb', 'cccccccc')
    """

    def __init__(self, most: int, most_bytes: int) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._values: OrderedDict[str, V] = OrderedDict()
        self._measured: dict[str, tuple[int, int]] = {}  # updates and size of each
        self._bytes = 0

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def get(self, key: str) -> V | None:
        return self._values.get(key)

    def items(self) -> ItemsView[str, V]:
        return self._values.items()

    def put(self, key: str, value: V) -> None:
        """Add a value, or update it. Call :meth:`shrink` afterwards."""
        updates, size = self._measured.get(key, (0, 0))
        updates += 1
        if not updates & (updates - 1):
            self._bytes -= size
            size = size_of(value)
            self._bytes += size
        self._measured[key] = updates, size
        self._values[key] = value
        self._values.move_to_end(key)

    def shrink(self, least: int = 0) -> None:
        """Forget the values that were put longest ago, until the bounds hold, but keep the ``least`` latest."""
        while len(self._values) > least and (len(self._values) > self._most or self._bytes > self._most_bytes):
            key, _ = self._values.popitem(last=False)
            self._bytes -= self._measured.pop(key)[1]

    def clear(self) -> None:
        self._values.clear()
        self._measured.clear()
        self._bytes = 0
