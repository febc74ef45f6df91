"""The lines of a file: plain, gzip or zstd, told apart by the first bytes; in memory that does not grow with the file.

What an archive held before it was damaged is yielded first; then :class:`Damaged` says how far it was read.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from select import select
from typing import BinaryIO

from infra.errors import Fault
from streams.imports.shop_log.inflating import GZIP, Broken, gzip_blocks
from streams.imports.shop_log.zstd_frames import ZSTD, zstd_blocks

BLOCK = 1 << 18
LONGEST = 1 << 20
"""The bytes of the longest line, its end not counted."""

MARK = b"\xef\xbb\xbf"


class Damaged(Fault):
    """A file that cannot be read to its end; ``line`` is the last whole line reached."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"{reason} The last whole line before it is {line}.")
        self.line = line
        self.reason = reason


def raw_lines(source: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Each line that is not blank: its number, from 1, and its bytes without the line's end.

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
                if line := told(piece):
                    yield number, line
    except Broken as broken:
        raise Damaged(number, broken.reason) from broken
    if line := told(held):
        yield number + 1, line


def told(piece: bytes) -> bytes:
    """A line without its end, and nothing of a blank one."""
    line = piece.removesuffix(b"\r")
    return line[: LONGEST + 1] if len(line) > LONGEST or not line.isspace() else b""


def decoded(source: BinaryIO) -> Iterator[bytes]:
    """The text's bytes, without a byte order mark. Raises :class:`Broken`."""
    blocks = read(source)
    start, blocks = peek(blocks, 4)
    if start.startswith(GZIP):
        blocks = filter(None, gzip_blocks(blocks))
    elif ZSTD.match(start):
        blocks = filter(None, zstd_blocks(blocks))
    start, blocks = peek(blocks, len(MARK))
    if start.startswith(MARK):
        yield start.removeprefix(MARK)
        next(blocks)
    yield from blocks


def read(source: BinaryIO) -> Iterator[bytes]:
    """Blocks of the file. Raises :class:`Broken`."""
    try:
        while (block := next_block(source)) != b"":
            if block is None:
                select((source,), (), ())
            else:
                yield block
    except OSError as fault:
        raise Broken(f"The file cannot be read on ({fault.strerror or fault}).") from None


def next_block(source: BinaryIO) -> bytes | None:
    """Nothing at the end; None of a pipe that does not wait, and has no more for now."""
    return source.read(BLOCK)


def peek(blocks: Iterator[bytes], size: int) -> tuple[bytes, Iterator[bytes]]:
    """The first blocks as one of at least ``size`` bytes, and all blocks, that one first."""
    start = b""
    while len(start) < size and (block := next(blocks, b"")):
        start += block
    return start, chain((start,), blocks)
