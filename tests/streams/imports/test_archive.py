from __future__ import annotations

import gzip
import io
import os
import random
import threading
import tracemalloc
from collections.abc import Callable

import pytest
import zstandard

from streams.imports.shop_log.archive import LONGEST, Damaged, raw_lines

CHANCE = random.Random(7)
LINES = [b'{"n":%d,"noise":"%x"}' % (number, CHANCE.getrandbits(200)) for number in range(20_000)]
TEXT = b"\n".join(LINES) + b"\n"
WHOLE = list(enumerate(LINES, 1))

Pack = Callable[[bytes], bytes]


def zst(text: bytes) -> bytes:
    return zstandard.ZstdCompressor(write_checksum=True).compress(text)


def streamed_zst(text: bytes) -> bytes:
    """As a pipe makes it: its header does not know how long the text is."""
    packing = zstandard.ZstdCompressor(write_checksum=True).compressobj()
    return packing.compress(text) + packing.flush()


packed = pytest.mark.parametrize("pack", [gzip.compress, zst, streamed_zst])


class Pipe(io.RawIOBase):
    """Standard input: it cannot go back, and gives as little as it likes."""

    def __init__(self, text: bytes, most: int) -> None:
        self._text, self._most = io.BytesIO(text), most

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        return self._text.readinto(memoryview(buffer)[: self._most])


def lines(archive: bytes) -> list[tuple[int, bytes]]:
    return list(raw_lines(io.BytesIO(archive)))


def until_damage(archive: bytes) -> tuple[list[tuple[int, bytes]], Damaged]:
    read: list[tuple[int, bytes]] = []
    with pytest.raises(Damaged) as damaged:
        read.extend(raw_lines(io.BytesIO(archive)))
    return read, damaged.value


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zst, streamed_zst])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_every_compression_gives_the_same_lines(pack: Pack, mark: bytes) -> None:
    assert lines(pack(mark + TEXT)) == WHOLE


@packed
def test_a_line_may_span_two_members_or_frames(pack: Pack) -> None:
    parts = (TEXT[:1], TEXT[1:1000], b"", TEXT[1000:])
    assert lines(b"".join(map(pack, parts))) == WHOLE


def test_a_skippable_frame_is_skipped() -> None:
    assert lines(b"\x53\x2a\x4d\x18\x03\x00\x00\x00abc" + zst(TEXT)) == WHOLE


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zst])
@pytest.mark.parametrize("most", [1, 3, 4096])
def test_a_pipe_with_short_reads_is_read(pack: Pack, most: int) -> None:
    pipe = io.BufferedReader(Pipe(pack(b"\xef\xbb\xbf" + TEXT[:40_000]), most))  # type: ignore[type-var]
    assert not pipe.seekable()
    assert list(raw_lines(pipe)) == lines(TEXT[:40_000])
    assert list(raw_lines(Pipe(pack(b"{}\n{}"), most))) == [(1, b"{}"), (2, b"{}")]  # type: ignore[arg-type]


def test_a_nonblocking_pipe_is_read_to_its_end() -> None:
    """Standard input is such where whoever made it wanted it so: nothing there yet is not the end."""
    source, sink = os.pipe()
    os.set_blocking(source, False)
    with os.fdopen(source, "rb") as pipe, os.fdopen(sink, "wb", buffering=0) as writer:
        timers = [threading.Timer(0.1 * number, writer.write, (part,)) for number, part in enumerate((b"{}\n{", b"}\n[]"), 1)]
        timers.append(threading.Timer(0.3, writer.close))
        for timer in timers:
            timer.start()
        assert list(raw_lines(pipe)) == [(1, b"{}"), (2, b"{}"), (3, b"[]")]


def test_a_carriage_return_is_not_part_of_a_line() -> None:
    assert lines(b"{}\r\n[]\r\n") == [(1, b"{}"), (2, b"[]")]


def test_blank_lines_are_counted_and_skipped() -> None:
    assert lines(b"\n \t\r\n{}\n\r\n\n[]") == [(3, b"{}"), (6, b"[]")]


def test_an_empty_file_has_no_lines() -> None:
    assert [lines(pack(b"")) for pack in (bytes, gzip.compress, zst)] == [[], [], []]


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zst])
def test_a_last_line_without_an_end_counts(pack: Pack) -> None:
    assert lines(pack(b"{}\n[]")) == [(1, b"{}"), (2, b"[]")]


def test_a_byte_order_mark_is_kept_if_it_is_not_at_the_start() -> None:
    assert lines(b"{}\n\xef\xbb\xbf{}") == [(1, b"{}"), (2, b"\xef\xbb\xbf{}")]


@packed
def test_a_cut_archive_gives_the_whole_lines_before_the_cut(pack: Pack) -> None:
    archive = pack(TEXT)
    for cut in (5, 9, 17, len(archive) // 3, len(archive) // 2, len(archive) - 9, len(archive) - 1):
        read, damaged = until_damage(archive[:cut])
        assert read == WHOLE[: len(read)]
        assert damaged.line == len(read)
        assert "cut short" in damaged.reason
        assert len(read) > 4000 or cut < 100  # what could be decoded was


@packed
def test_an_archive_cut_between_its_parts_is_whole(pack: Pack) -> None:
    assert lines(pack(TEXT[:900]) + pack(b"")) == lines(TEXT[:900])


@packed
def test_an_archive_cut_in_its_second_part_says_so(pack: Pack) -> None:
    read, damaged = until_damage(pack(TEXT) + pack(TEXT)[:-2])
    assert read[:20_000] == WHOLE
    assert damaged.line == len(read) >= 20_000


@packed
def test_a_half_line_at_the_cut_is_dropped(pack: Pack) -> None:
    read, damaged = until_damage(pack(b"{}\n[1") + pack(b"2]\n")[:-3])
    assert read[:1] == [(1, b"{}")]
    assert read[1:] in ([], [(2, b"[12]")])
    assert damaged.line == len(read)


@packed
@pytest.mark.parametrize("after", [b"\0", b"xx", b"{}\n", b"more than a magic number"])
def test_bytes_after_the_end_are_damage(pack: Pack, after: bytes) -> None:
    read, damaged = until_damage(pack(TEXT) + after)
    assert read == WHOLE
    assert (damaged.line, "after the end" in damaged.reason) == (20_000, True)


@packed
def test_a_wrong_checksum_is_damage_and_the_lines_stay(pack: Pack) -> None:
    archive = bytearray(pack(TEXT))
    archive[-5 if pack is gzip.compress else -1] ^= 0xFF
    read, damaged = until_damage(bytes(archive))
    assert read == WHOLE
    assert (damaged.line, "corrupt" in damaged.reason) == (20_000, True)


@packed
def test_a_corrupt_part_ends_reading_after_the_lines_before_it(pack: Pack) -> None:
    archive = bytearray(pack(TEXT))
    middle = len(archive) // 2
    archive[middle : middle + 3000] = bytes(3000)
    read, damaged = until_damage(bytes(archive))
    assert read[:4000] == WHOLE[:4000]
    assert damaged.line == read[-1][0]


def test_damage_is_reported_in_a_sentence() -> None:
    assert str(Damaged(3, "The archive is cut short.")) == "The archive is cut short. The last whole line before it is 3."


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zst])
def test_a_line_that_is_too_long_is_cut_to_be_rejected_and_the_next_is_read(pack: Pack) -> None:
    fits, long = b"x" * LONGEST, b"y" * (3 * LONGEST)
    read = lines(pack(b"\r\n".join((fits, long, b"{}", long))))
    assert read == [(1, fits), (2, long[: LONGEST + 1]), (3, b"{}"), (4, long[: LONGEST + 1])]


def test_a_long_line_of_blanks_is_not_blank() -> None:
    assert [number for number, _ in lines(b" " * (2 * LONGEST) + b"{}\n{}")] == [1, 2]


@packed
def test_a_compression_bomb_takes_bounded_memory(pack: Pack) -> None:
    bomb = pack(b"a" * (1 << 26))
    tracemalloc.start()
    try:
        assert [(number, len(line)) for number, line in raw_lines(io.BytesIO(bomb))] == [(1, LONGEST + 1)]
        assert tracemalloc.get_traced_memory()[1] < 1 << 24
    finally:
        tracemalloc.stop()
