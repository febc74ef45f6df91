"""Damaged and strange files: each ends as the page says, and leaves what can be entry of it, and nothing else."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import NamedTuple

import pytest
import zstandard

from tests.streams.conftest import Command
from tests.streams.imports.lines import Line, entry, file_of, order

VIEWS = [entry("view", n, product_id=f"p{n % 5}", member_id="ada") for n in range(40)]
GOOD = file_of(VIEWS)
GZ, ZST = gzip.compress(GOOD, mtime=0), zstandard.compress(GOOD)
VIEW = entry("view", 1, product_id="tea", member_id="ada")


class Ends(NamedTuple):
    """How the import of a file ends."""

    data: bytes
    status: int
    accepted: int = 0
    duplicates: int = 0
    rejected: dict[str, int] = {}  # noqa: RUF012 - a tuple's default is never changed


def flipped(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :]


def raw(text: str) -> bytes:
    """A line that no JSON writer would write, between two good ones."""
    return file_of([VIEWS[0], text.encode("utf-8", "surrogatepass"), VIEWS[1]])


def at(value: object) -> bytes:
    return file_of([VIEWS[0], {**VIEW, "at": value}])


def selling(fields: str) -> bytes:
    return raw(f'{{"type":"order","at":1714564800000,"order_id":"o","lines":[{{"product_id":"tea",{fields}}}]}}')


def one_bad(code: str, accepted: int = 2) -> tuple[int, int, int, dict[str, int]]:
    return 3, accepted, 0, {code: 1}


FILES: dict[str, Ends] = {
    "empty": Ends(b"", 0),
    "blank lines alone": Ends(b"\n \n\t\r\n\r\n", 0),
    "a byte order mark alone": Ends(b"\xef\xbb\xbf", 0),
    "mark and carriage returns": Ends(b"\xef\xbb\xbf" + GOOD.replace(b"\n", b"\r\n"), 0, 40),
    "no end of the last line": Ends(GOOD[:-1], 0, 40),
    "gzip": Ends(GZ, 0, 40),
    "gzip of several members": Ends(gzip.compress(GOOD[:777]) + gzip.compress(GOOD[777:]), 0, 40),
    "gzip of nothing": Ends(gzip.compress(b""), 0),
    "zstd": Ends(ZST, 0, 40),
    "zstd of several frames": Ends(zstandard.compress(GOOD[:777]) + zstandard.compress(GOOD[777:]), 0, 40),
    "gzip cut at its end": Ends(GZ[:-4], 2, 40),
    "gzip cut in its header": Ends(GZ[:5], 2),
    "gzip followed by text": Ends(GZ + b"{}\n", 2, 40),
    "gzip followed by zeros": Ends(GZ + bytes(512), 2, 40),
    "gzip with a wrong sum": Ends(flipped(GZ, len(GZ) - 6), 2, 40),
    "zstd cut": Ends(zstandard.compress(GOOD) + ZST[:-9], 2, 40),
    "zstd followed by text": Ends(ZST + b"junk", 2, 40),
    "gzip within gzip": Ends(gzip.compress(b"\x1f\x8b\x08"), 2, 0, 0, {"utf8_invalid": 1}),
    "zeros": Ends(bytes(999), 2, 0, 0, {"json_invalid": 1}),
    "a picture": Ends(b"\x89PNG\r\n\x1a\n" + bytes(range(256)), 2, 0, 0, {"utf8_invalid": 2, "json_invalid": 2}),
    "utf-16": Ends(GOOD[:50].decode().encode("utf-16"), 2, 0, 0, {"utf8_invalid": 1}),
    "a list of all lines": Ends(json.dumps(VIEWS).encode(), 2, 0, 0, {"not_an_object": 1}),
    "indented json": Ends(json.dumps(VIEW, indent=1).encode(), 2, 0, 0, {"json_invalid": 6}),
    "csv": Ends(b"type,at,product_id\nview,2024-05-01,tea\n", 2, 0, 0, {"json_invalid": 2}),
    "a line of five megabytes": Ends(raw(json.dumps({**VIEW, "note": "x" * 5_000_000})), *one_bad("line_too_long")),
    "nested 33 deep": Ends(raw('{"a":' + "[" * 32 + "]" * 32 + "}"), *one_bad("nested_too_deep")),
    "nested without end": Ends(raw("[" * 200_000), *one_bad("nested_too_deep")),
    "nested 5000 deep": Ends(raw('{"a":' * 5000 + "1" + "}" * 5000), *one_bad("nested_too_deep")),
    "invalid utf-8": Ends(raw("?").replace(b"?", b'{"type":"view\xff"}'), *one_bad("utf8_invalid")),
    "half a surrogate pair": Ends(raw('{"type":"view","at":1714564800000,"product_id":"\\ud800"}'), *one_bad("json_invalid")),
    "a surrogate's bytes": Ends(raw('{"type":"\ud800"}'), *one_bad("utf8_invalid")),
    "a repeated key": Ends(raw('{"type":"view","at":1,"type":"click"}'), *one_bad("key_repeated")),
    "a repeated key within": Ends(selling('"total":1,"total":1'), *one_bad("key_repeated")),
    "nan": Ends(selling('"total":NaN'), *one_bad("json_invalid")),
    "infinity": Ends(selling('"total":-Infinity'), *one_bad("json_invalid")),
    "a number without end": Ends(selling('"total":' + "9" * 5000), *one_bad("json_invalid")),
    "a huge exponent": Ends(selling('"total":1e999'), *one_bad("json_invalid")),
    "a huge total": Ends(selling('"total":1e300'), *one_bad("money_too_large")),
    "the largest total and one more": Ends(selling('"total":10000000000.01'), *one_bad("money_too_large")),
    "a tiny total": Ends(selling('"total":1e-300'), *one_bad("money_too_precise")),
    "a negative total": Ends(selling('"total":-1'), *one_bad("money_negative")),
    "a fraction of a piece": Ends(selling('"quantity":1.5'), *one_bad("quantity_invalid")),
    "a huge quantity": Ends(selling('"quantity":1000000001'), *one_bad("quantity_invalid")),
    "a huge number in a command": Ends(
        raw('{"type":"regulars","at":1714564800000,"command":"LaunchCampaign","values":{"campaign":"c","starts":1e30}}'),
        *one_bad("command_invalid"),
    ),
    "a command that there is not": Ends(
        raw('{"type":"regulars","at":1714564800000,"command":"Destroy","values":{}}'), *one_bad("command_unknown")
    ),
    "a command that policies alone give": Ends(
        raw('{"type":"regulars","at":1714564800000,"command":"RecogniseMember","values":{"member":"a","recognised_in":"s"}}'),
        *one_bad("command_unknown"),
    ),
    "a command that time alone gives": Ends(
        raw('{"type":"regulars","at":1714564800000,"command":"RecordDue","values":{"member":"a"}}'),
        *one_bad("command_unknown"),
    ),
    "null for an id": Ends(file_of([VIEWS[0], {**VIEW, "product_id": None}]), *one_bad("field_missing", 1)),
    "a list for an id": Ends(file_of([VIEWS[0], {**VIEW, "product_id": ["tea"]}]), *one_bad("id_invalid", 1)),
    "a control character in an id": Ends(file_of([VIEWS[0], {**VIEW, "product_id": "t\x00"}]), *one_bad("id_invalid", 1)),
    "an id of 201 characters": Ends(file_of([VIEWS[0], {**VIEW, "product_id": "x" * 201}]), *one_bad("id_invalid", 1)),
    "a time without a zone": Ends(at("2024-05-01T12:00:00"), *one_bad("instant_without_zone", 1)),
    "seconds": Ends(at(1_714_564_800), *one_bad("instant_in_seconds", 1)),
    "before 1970": Ends(at("1969-12-31T23:59:59Z"), *one_bad("instant_too_early", 1)),
    "the far future": Ends(at("9999-12-31T23:59:59Z"), *one_bad("instant_in_future", 1)),
    "a day that there is not": Ends(at("2024-02-30T00:00:00Z"), *one_bad("instant_invalid", 1)),
    "true for an instant": Ends(at(True), *one_bad("instant_invalid", 1)),
    "an unknown type": Ends(file_of([VIEWS[0], {**VIEW, "type": "[/red]"}]), *one_bad("type_unknown", 1)),
    "unknown fields": Ends(file_of([{**VIEW, "[/red]": 1, "\x1b[31m": {}}]), 0, 1),
    "a refund before its order": Ends(file_of([entry("refund", 5, order_id="o"), order("o")]), *one_bad("order_unknown", 1)),
    "an id for two things": Ends(
        file_of([{**VIEW, "id": 1}, {**VIEW, "id": 1, "at": VIEW["at"] + 1}]), *one_bad("id_taken", 1)
    ),
    "a line twice by its id": Ends(file_of([{**VIEW, "id": 1}] * 2), 0, 1, 1),
    "an order twice": Ends(file_of([order("o")] * 2), 0, 1, 1),
    "no line that can be taken": Ends(b"x\ny\n{}\n", 2, 0, 0, {"json_invalid": 2, "type_missing": 1}),
}


PIPED = ("empty", "gzip", "zstd cut", "a refund before its order", "no line that can be taken")


@pytest.mark.parametrize(("name", "piped"), [*((name, False) for name in FILES), *((name, True) for name in PIPED)])
def test_every_damaged_file_ends_with_the_documented_status(command: Command, tmp_path: Path, name: str, piped: bool) -> None:
    ends = FILES[name]
    file, bad = tmp_path / "shop.jsonl", tmp_path / "bad.jsonl"
    file.write_bytes(ends.data)
    words = ("-" if piped else file, "--json", "--rejects", bad)
    said = command("import", "shop-log", *words, stdin=ends.data if piped else b"")
    taken = said.json
    assert (said.status, taken["accepted"], taken["duplicates"]) == (ends.status, ends.accepted, ends.duplicates)
    assert taken["by_reason"] == ends.rejected
    assert taken["rejected"] == sum(ends.rejected.values()) == taken["lines"] - taken["accepted"] - taken["duplicates"]
    assert rejected(bad) == [(line["line"], line["code"]) for line in told_of(said.err)]
    assert file.read_bytes() == ends.data


def rejected(file: Path) -> list[tuple[int, str]]:
    """What stands in a rejects file: one object a line, with just these names."""
    lines = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    assert all(list(line) == ["line", "code", "reason", "raw"] for line in lines)
    return [(line["line"], line["code"]) for line in lines]


def told_of(err: str) -> list[Line]:
    """The rejected lines as they are said."""
    found = [line.split(": ", 2) for line in err.splitlines() if line.startswith("line ")]
    return [{"line": int(line.removeprefix("line ")), "code": code} for line, code, _ in found]
