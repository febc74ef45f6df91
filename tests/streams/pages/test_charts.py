"""Charts stand alone: no script, no style attribute, nothing of a shop's text that a browser interprets."""

from __future__ import annotations

import base64
import hashlib
import re
from xml.etree import ElementTree

from streams.pages import charts

EVIL = "<script>alert('1')</script>"


def drawn(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)  # noqa: S314 - our own text


def test_a_line_has_a_gap_where_a_value_is_not_known_and_a_tooltip_for_each_value() -> None:
    svg = charts.line("sales", ["a", "b", "c", "d"], {"x": [1, 2, None, 4]})
    assert [len(line.get("points", "").split()) for line in drawn(svg).iter("polyline")] == [2, 1]
    assert [tip.text for tip in drawn(svg).iter("title")] == ["sales", "x, a: 1", "x, b: 2", "x, d: 4"]


def test_bars_stand_upon_each_other_and_negative_ones_hang_below_zero() -> None:
    svg = charts.stacked_bars("points", ["m"], {"in": [30], "more": [10], "out": [-20]})
    bars = {(bar.find("title").text or "")[:2]: bar for bar in drawn(svg).iter("rect") if bar.find("title") is not None}  # type: ignore[union-attr]
    y = {name: (float(bar.get("y", 0)), float(bar.get("height", 0))) for name, bar in bars.items()}
    assert abs(y["mo"][0] + y["mo"][1] - y["in"][0]) < 0.2
    assert abs(y["in"][0] + y["in"][1] - y["ou"][0]) < 0.2
    assert abs(y["in"][1] - 3 * y["mo"][1]) < 0.5


def test_a_bar_is_as_long_as_its_value_and_its_whisker_as_long_as_its_error() -> None:
    svg = drawn(charts.bars("recall", [("ours", 0.4, 0.1), ("other", 0.2, 0.0)]))
    widths = [float(bar.get("width", 0)) for bar in svg.iter("rect")]
    assert abs(widths[0] - 2 * widths[1]) < 0.2
    start, _, end = (svg.find("path").get("d") or "")[1:].replace(" ", "H").split("H")  # type: ignore[union-attr]
    assert abs((float(end) - float(start)) / 2 - widths[0] / 4) < 0.2
    assert [tip.text for tip in svg.iter("title")] == ["recall", "ours: 0.4000 ± 0.1000", "other: 0.2000"]


def test_an_unknown_cell_is_empty_and_zero_is_not() -> None:
    svg = charts.heat_table("cohorts", ["r"], ["a", "b"], {("r", "a"): 0.0, ("r", "b"): None})
    assert [tip.text for tip in drawn(svg).iter("title")] == ["cohorts", "r, a: 0"]


def test_a_page_allows_its_own_style_and_nothing_else() -> None:
    page = charts.page(EVIL, [charts.line(EVIL, [EVIL], {EVIL: [1]}), charts.figures([EVIL], [[EVIL]])])
    assert "<script" not in page
    assert "style=" not in page
    assert "http:" not in page
    style = re.findall("<style>(.*?)</style>", page)[0]
    told = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'sha256-{told}'" in page
    assert "prefers-color-scheme:dark" in style


def test_charts_without_values_can_be_drawn() -> None:
    for svg in (charts.line("t", [], {}), charts.stacked_bars("t", [], {"a": []}), charts.heat_table("t", [], [], {})):
        assert drawn(svg).get("role") == "img"
