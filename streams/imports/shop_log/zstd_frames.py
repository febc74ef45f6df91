"""Zstandard, frame after frame and block by block: a block's header tells its size, so nothing ends unnoticed.

Decoding one block at a time bounds the memory (a block makes 128 KiB at most) and keeps all that stands before a fault. The
layout is that of RFC 8878: a frame is a header, blocks of which one is marked the last, and a checksum if the header says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import zstandard

from streams.imports.shop_log.inflating import AFTER, CUT, Broken, corrupt

MAGIC = b"\x28\xb5\x2f\xfd"
ZSTD = re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18")
"""A frame, or one to be skipped."""

LONGEST_HEADER = 18
RUN = 1
"""The type of a block that is one byte, repeated."""


class Packed:
    """The archive's bytes, taken piece by piece."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._held = b""
        self._place = 0

    def peek(self, size: int) -> bytes:
        """The next ``size`` bytes, or fewer at the end."""
        while len(self._held) - self._place < size and (block := next(self._blocks, b"")):
            self._held, self._place = self._held[self._place :] + block, 0
        return self._held[self._place : self._place + size]

    def take(self, size: int) -> bytes:
        """The next ``size`` bytes, which must be there. Raises :class:`Broken`."""
        piece = self.peek(size)
        if len(piece) < size:
            raise Broken(CUT)
        self._place += size
        return piece


def zstd_blocks(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The bytes that zstd frames hold. Raises :class:`Broken`."""
    packed = Packed(blocks)
    while start := packed.peek(4):
        if not ZSTD.match(start) and not MAGIC.startswith(start):
            raise Broken(AFTER)
        if packed.take(4) == MAGIC:
            yield from frame(packed)
        else:
            skip(packed, int.from_bytes(packed.take(4), "little"))


def frame(packed: Packed) -> Iterator[bytes]:
    """The bytes of one frame, whose first four have been taken."""
    start = MAGIC + packed.peek(LONGEST_HEADER - 4)
    decoder = zstandard.ZstdDecompressor().decompressobj()
    try:
        header = packed.take(zstandard.frame_header_size(start) - 4)
        checked = zstandard.get_frame_parameters(start).has_checksum
        yield decoder.decompress(MAGIC + header)
        last = False
        while not last:
            head = packed.take(3)
            said = int.from_bytes(head, "little")
            last = bool(said & 1)
            yield decoder.decompress(head + packed.take(1 if said >> 1 & 3 == RUN else said >> 3))
        if checked:
            yield decoder.decompress(packed.take(4))
    except zstandard.ZstdError as error:
        raise (corrupt(error) if len(start) == LONGEST_HEADER else Broken(CUT)) from error
    if not decoder.eof:
        raise corrupt("a frame has no end")


def skip(packed: Packed, size: int) -> None:
    while size:
        size -= len(packed.take(min(size, 1 << 16)))
