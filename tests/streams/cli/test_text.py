"""Text of a shop is shown as text by every command, on a terminal, in a pipe, in JSON, HTML and logs."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from infra.printable import UNSAFE, printable, printable_json
from infra.telemetry.logs import configure_logging
from infra.telemetry.settings import TelemetrySettings
from streams.cli import console
from streams.pages.charts import text as text_of
from tests.streams.conftest import Command

HOSTILE = (
    "m[/i]",
    "[bold]x[/bold]",
    ":cry:",
    "\x1b[31mred",
    "\x1b]0;title\x07",
    "\x1b]8;;http://evil.example\x1b\\link",
    "\x9b2J",
    "\u202egnp.exe",
    "\u2066a\u2069",
    "a\u2028b",
    "tab\tline\nend",
    "<script>alert(1)</script>",
    "\x00nul",
    "\x7f",
    "back\\slash",
)
IDS = [text for text in HOSTILE if not re.search("[\x00-\x1f\x7f-\x9f\u2028]", text)]


def hostile_log() -> bytes:
    """Return a shop-log with hostile text wherever a shop's text may be."""
    lines: list[dict[str, object]] = []
    for n, text in enumerate(HOSTILE):
        at, ident = 1_700_000_000_000 + n * 1000, IDS[n % len(IDS)]
        about = {"name": text, "category": [f"d{text}", text], "brand": text, "description": text, "price": "4.99"}
        lines += [
            {"type": "product", "at": at, "product_id": ident, **about},
            {"type": "member", "at": at, "member_id": ident, "name": text, "email": f"m{n}@example.org", "note": text},
            {"type": "search", "at": at, "member_id": ident, "query": text},
            {"type": "view", "at": at, "session_id": f"s{n}", "product_id": ident},
            {"type": "order", "at": at, "order_id": f"o{n}{ident}", "member_id": ident, "lines": [{"product_id": ident}]},
            {"type": "review", "at": at, "member_id": ident, "product_id": ident, "rating": 4, "text": text},
            {"type": "coupon_sent", "at": at, "member_id": ident, "campaign_id": f"c{ident}", "kind": text},
            {"type": "cancel", "at": at, "order_id": f"o{n}{ident}", "reason": text},
        ]
    return b"".join(json.dumps(line, ensure_ascii=False).encode(errors="surrogatepass") + b"\n" for line in lines)


def is_text(output: str) -> bool:
    """Return whether a terminal shows the output as it is."""
    return not UNSAFE.search(output.replace("\n", ""))


@pytest.mark.parametrize("columns", ["60", "200"])
def test_no_command_prints_hostile_text_as_it_is(command: Command, columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert command("import", "shop-log", "-", stdin=hostile_log()).status in (0, 3)
    monkeypatch.setenv("COLUMNS", columns)
    wanted: list[tuple[str, ...]] = [("demo", "--help"), ("quality",), ("doctor",), ("policy", "show"), ("audit",)]
    for n, ident in enumerate(IDS):
        wanted += [
            ("show", "member", ident),
            ("show", "product", ident),
            ("show", "order", f"o{n}{ident}"),
            ("recommend", ident),
            ("trace", ident),
            ("trace", f"c{ident}"),
            ("why", ident, "points", "--verbose"),
            ("redis", "GET", f"v1:card:{ident}"),
            ("redis", "HGETALL", f"v1:product:{ident}"),
            ("redis", "GET", f"v1:activity:{ident}"),
        ]
    wanted += [("show", "member", text) for text in HOSTILE] + [("trace", text) for text in HOSTILE if "\x00" not in text]
    for words in wanted:
        for more in ((), ("--json",)) if columns == "200" else ((),):
            if more and words[0] in ("demo", "redis"):
                continue
            said = command(*words, *more)
            assert said.status in (0, 1), (words, said.err)
            assert is_text(said.out.decode()), words
            assert is_text(said.err), words
            if more and said.out:
                json.loads(said.out)


def test_an_export_to_standard_output_can_be_shown_and_imports_again(command: Command, tmp_path: Path) -> None:
    command("import", "shop-log", "-", stdin=hostile_log())
    exported = command("export", "shop-log", "--personal")
    assert is_text(exported.out.decode())
    file = tmp_path / "export.jsonl"
    assert command("export", "shop-log", str(file), "--personal").status == exported.status
    told = [json.loads(line) for line in exported.out.splitlines()]
    assert told == [json.loads(line) for line in file.read_bytes().splitlines()]


@given(st.text())
def test_html_interprets_nothing(text: str) -> None:
    assert not set(text_of(text)) & set("<>\"'")
    assert is_text(text_of(text))


@given(st.text())
def test_every_way_of_printing_makes_text_of_it(text: str) -> None:
    out = io.StringIO()
    shown = Console(file=out, width=80, markup=False, highlight=False, emoji=False)
    shown.print(console.pairs(text, [(text, [text, text])]))
    shown.print(console.grid(text, [text], [[text]], wraps=(0,)))
    assert is_text(out.getvalue())
    assert is_text(printable(text))
    assert is_text(printable_json(json.dumps(text, ensure_ascii=False).encode()).decode())
    assert is_text(console.CommandFailed(text).format_message())


@pytest.mark.parametrize("log_format", ["text", "json"])
@pytest.mark.parametrize("text", HOSTILE)
def test_logs_show_hostile_text_as_text(text: str, log_format: str) -> None:
    import structlog

    out = io.StringIO()
    configure_logging(TelemetrySettings(log_format=log_format), to=out)
    structlog.get_logger("streams.test").warning("something", key=text)
    assert "something" in out.getvalue()
    assert is_text(out.getvalue())
