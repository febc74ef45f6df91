"""Which partition a key's records go to: murmur2, as every client of Kafka computes it."""

from __future__ import annotations

from kafka.partitioner import murmur2

from infra.codec import KEY, key_of

MOST_KEYS = 200_000  # kept at hand: 30 MB


def hash_of(key: bytes) -> int:
    """What is divided by the number of partitions; it is never negative."""
    return int(murmur2(key)) & 0x7FFFFFFF


def partition_of(key: bytes, partitions: int) -> int:
    """
    >>> [partition_of(key, 16) for key in (b"1057", b"m-1", b"")]
    [10, 13, 9]
    """
    return hash_of(key) % partitions


class Keys:
    """The keys of stored events, in UTF-8, with their hashes; a shop's shoppers come again."""

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[bytes, int]] = {}

    def of(self, state: bytes) -> tuple[bytes, int]:
        """
        >>> Keys().of(b'{"key":"1057","member":"1057"}')[0]
        b'1057'
        """
        begins = KEY.match(state)
        found = self._known.get(begins[1]) if begins else None
        if found is None:
            key = key_of(state).encode()
            found = key, hash_of(key)
            if len(self._known) >= MOST_KEYS:
                self._known.clear()
            if begins:
                self._known[begins[1]] = found
        return found
