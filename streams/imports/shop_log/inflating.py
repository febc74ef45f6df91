"""Gzip, member after member, in blocks of bounded size; what a damaged one held before the damage comes first."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zlib import _Decompress

GZIP = b"\x1f\x8b"
LARGEST = 1 << 20
"""The most bytes that one step makes, however well they were packed."""

CUT = "The archive is cut short: it ends before its last part does."
AFTER = "There are bytes after the end of the archive: they are no part of it."


class Broken(Exception):  # noqa: N818 - told where the lines are counted
    """The archive cannot be read on; everything that could was yielded."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def corrupt(why: object) -> Broken:
    return Broken(f"The archive is corrupt ({why}).")


def gzip_blocks(packed: Iterator[bytes]) -> Iterator[bytes]:
    """The bytes that gzip members hold. Raises :class:`Broken`."""
    member: _Decompress | None = None
    for block in packed:
        rest = block
        while rest:
            if member is None:
                if rest[:1] != GZIP[:1]:
                    raise Broken(AFTER)
                member = zlib.decompressobj(wbits=31)
            before = member.copy()  # inflating keeps nothing of a step that fails
            try:
                text = member.decompress(rest, LARGEST)
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
    """What can be had byte by byte before the fault."""
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
