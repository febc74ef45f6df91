"""The report of an evaluation as a page that stands alone: charts as SVG, tables, no script and no other host."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from typing import Any

WIDTH, LEFT, BAR = 860, 190, 20
HEIGHT, BELOW = 300, 40
OURS, OTHERS = "#0b6e4f", "#b0b7c3"
COLOURS = ("#0b6e4f", "#3a86c8", "#f0a202", "#9b5de5", "#d1495b", "#5c677d")
DRAWN = len(COLOURS)
"""Methods that are drawn over time: ours, then the best."""

STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;margin:2em auto;max-width:1100px;padding:0 1em;color:#1d2433}"
    "table{border-collapse:collapse;display:block;overflow-x:auto}"
    "td,th{padding:.2em .7em;text-align:right;border-bottom:1px solid #e3e6ec;white-space:nowrap}"
    "td:first-child,th:first-child{text-align:left}"
)


def page(report: dict[str, Any]) -> str:
    """Return the page."""
    rows: list[dict[str, Any]] = report["methods"]
    task = escape(report["task"])
    parts = [
        f"<!doctype html><html lang='en'><meta charset='utf-8'><title>Evaluation: {task}</title><style>{STYLE}</style>",
        f"<h1>Evaluation: {task}</h1><p>{report['cases']:,} cases, protocol {escape(report['protocol'])}",
        ", frozen" if report["frozen"] else "",
        f", {report['products']:,} products. Ties go by popularity at that moment, then by id.</p>",
    ]
    if rows:
        names = measures(rows)
        chosen = headline(names, report["task"])
        parts += [f"<h2>{escape(chosen)}</h2>", bars(rows, chosen)]
        if any("over_time" in row for row in rows):
            parts += ["<h2>Over time</h2>", lines(rows, chosen)]
        parts += ["<h2>All measures</h2>", table(rows, names)]
        parts += ["<h2>Less ours, with its paired standard error</h2>", differences(rows, names)]
        parts += ["<h2>By number of earlier baskets, or acts in the visit</h2>", by_earlier(rows, chosen)]
        parts += ["<h2>Cost</h2>", costs(rows)]
    parts += [f"<p>Left out: {escape(name)}: {escape(why)}</p>" for name, why in report["left_out"].items()]
    return "".join([*parts, "</html>\n"])


def measures(rows: Sequence[dict[str, Any]]) -> list[str]:
    return [name for name in rows[0] if "@" in name]


def headline(names: Sequence[str], task: str) -> str:
    """Return the measure that is drawn: hit rate of the longest list for visits, recall of the shortest for baskets."""
    if task == "next-item":
        return [name for name in names if name.startswith("hr@")][-1]
    return next(name for name in names if name.startswith("recall@"))


def number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def bars(rows: Sequence[dict[str, Any]], name: str) -> str:
    """A bar a method, with a whisker of two standard errors either way."""
    top = max((row[name] or 0.0) for row in rows) * 1.1 or 1.0
    across = WIDTH - LEFT - 70
    drawn = [f"<svg viewBox='0 0 {WIDTH} {len(rows) * (BAR + 6) + 6}' role='img' aria-label='{escape(name)} by method'>"]
    for n, row in enumerate(rows):
        y, value, error = 6 + n * (BAR + 6), row[name] or 0.0, row["se"].get(name) or 0.0
        colour = OURS if row["method"] == "regulars" else OTHERS
        x = LEFT + across * value / top
        reach = across * 2 * error / top
        drawn.append(f"<text x='{LEFT - 8}' y='{y + 15}' font-size='13' text-anchor='end'>{escape(row['method'])}</text>")
        drawn.append(f"<rect x='{LEFT}' y='{y}' width='{x - LEFT:.1f}' height='{BAR}' fill='{colour}'/>")
        drawn.append(f"<path d='M{x - reach:.1f} {y + BAR / 2}H{x + reach:.1f}' stroke='#1d2433'/>")
        drawn.append(f"<text x='{x + reach + 6:.1f}' y='{y + 15}' font-size='12'>{value:.4f}</text>")
    return "".join([*drawn, "</svg>"])


def lines(rows: Sequence[dict[str, Any]], name: str) -> str:
    """A line a method over the periods, for ours and the best of the others."""
    measure = name.partition("@")[0]
    best = sorted(rows[1:], key=lambda row: -(row[name] or 0.0))[: DRAWN - 1]
    drawn_rows = [rows[0], *best]
    periods = [row["over_time"] for row in drawn_rows]
    first, last = periods[0][0]["from"], periods[0][-1]["from"]
    top = max((point[measure] or 0.0 for points in periods for point in points), default=0.0) or 1.0
    across, up = WIDTH - 70, HEIGHT - BELOW - 10
    drawn = [f"<svg viewBox='0 0 {WIDTH} {HEIGHT + 20}' role='img' aria-label='{escape(measure)} over time'>"]
    for step in range(5):
        y = 10 + up * (1 - step / 4)
        drawn.append(f"<path d='M60 {y:.1f}H{WIDTH - 10}' stroke='#e3e6ec'/>")
        drawn.append(f"<text x='4' y='{y + 4:.1f}' font-size='12'>{top * step / 4:.3f}</text>")
    for n, (row, points) in enumerate(zip(drawn_rows, periods, strict=True)):
        xs = (60 + across * (point["from"] - first) / max(1, last - first) for point in points)
        ys = (10 + up * (1 - (point[measure] or 0.0) / top) for point in points)
        told = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(xs, ys, strict=True))
        drawn.append(f"<polyline points='{told}' fill='none' stroke='{COLOURS[n]}' stroke-width='2'/>")
        x = 60 + n * 130
        drawn.append(f"<rect x='{x}' y='{HEIGHT + 4}' width='10' height='10' fill='{COLOURS[n]}'/>")
        drawn.append(f"<text x='{x + 15}' y='{HEIGHT + 13}' font-size='12'>{escape(row['method'])}</text>")
    for at, x, anchor in ((first, 60, "start"), (last, WIDTH - 10, "end")):
        drawn.append(f"<text x='{x}' y='{HEIGHT - 14}' font-size='12' text-anchor='{anchor}'>{day(at)}</text>")
    return "".join([*drawn, "</svg>"])


def day(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).date().isoformat()


def grid(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{top}</tr>{body}</table>"


def table(rows: Sequence[dict[str, Any]], names: Sequence[str]) -> str:
    return grid(("method", *names), [(row["method"], *(number(row[name]) for name in names)) for row in rows])


def differences(rows: Sequence[dict[str, Any]], names: Sequence[str]) -> str:
    told = [name for name in names if name in rows[0]["se"]]
    return grid(
        ("method", *told),
        [(row["method"], *(paired(row["versus_regulars"][name]) for name in told)) for row in rows if "versus_regulars" in row],
    )


def paired(told: dict[str, float | None]) -> str:
    if told["difference"] is None:
        return "-"
    return f"{told['difference']:+.4f}" + ("" if told["se"] is None else f" ± {told['se']:.4f}")


def by_earlier(rows: Sequence[dict[str, Any]], name: str) -> str:
    bands = list(rows[0]["by_earlier"])
    head = ("method", *(f"{band} ({rows[0]['by_earlier'][band]['cases']:,} cases)" for band in bands))
    return f"<p>{escape(name)}</p>" + grid(
        head, [(row["method"], *(number(row["by_earlier"][band][name]) for band in bands)) for row in rows]
    )


def costs(rows: Sequence[dict[str, Any]]) -> str:
    head = ("method", "ms p50", "ms p99", "seconds", "of the processor", "megabytes", "parameters")
    return grid(
        head,
        [
            (
                row["method"],
                f"{row['ms_p50']:.3f}",
                f"{row['ms_p99']:.3f}",
                f"{row['seconds']:.1f}",
                f"{row['cpu_seconds']:.1f}",
                f"{row['memory_mb']:.0f}",
                ", ".join(f"{key} {value}" for key, value in row.get("parameters", {}).items()),
            )
            for row in rows
        ],
    )
