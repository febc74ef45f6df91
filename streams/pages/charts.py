"""Charts and pages that stand alone: SVG with tooltips by ``<title>``, figures in ``<details>``, no script, no other host.

Text of a shop is escaped. Colours are variables of the style sheet, so a page follows the reader's choice of dark or light.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import TypeAlias

from infra.printable import printable

Value: TypeAlias = float | None
"""None: not known yet; it is drawn as a gap or an empty cell, not as 0."""

Series: TypeAlias = Mapping[str, Sequence[Value]]

WIDTH, HEIGHT, LEFT, TOP, BELOW = 860, 300, 70, 10, 40
LEGEND = 18
"""Height of a row of the legend."""

NAMES = 190
"""Width of the names beside bars that go across."""

COLOURS = 8
CELL = 26
STEPS = 4

STYLE = (
    ":root{color-scheme:light dark;"
    "--ink:#1d2433;--paper:#fff;--rule:#e3e6ec;--c0:#0b6e4f;--c1:#3a86c8;--c2:#9b5de5;--c3:#f0a202;"
    "--c4:#d1495b;--c5:#5c677d;--c6:#2a9d8f;--c7:#b08968}"
    "@media(prefers-color-scheme:dark){:root{--ink:#e6e9f0;--paper:#14171f;--rule:#333a48;--c0:#3fbf8f;--c1:#6fb1ec;--c2:#bd93f9;"
    "--c3:#ffc145;--c4:#ff7b8a;--c5:#9aa5bd;--c6:#62d2c4;--c7:#d9b48f}}"
    "body{font:15px/1.5 system-ui,sans-serif;margin:2em auto;max-width:1100px;padding:0 1em;color:var(--ink);"
    "background:var(--paper)}a{color:var(--c1)}svg{max-width:100%;height:auto}svg text{font-size:12px;fill:var(--ink)}"
    ".rule{stroke:var(--rule)}.ink{stroke:var(--ink)}table{border-collapse:collapse;display:block;overflow-x:auto}"
    "td,th{padding:.2em .8em;text-align:left;border-bottom:1px solid var(--rule);white-space:nowrap}.n{text-align:right}"
    + "".join(f".f{n}{{fill:var(--c{n})}}.l{n}{{stroke:var(--c{n});fill:none;stroke-width:2}}" for n in range(COLOURS))
)
POLICY = "default-src 'none'; style-src 'sha256-" + base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode() + "'"


def page(title: str, parts: Sequence[str]) -> str:
    """Return a whole page of HTML. ``parts``: HTML, in order."""
    head = (
        "<!doctype html><html lang='en'><meta charset='utf-8'>"
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        "<meta name='viewport' content='width=device-width'>"
        f"<title>{text(title)}</title><style>{STYLE}</style><h1>{text(title)}</h1>"
    )
    return "".join([head, *parts, "</html>\n"])


def text(value: object) -> str:
    """Return text for HTML, with nothing in it that a browser interprets.

    >>> text("<b>")
    '&lt;b&gt;'
    """
    return escape(printable(value))


def number(value: Value) -> str:
    """Return a number as people read it; nothing for None.

    >>> number(1234.0), number(0.12345), number(None)
    ('1,234', '0.1235', '')
    """
    if value is None:
        return ""
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:,.2f}" if abs(value) >= 100 else f"{value:.4f}"


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return an HTML table; columns of numbers are aligned right."""
    numeric = [all(row[n] is None or _is_number(row[n]) for row in rows) for n in range(len(columns))]

    def cells(tag: str, row: Sequence[object]) -> str:
        return "".join(f"<{tag}{' class=n' * wide}>{_cell(value)}</{tag}>" for value, wide in zip(row, numeric, strict=True))

    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return f"<table><tr>{cells('th', columns)}</tr>{body}</table>"


def figures(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return the figures behind a chart as a table that can be opened."""
    return f"<details><summary>Figures</summary>{table(columns, rows)}</details>"


def line(title: str, labels: Sequence[str], series: Series) -> str:
    """Return a line a series over the labels, from 0 (or the lowest value below it) up to the highest value."""
    values = [value for told in series.values() for value in told if value is not None]
    low, high = min([0.0, *values]), max([0.0, *values]) or 1.0
    drawn = [*_open(title, len(series)), *_rules(low, high), *_labels(labels, ends=True)]
    for n, (name, told) in enumerate(series.items()):
        places = [(_across(at, len(labels)), _up(value, low, high), at) for at, value in enumerate(told) if value is not None]
        for run in _runs(places):
            points = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in run)
            drawn.append(f"<polyline class='l{n % COLOURS}' points='{points}'/>")
        for x, y, at in places:
            tip = f"{text(name)}, {text(labels[at])}: {number(told[at])}"
            drawn.append(f"<circle class='f{n % COLOURS}' cx='{x:.1f}' cy='{y:.1f}' r='3'><title>{tip}</title></circle>")
    return "".join([*drawn, *_legend(list(series)), "</svg>"])


def stacked_bars(title: str, labels: Sequence[str], series: Series) -> str:
    """Return a bar a label, of the series upon each other; negative values hang below 0."""
    above = [sum(max(told[n] or 0.0, 0.0) for told in series.values()) for n in range(len(labels))]
    below = [sum(min(told[n] or 0.0, 0.0) for told in series.values()) for n in range(len(labels))]
    low, high = min([0.0, *below]), max([0.0, *above]) or 1.0
    drawn = [*_open(title, len(series)), *_rules(low, high), *_labels(labels, ends=False)]
    slot = (WIDTH - LEFT - 10) / max(1, len(labels))
    for at, label in enumerate(labels):
        tops = {True: 0.0, False: 0.0}
        for n, (name, told) in enumerate(series.items()):
            value = told[at] or 0.0
            if not value:
                continue
            start = tops[value > 0]
            tops[value > 0] = end = start + value
            y, bottom = _up(max(start, end), low, high), _up(min(start, end), low, high)
            box = f"x='{LEFT + slot * (at + 0.1):.1f}' y='{y:.1f}' width='{slot * 0.8:.1f}' height='{bottom - y:.1f}'"
            tip = f"{text(name)}, {text(label)}: {number(value)}"
            drawn.append(f"<rect class='f{n % COLOURS}' {box}><title>{tip}</title></rect>")
    return "".join([*drawn, *_legend(list(series)), "</svg>"])


def bars(title: str, rows: Sequence[tuple[str, float, float]]) -> str:
    """Return a bar across for each name and value, the first in another colour; the third figure is its error either way."""
    high = max((value + error for _, value, error in rows), default=0.0) or 1.0
    across = WIDTH - NAMES - 70
    drawn = [
        f"<svg viewBox='0 0 {WIDTH} {CELL * len(rows) + 6}' role='img' aria-label='{text(title)}'><title>{text(title)}</title>"
    ]
    for n, (name, value, error) in enumerate(rows):
        y, length, reach = 6 + CELL * n, across * max(value, 0.0) / high, across * error / high
        tip = f"{text(name)}: {number(value)}" + (f" ± {number(error)}" if error else "")
        box = f"x='{NAMES}' y='{y}' width='{length:.1f}' height='{CELL - 6}'"
        drawn.append(f"<text x='{NAMES - 8}' y='{y + 15}' text-anchor='end'>{text(name)}</text>")
        drawn.append(f"<rect class='f{0 if n == 0 else 5}' {box}><title>{tip}</title></rect>")
        drawn.append(f"<path class='ink' d='M{NAMES + length - reach:.1f} {y + 10}H{NAMES + length + reach:.1f}'/>")
        drawn.append(f"<text x='{NAMES + length + reach + 6:.1f}' y='{y + 15}'>{number(value)}</text>")
    return "".join([*drawn, "</svg>"])


def heat_table(title: str, rows: Sequence[str], columns: Sequence[str], cells: Mapping[tuple[str, str], Value]) -> str:
    """Return a cell for each row and column, the darker the higher its value; a cell that is not known is left empty."""
    highest = max((value for value in cells.values() if value is not None), default=0.0) or 1.0
    wide = (WIDTH - LEFT - 10) / max(1, len(columns))
    tall = CELL * (len(rows) + 1)
    drawn = [f"<svg viewBox='0 0 {WIDTH} {tall}' role='img' aria-label='{text(title)}'><title>{text(title)}</title>"]
    for n, column in enumerate(columns):
        drawn.append(f"<text x='{LEFT + wide * (n + 0.5):.1f}' y='17' text-anchor='middle'>{text(column)}</text>")
    for at, row in enumerate(rows):
        y = CELL * (at + 1)
        drawn.append(f"<text x='4' y='{y + 17}'>{text(row)}</text>")
        for n, column in enumerate(columns):
            value = cells.get((row, column))
            if value is None:
                continue
            x, deep = LEFT + wide * n, 0.08 + 0.62 * max(0.0, value) / highest
            box = f"x='{x:.1f}' y='{y}' width='{wide - 1:.1f}' height='{CELL - 1}' fill-opacity='{deep:.2f}'"
            tip = f"{text(row)}, {text(column)}: {number(value)}"
            drawn.append(f"<rect class='f0' {box}><title>{tip}</title></rect>")
            shown = f"{value:.2f}" if value != int(value) else number(value)
            drawn.append(f"<text x='{x + wide / 2:.1f}' y='{y + 17}' text-anchor='middle'>{shown}</text>")
    return "".join([*drawn, "</svg>"])


def _open(title: str, series: int) -> Iterator[str]:
    tall = HEIGHT + LEGEND * ((series + 5) // 6)
    yield f"<svg viewBox='0 0 {WIDTH} {tall}' role='img' aria-label='{text(title)}'><title>{text(title)}</title>"


def _rules(low: float, high: float) -> Iterator[str]:
    for step in range(STEPS + 1):
        value = low + (high - low) * step / STEPS
        y = _up(value, low, high)
        yield f"<path class='rule' d='M{LEFT} {y:.1f}H{WIDTH - 10}'/><text x='4' y='{y + 4:.1f}'>{number(value)}</text>"


def _labels(labels: Sequence[str], ends: bool) -> Iterator[str]:
    """Yield the labels below, as many as have room. ``ends``: the first and last stand at the borders."""
    slot = (WIDTH - LEFT - 10) / max(1, len(labels))
    for n in range(0, len(labels), max(1, -(-len(labels) // 10))):
        x = _across(n, len(labels)) if ends else LEFT + slot * (n + 0.5)
        yield f"<text x='{x:.1f}' y='{HEIGHT - BELOW + 16}' text-anchor='middle'>{text(labels[n])}</text>"


def _legend(names: Sequence[str]) -> Iterator[str]:
    for n, name in enumerate(names):
        x, y = LEFT + (n % 6) * 130, HEIGHT - 12 + LEGEND * (n // 6)
        yield f"<rect class='f{n % COLOURS}' x='{x}' y='{y}' width='10' height='10'/>"
        yield f"<text x='{x + 15}' y='{y + 9}'>{text(name)}</text>"


def _across(n: int, count: int) -> float:
    return LEFT + (WIDTH - LEFT - 40) * (n / max(1, count - 1))


def _up(value: float, low: float, high: float) -> float:
    return TOP + (HEIGHT - BELOW - TOP) * (1 - (value - low) / (high - low))


def _runs(places: Sequence[tuple[float, float, int]]) -> Iterator[list[tuple[float, float, int]]]:
    """Yield places that follow each other without a gap."""
    run: list[tuple[float, float, int]] = []
    for place in places:
        if run and place[2] != run[-1][2] + 1:
            yield run
            run = []
        run.append(place)
    if run:
        yield run


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _cell(value: object) -> str:
    if value is None:
        return ""
    return number(value) if _is_number(value) else text(value)  # type: ignore[arg-type]
