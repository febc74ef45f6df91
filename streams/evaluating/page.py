"""The report of an evaluation as a page that stands alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from streams.pages import charts

DRAWN = 6
"""Methods that are drawn over time: ours, then the best."""


def page(report: dict[str, Any]) -> str:
    """Return the page."""
    rows: list[dict[str, Any]] = report["methods"]
    frozen = ", frozen" if report["frozen"] else ""
    about = f"{report['cases']:,} cases, protocol {charts.text(report['protocol'])}{frozen}, {report['products']:,} products."
    parts = [f"<p>{about} Ties go by popularity at that moment, then by id.</p>"]
    if rows:
        names = measures(rows)
        chosen = headline(names, report["task"])
        parts += [f"<h2>{charts.text(chosen)}</h2>", method_bars(rows, chosen)]
        if any("over_time" in row for row in rows):
            parts += ["<h2>Over time</h2>", lines(rows, chosen)]
        parts += ["<h2>All measures</h2>", table(rows, names)]
        parts += ["<h2>Less ours, with its paired standard error</h2>", differences(rows, names)]
        parts += ["<h2>By number of earlier baskets, or acts in the visit</h2>", by_earlier(rows, chosen)]
        parts += ["<h2>Cost</h2>", costs(rows)]
    parts += [f"<p>Left out: {charts.text(name)}: {charts.text(why)}</p>" for name, why in report["left_out"].items()]
    return charts.page(f"Evaluation: {report['task']}", parts)


def measures(rows: Sequence[dict[str, Any]]) -> list[str]:
    return [name for name in rows[0] if "@" in name]


def headline(names: Sequence[str], task: str) -> str:
    """Return the measure that is drawn: hit rate of the longest list for visits, recall of the shortest for baskets."""
    if task == "next-item":
        return [name for name in names if name.startswith("hr@")][-1]
    return next(name for name in names if name.startswith("recall@"))


def number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def method_bars(rows: Sequence[dict[str, Any]], name: str) -> str:
    """Return a bar a method, ours first, with a whisker of two standard errors either way."""
    drawn = [(row["method"], row[name] or 0.0, 2 * (row["se"].get(name) or 0.0)) for row in rows]
    return charts.bars(f"{name} by method", drawn)


def lines(rows: Sequence[dict[str, Any]], name: str) -> str:
    """Return a line a method over the periods, for ours and the best of the others."""
    measure = name.partition("@")[0]
    best = sorted(rows[1:], key=lambda row: -(row[name] or 0.0))[: DRAWN - 1]
    series = {row["method"]: [point[measure] for point in row["over_time"]] for row in (rows[0], *best)}
    labels = [day(point["from"]) for point in rows[0]["over_time"]]
    return charts.line(f"{measure} over time", labels, series)


def day(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).date().isoformat()


def table(rows: Sequence[dict[str, Any]], names: Sequence[str]) -> str:
    return charts.table(("method", *names), [(row["method"], *(number(row[name]) for name in names)) for row in rows])


def differences(rows: Sequence[dict[str, Any]], names: Sequence[str]) -> str:
    told = [name for name in names if name in rows[0]["se"]]
    return charts.table(
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
    return f"<p>{charts.text(name)}</p>" + charts.table(
        head, [(row["method"], *(number(row["by_earlier"][band][name]) for band in bands)) for row in rows]
    )


def costs(rows: Sequence[dict[str, Any]]) -> str:
    head = ("method", "ms p50", "ms p99", "seconds", "of the processor", "megabytes", "parameters")
    return charts.table(
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
