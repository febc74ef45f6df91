"""Hunt for text that a terminal would obey, in every way of printing, at 10,000 examples each. Minutes long: `make verify`."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from infra.printable import printable, printable_json
from streams.cli import console
from streams.pages.charts import text as text_of
from tests.streams.cli.test_text import is_text

pytestmark = pytest.mark.slow

DANGEROUS = st.sampled_from("[]/\\:<>&\"'\x1b\x07\x9b\u202e\u2066\u2028\n\t\x00")
HOSTILE = st.text(alphabet=st.one_of(st.characters(codec="utf-8"), DANGEROUS), max_size=80)
many = settings(max_examples=10_000)


@many
@given(HOSTILE)
def test_printable_text_is_text_and_keeps_every_safe_character(text: str) -> None:
    shown = printable(text)
    assert is_text(shown)
    assert [one for one in text if is_text(one) and one not in "\n\\"] == [
        one for one in text if printable(one) == one and one not in "\n\\"
    ]


@many
@given(st.dictionaries(HOSTILE, HOSTILE, max_size=4))
def test_printable_json_means_the_same(value: dict[str, str]) -> None:
    shown = printable_json(json.dumps(value, ensure_ascii=False).encode())
    assert is_text(shown.decode())
    assert json.loads(shown) == value


@many
@given(HOSTILE)
def test_html_has_no_markup(text: str) -> None:
    assert not set(text_of(text)) & set("<>\"'")
    assert is_text(text_of(text))


@many
@given(st.lists(HOSTILE, min_size=1, max_size=3), st.sampled_from((40, 80, 200)))
def test_tables_show_text_as_text(cells: list[str], width: int) -> None:
    out = io.StringIO()
    shown = Console(file=out, width=width, markup=False, highlight=False, emoji=False)
    shown.print(console.grid(cells[0], cells, [cells], wraps=(0,)))
    shown.print(console.pairs(cells[0], [(cells[0], cells)]))
    assert is_text(out.getvalue())
