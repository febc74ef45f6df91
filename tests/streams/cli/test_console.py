"""Tables that fit, text of a shop that is shown as text, JSON, and progress without a terminal."""

from __future__ import annotations

import io
import json
import re
import threading

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from infra.printable import UNSAFE, printable, printable_json
from streams.cli import progress as progress_module
from streams.cli.console import OUT, Fitting, Grid, grid, pairs, print_json, say
from streams.cli.main import regulars
from streams.cli.progress import progress

COLUMNS = ("position", "event", "what it says", "points")
WIDTHS = st.sampled_from((40, 60, 80, 100, 200))

texts = st.text(max_size=60)
words = st.lists(st.text(alphabet="abcdefgh", min_size=1, max_size=20), min_size=1, max_size=12).map(" ".join)


def rendered(what: object, width: int) -> str:
    out = io.StringIO()
    Console(file=out, width=width, markup=False, highlight=False, emoji=False).print(what)
    return out.getvalue()


@given(WIDTHS, st.lists(st.tuples(st.integers(0, 10**9), words, words, st.integers(0, 10**12)), min_size=1, max_size=5))
def test_no_cell_is_cut_at_any_width(width: int, rows: list[tuple[int, str, str, int]]) -> None:
    page = rendered(grid("Events", COLUMNS, rows, numbers=(0, 3), wraps=(2,)), width)
    assert all(cell_len(line) <= width for line in page.splitlines())
    assert "…" not in page
    for position, event, _, points in rows:
        assert str(position) in page
        assert str(points) in page
        assert all(word in page for word in event.split())
    letters = re.sub(r"\s", "", page)
    assert all(word in letters for row in rows for word in row[2].split())


def test_a_row_stays_on_one_line_where_it_fits() -> None:
    page = rendered(grid("", COLUMNS, [(1, "PointsGranted", "lot 7, points 64", 64)], numbers=(0, 3), wraps=(2,)), 80)
    assert re.search(r"1  PointsGranted  lot 7, points 64 +64", page)


def test_a_table_too_wide_becomes_blocks_of_names_and_values() -> None:
    page = rendered(grid("Orders", ("order", "total"), [("o" * 30, "1.00 USD"), ("p", "2.00 USD")]), 38)
    lines = [line.rstrip() for line in page.splitlines()]
    assert lines == ["Orders", f"order  {'o' * 30}", "total  1.00 USD", "", "order  p", "total  2.00 USD"]


def test_the_first_table_that_fits_is_shown() -> None:
    wide, narrow = Grid("", ("at",), [("2017-01-01 18:05",)]), Grid("", ("at",), [("2017-01-01",)])
    assert "18:05" in rendered(Fitting(wide, narrow), 16)
    assert "18:05" not in rendered(Fitting(wide, narrow), 12)


def test_an_empty_table_says_so() -> None:
    assert rendered(grid("Orders", ("order",), []), 80).split() == ["Orders", "none"]


@given(WIDTHS, texts)
def test_text_of_a_shop_reaches_the_terminal_as_text(width: int, text: str) -> None:
    for what in (grid(text, (text, "b"), [(text, text)], wraps=(0, 1)), pairs(text, [(text, text)])):
        assert UNSAFE.sub("", rendered(what, width).replace("\n", "")) == rendered(what, width).replace("\n", "")


@pytest.mark.parametrize("text", ["[/i]m", "[red]x", ":cry:", "a[b", "\\[x]"])
def test_markup_is_shown_as_it_is(text: str) -> None:
    assert text in rendered(grid("", ("name",), [(text,)]), 80)


@given(texts)
def test_printable_json_means_the_same(text: str) -> None:
    encoded = json.dumps({"name": text}, ensure_ascii=False).encode()
    shown = printable_json(encoded)
    assert json.loads(shown) == {"name": text}
    assert not UNSAFE.search(shown.decode())
    assert not UNSAFE.search(printable(text))


def test_sentences_go_to_standard_error_and_json_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    say("a \x1b[31msentence")
    print_json({"name": "\u202etea"})
    out, err = capsys.readouterr()
    assert (out, err) == ('{"name":"\\u202etea"}\n', "a \\x1b[31msentence\n")


def test_a_pipe_has_no_width_unless_columns_names_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    assert OUT.width > 1000
    monkeypatch.setenv("COLUMNS", "80")
    assert OUT.width == 80


def test_long_work_writes_plain_lines_without_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress_module, "EVERY", 0.01)
    written = threading.Event()
    monkeypatch.setattr(progress_module.ProgressWriter, "write", noting(progress_module.ProgressWriter.write, written))
    with progress() as writer:
        task = writer.add("log", total=6000)
        writer.update(task, 1500, "1,500 of 6,000 events")
        assert written.wait(10)
    out, err = capsys.readouterr()
    assert out == ""
    assert re.search(r"^\d\d:\d\d:\d\d log: 1,500 of 6,000 events \(25 %\)$", err, re.MULTILINE)


def noting(write: object, written: threading.Event) -> object:
    def wrapped(self: progress_module.ProgressWriter) -> None:
        write(self)  # type: ignore[operator]
        if self.tasks and self.tasks[0].completed:
            written.set()

    return wrapped


def test_version_is_printed() -> None:
    assert re.fullmatch(r"regulars \d+\.\d+\.\d+\n", CliRunner().invoke(regulars, ["--version"]).output)
