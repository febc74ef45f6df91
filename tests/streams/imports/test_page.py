"""What ``docs/import-format.md`` says of the reading is so."""

from __future__ import annotations

import re
from pathlib import Path

from streams.imports.shop_log import rejected
from streams.imports.shop_log.fields import Line, fields_of
from streams.imports.shop_log.lines import NESTED, TABLE
from streams.imports.shop_log.reading import Reader
from tests.streams.imports.lines import NOW

PACKAGE = Path(rejected.__file__).parent
PAGE = (Path(__file__).parents[3] / "docs/import-format.md").read_text()
READING = ("amounts", "document", "fields", "instants", "lines", "reading", "values")
"""The modules that reject a line."""

COMMON = {"type", "at", "id", "member_id", "session_id"}


def row(heading: str, name: str) -> set[str]:
    """The words in code of the first row, under a heading, that names a type or what it is within."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    found = next(line for line in section.splitlines() if line.startswith("|") and name in line.split("|")[1])
    return set(re.findall(r"`(\w+)`", "|".join(found.split("|")[2:])))


def test_the_example_is_read_without_an_unknown_field() -> None:
    reader = Reader("EUR", None, NOW + 10 * 86_400_000)
    example = PAGE.split("```json\n")[1].split("```")[0].splitlines()
    assert [reader.read(number, line.encode()).number for number, line in enumerate(example)] == list(range(6))
    assert not reader.unknown_fields


def test_every_field_is_in_its_row() -> None:
    rows: dict[str, type[Line]] = {f"`{name}`": line for name, (line, _) in TABLE.items() if name != "regulars"}
    rows |= {"of an order": NESTED["order_line"].line, "of a refund": NESTED["refund_line"].line}
    for name, line in rows.items():
        theirs = {field for field, known in fields_of(line).items() if not known.ours}
        assert row("Types", name) - COMMON - {"placed", "paid", "shipped", "delivered"} == theirs - COMMON, name


def test_every_field_that_only_regulars_writes_is_on_the_page() -> None:
    besides = PAGE.split("\n## What Regulars writes besides\n")[1]
    for name, (line, _) in (TABLE | NESTED).items():
        for field, known in fields_of(line).items():
            assert f"`{field}`" in besides or not known.ours, (name, field)


def test_every_code_is_on_the_page() -> None:
    source = "".join((PACKAGE / f"{name}.py").read_text() for name in READING)
    raised = set(re.findall(r'Rejected\(\s*"(\w+)"', source)) | set(re.findall(r'"(\w+_invalid)"\)', source)) | {"lines_empty"}
    told = set(re.findall(r"`(\w+)`", PAGE.split("| code | what was wrong |\n")[1].split("\n\n")[0]))
    assert raised == told
