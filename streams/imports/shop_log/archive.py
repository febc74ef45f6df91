"""The lines of a file: plain, gzip or zstd, recognised by the first bytes, in memory that does not grow with the file.

What a damaged archive held before the damage is yielded first; then :class:`Damaged` says how far it was read.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from itertools import chain
from select import select
from typing import TYPE_CHECKING, BinaryIO

import zstandard

from infra.errors import Fault

if TYPE_CHECKING:
    from zlib import _Decompress

BLOCK = 1 << 18
LONGEST = 1 << 20
"""The bytes of the longest line, its end not counted."""

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
GZIP = b"\x1f\x8b"
LARGEST_STEP = 1 << 20
"""The most bytes that one step of inflating makes, however well they were packed."""

MAGIC = b"\x28\xb5\x2f\xfd"
ZSTD = re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18")
"""The start of a frame, or of one to be skipped."""

LONGEST_HEADER = 18
RUN = 1
"""The type of a block that is one byte, repeated."""

CUT = "The archive is cut short: it ends before its last part does."
AFTER = "There are bytes after the end of the archive: they are no part of it."


class Damaged(Fault):
    """A file that cannot be read to its end; ``line`` is the last whole line reached."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"{reason} The last whole line before it is {line}.")
        self.line = line
        self.reason = reason


def raw_lines(source: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Yield each line that is not blank: its number, from 1, and its bytes without the line's end.

    A line of more than :data:`LONGEST` bytes comes as its first ``LONGEST + 1``. Raises :class:`Damaged` after the last whole
    line before the damage.
    """
    number, held = 0, b""
    blocks = decoded(source)
    try:
        for block in blocks:
            pieces = block.split(b"\n")
            pieces[0] = held + pieces[0]
            held = pieces.pop()[: LONGEST + 2]  # with room for a carriage return
            for piece in pieces:
                number += 1
                if line := without_end(piece):
                    yield number, line
    except Broken as broken:
        raise Damaged(number, broken.reason) from broken
    if line := without_end(held):
        yield number + 1, line


def without_end(piece: bytes) -> bytes:
    """Return a line without its end; nothing of a blank line."""
    line = piece.removesuffix(b"\r")
    return line[: LONGEST + 1] if len(line) > LONGEST or not line.isspace() else b""


def decoded(source: BinaryIO) -> Iterator[bytes]:
    """Yield the text's bytes, without a byte order mark. Raises :class:`Broken`."""
    blocks = read(source)
    start, blocks = peek(blocks, 4)
    if start.startswith(GZIP):
        blocks = filter(None, gzip_blocks(blocks))
    elif ZSTD.match(start):
        blocks = filter(None, zstd_blocks(blocks))
    start, blocks = peek(blocks, len(BYTE_ORDER_MARK))
    if start.startswith(BYTE_ORDER_MARK):
        yield start.removeprefix(BYTE_ORDER_MARK)
        next(blocks)
    yield from blocks


def read(source: BinaryIO) -> Iterator[bytes]:
    """Yield blocks of the file. Raises :class:`Broken`."""
    try:
        while (block := next_block(source)) != b"":
            if block is None:
                select((source,), (), ())
            else:
                yield block
    except OSError as fault:
        raise Broken(f"The file cannot be read on ({fault.strerror or fault}).") from None


def next_block(source: BinaryIO) -> bytes | None:
    """Return nothing at the end; None if a pipe that does not block has nothing yet."""
    return source.read(BLOCK)


def peek(blocks: Iterator[bytes], size: int) -> tuple[bytes, Iterator[bytes]]:
    """Return the first blocks as one of at least ``size`` bytes, and all blocks, beginning with it."""
    start = b""
    while len(start) < size and (block := next(blocks, b"")):
        start += block
    return start, chain((start,), blocks)


# Gzip, member after member


class Broken(Exception):  # noqa: N818 - becomes Damaged where the lines are counted
    """The archive cannot be read further; all that could be read was yielded."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def corrupt(why: object) -> Broken:
    return Broken(f"The archive is corrupt ({why}).")


def gzip_blocks(packed: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the bytes that gzip members hold. Raises :class:`Broken`."""
    member: _Decompress | None = None
    for block in packed:
        rest = block
        while rest:
            if member is None:
                if rest[:1] != GZIP[:1]:
                    raise Broken(AFTER)
                member = zlib.decompressobj(wbits=31)
            before = member.copy()  # a step that fails loses what it inflated
            try:
                text = member.decompress(rest, LARGEST_STEP)
            except zlib.error as error:
                yield from salvaged(before, rest)
                raise corrupt(error) from error
            if text:
                yield text
            rest = member.unused_data if member.eof else member.unconsumed_tail
            if member.eof:
                member = None
    if member is not None:
        yield from pending(member)
        raise Broken(CUT)


def salvaged(member: _Decompress, packed: bytes) -> Iterator[bytes]:
    """Yield what can be inflated byte by byte before the fault."""
    try:
        for place in range(len(packed)):
            yield member.decompress(packed[place : place + 1])
    except zlib.error:
        return


def pending(member: _Decompress) -> Iterator[bytes]:
    try:
        yield member.flush()
    except zlib.error:
        return


# Zstandard, frame by frame and block by block (RFC 8878: a header, blocks of which one is marked the last, and perhaps a
# checksum). One block at a time bounds the memory (128 KiB), keeps what stands before a fault and finds a missing end.


class Packed:
    """The archive's bytes, taken piece by piece."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._held = b""
        self._place = 0

    def peek(self, size: int) -> bytes:
        """Return the next ``size`` bytes, or fewer at the end, and leave them."""
        while len(self._held) - self._place < size and (block := next(self._blocks, b"")):
            self._held, self._place = self._held[self._place :] + block, 0
        return self._held[self._place : self._place + size]

    def take(self, size: int) -> bytes:
        """Return the next ``size`` bytes, which must be there. Raises :class:`Broken`."""
        piece = self.peek(size)
        if len(piece) < size:
            raise Broken(CUT)
        self._place += size
        return piece


def zstd_blocks(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the bytes that zstd frames hold. Raises :class:`Broken`."""
    packed = Packed(blocks)
    while start := packed.peek(4):
        if not ZSTD.match(start) and not MAGIC.startswith(start):
            raise Broken(AFTER)
        if packed.take(4) == MAGIC:
            yield from frame(packed)
        else:
            skip(packed, int.from_bytes(packed.take(4), "little"))


def frame(packed: Packed) -> Iterator[bytes]:
    """Yield the bytes of one frame, whose first four have been taken."""
    start = MAGIC + packed.peek(LONGEST_HEADER - 4)
    decoder = zstandard.ZstdDecompressor().decompressobj()
    try:
        header = packed.take(zstandard.frame_header_size(start) - 4)
        checked = zstandard.get_frame_parameters(start).has_checksum
        yield decoder.decompress(MAGIC + header)
        last = False
        while not last:
            head = packed.take(3)
            bits = int.from_bytes(head, "little")
            last = bool(bits & 1)
            yield decoder.decompress(head + packed.take(1 if bits >> 1 & 3 == RUN else bits >> 3))
        if checked:
            yield decoder.decompress(packed.take(4))
    except zstandard.ZstdError as error:
        raise (corrupt(error) if len(start) == LONGEST_HEADER else Broken(CUT)) from error
    if not decoder.eof:
        raise corrupt("a frame has no end")


def skip(packed: Packed, size: int) -> None:
    while size:
        size -= len(packed.take(min(size, 1 << 16)))
