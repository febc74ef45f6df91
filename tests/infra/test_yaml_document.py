from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.yaml_document import LARGEST, dump_yaml, parse

PRINTABLE = st.text(st.characters(exclude_categories=["Cc", "Cs", "Cn"], exclude_characters="\u2028\u2029\ufeff"), max_size=12)
WORDS = st.sampled_from(
    ["none", "null", "~", "", "yes", "no", "1.5", "a: b", "- x", "#", "2026-01-01", "!x", "&a", "<<", " x "]
)
DOCUMENTS = st.recursive(
    st.none() | PRINTABLE | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(PRINTABLE | WORDS, inner, max_size=3),
    max_leaves=9,
)


@given(DOCUMENTS)
def test_text_comes_back_as_the_same_text_whatever_it_looks_like(document: Any) -> None:
    read, wrong = parse(dump_yaml({"of": document}).encode())
    assert (read.plain, wrong) == ({"of": document}, [])


@given(st.binary(max_size=60) | st.text(st.sampled_from("ab:-[]{}&*!#|>'\"\n\t ?,%@`0"), max_size=40).map(str.encode))
def test_any_bytes_are_read_or_said_to_be_wrong_with_their_line(source: bytes) -> None:
    read, wrong = parse(source)
    assert read.place(()) >= (1, 1)
    assert all(line >= 1 and column >= 1 and reason for line, column, reason in wrong)


def test_no_scalar_becomes_anything_but_text() -> None:
    read, _ = parse(b"a: 1.50\nb: no\nc: 2026-01-01\nd: 0x10\ne:\nf: 'null'\n")
    assert read.plain == {"a": "1.50", "b": "no", "c": "2026-01-01", "d": "0x10", "e": None, "f": "null"}


def test_each_part_has_its_place_and_what_is_missing_that_of_what_it_is_missing_from() -> None:
    read, _ = parse(b"tiers:\n  - name: a\n    keep: 1\n  - name: b\n")
    assert read.place(("tiers", 1, "name")) == (4, 5)
    assert read.place(("tiers", 1, "keep")) == read.place(("tiers", 1)) == (4, 5)
    assert read.place(("rewards",)) == (1, 1)


@pytest.mark.parametrize(
    ("source", "line", "column", "reason"),
    [
        (b"", 1, 1, "the file is empty"),
        (b"# nothing\n", 1, 1, "the file is empty"),
        (b"a: 1\na: 2\n", 2, 1, "'a' appears twice"),
        (b"a: &x 1\n", 1, 4, "anchors and aliases"),
        (b"a: *x\n", 1, 4, "anchors and aliases"),
        (b"a: !!python/object:os.system 1\n", 1, 4, "tags (!)"),
        (b"--- {a: 1}\n--- {b: 2}\n", 2, 1, "a second one begins here"),
        (b"? [1]\n: 2\n", 1, 3, "a key must be a word"),
        (b"a:\n\t- b\n", 2, 1, "found character"),
        (b"a: b: c\n", 1, 5, "mapping values are not allowed here"),
        (b"\xff", 1, 1, "is not UTF-8"),
        (b"[" * 10_000, 1, 41, "nested deeper than 40 levels"),
        (b"a" * (LARGEST + 1), 1, 1, "bytes"),
    ],
)
def test_what_is_not_such_a_file_is_told_with_its_place(source: bytes, line: int, column: int, reason: str) -> None:
    _, (first, *_) = parse(source)
    assert (first.line, first.column) == (line, column)
    assert reason in first.reason


def test_a_byte_order_mark_is_no_text() -> None:
    assert parse(b"\xef\xbb\xbfa: 1\n")[0].plain == {"a": "1"}
