"""Reports: one SQL file each over the views of a snapshot; its first comments say its title, what it means, and its charts.

A chart is ``line`` or ``bars``, the column of its labels, and the columns of its series; ``by NAME`` makes a series of each
value of a column, ``top N`` takes the first rows. ``heat`` has the columns of its rows, columns and values, or ``count`` for
how many rows fall there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from infra.errors import Misconfigured
from streams.pages import charts
from streams.replay.snapshot.files import check_chain, today_of
from streams.replay.snapshot.views import views_sql

FOLDER = Path(__file__).parent
MOST_ROWS = 500
"""Rows that a page or a terminal shows of a table."""


@dataclass(frozen=True)
class Report:
    """``charts``: as the words of their comments. ``sql``: the whole file."""

    name: str
    title: str
    meaning: str
    charts: tuple[tuple[str, ...], ...]
    sql: str


@dataclass(frozen=True)
class Result:
    """``position``: of the snapshot. ``rows``: money as decimals, days and instants as ISO 8601."""

    report: Report
    position: int
    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]

    def records(self) -> list[dict[str, Any]]:
        """Return a mapping a row."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def reports() -> dict[str, Report]:
    """Return the reports that come with Regulars, by name."""
    return {path.stem: read_report(path) for path in sorted(FOLDER.glob("*.sql"))}


def read_report(path: Path) -> Report:
    """Return the report of a SQL file. Raises :class:`Misconfigured` if it cannot be read or has no title."""
    try:
        sql = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as fault:
        raise Misconfigured(f"{path} cannot be read: {fault}.") from None
    comments = []
    for line in sql.splitlines():
        if not line.startswith("--"):
            break
        comments.append(line.removeprefix("--").strip())
    drawn = tuple(tuple(line.split()[1:]) for line in comments if line.startswith("chart:"))
    words = [line for line in comments if not line.startswith("chart:")]
    if not words:
        raise Misconfigured(f"{path} has no title: begin it with a comment, such as `-- Orders by month`.")
    return Report(path.stem, words[0], " ".join(words[1:]), drawn, sql)


class Snapshot:
    """Opened snapshots, of which each continues the one before; their files are checked first."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self.manifest = check_chain(folders)
        self._database = duckdb.connect()
        self._database.execute("SET VARIABLE snapshots = $folders", {"folders": [str(folder) for folder in folders]})
        self._database.execute(views_sql(self.manifest, today_of(self.manifest)))

    def run(self, report: Report) -> Result:
        """Return what a report finds. Raises :class:`Misconfigured` with what DuckDB says if its SQL fails."""
        try:
            found = self._database.execute(report.sql)
            columns = tuple(column[0] for column in found.description or ())
            rows = [tuple(map(plain, row)) for row in found.fetchall()]
        except duckdb.Error as fault:
            raise Misconfigured(f"The report {report.name} fails: {fault}") from None
        return Result(report, self.manifest["position"], columns, rows)


def plain(value: Any) -> Any:
    """Return a value as a report shows it.

    >>> plain(date(2017, 1, 2)), plain(Decimal("1.50"))
    ('2017-01-02', Decimal('1.50'))
    """
    return value.isoformat() if isinstance(value, date | datetime) else value


def page(result: Result, back: str = "") -> str:
    """Return a report as a page that stands alone. ``back``: HTML that leads to the other pages."""
    report = result.report
    shown = [[_number(cell) for cell in row] for row in result.rows[:MOST_ROWS]]
    parts = [back, f"<p>{charts.text(report.meaning)}</p>", f"<p>As of position {result.position:,} of the log.</p>"]
    parts += [draw(result, words) for words in report.charts if result.rows]
    parts.append(charts.figures(result.columns, shown) if report.charts else charts.table(result.columns, shown))
    if len(result.rows) > MOST_ROWS:
        parts.append(f"<p>The first {MOST_ROWS:,} of {len(result.rows):,} rows; <code>--csv</code> has all.</p>")
    return charts.page(report.title, parts)


def site(results: Sequence[Result]) -> Iterator[tuple[str, str]]:
    """Yield the files of a site of all reports: their names and contents, the index first."""
    links = "".join(
        f"<li><a href='{charts.text(one.report.name)}.html'>{charts.text(one.report.title)}</a>: "
        f"{charts.text(one.report.meaning)}</li>"
        for one in results
    )
    yield "index.html", charts.page("Reports", [f"<ul>{links}</ul>"])
    for one in results:
        yield f"{one.report.name}.html", page(one, "<p><a href='index.html'>All reports</a></p>")


def draw(result: Result, words: tuple[str, ...]) -> str:
    """Return the chart that a comment asks for. Raises :class:`Misconfigured` if the result has no such column."""
    try:
        kind, of, *names = words
        records = result.records()
        if "top" in names:
            at = names.index("top")
            records, names = records[: int(names[at + 1])], names[:at]
        if kind == "heat":
            return _heat(result.report.title, records, of, *names)
        labels, series = _series(records, of, names)
        return {"line": charts.line, "bars": charts.stacked_bars}[kind](
            f"{result.report.title}: {' '.join(names)}", labels, series
        )
    except (KeyError, ValueError, TypeError, IndexError) as fault:
        raise Misconfigured(f"The report {result.report.name} cannot draw `chart: {' '.join(words)}`: {fault!r}.") from None


def _series(records: list[dict[str, Any]], of: str, names: list[str]) -> tuple[list[str], dict[str, list[charts.Value]]]:
    """Return labels and series. Rows of the same label and series are added up."""
    split = names[names.index("by") + 1] if "by" in names else None
    labels = list(dict.fromkeys(str(record[of]) for record in records))
    if split:
        labels.sort()
    sums: dict[str, dict[str, charts.Value]] = {}
    for record in records:
        for name in names[:1] if split else names:
            value = _number(record[name])
            told = sums.setdefault(str(record[split]) if split else name, {})
            label = str(record[of])
            told[label] = value if told.get(label) is None else (told[label] or 0.0) + (value or 0.0)
    return labels, {name: [told.get(label) for label in labels] for name, told in sums.items()}


def _heat(title: str, records: list[dict[str, Any]], row: str, column: str, value: str) -> str:
    cells: dict[tuple[str, str], charts.Value] = {}
    for record in records:
        place = str(record[row]), str(record[column])
        cells[place] = (cells.get(place) or 0) + 1 if value == "count" else _number(record[value])
    rows = [str(name) for name in sorted({record[row] for record in records})]
    columns = [str(name) for name in sorted({record[column] for record in records})]
    return charts.heat_table(f"{title}: {value} by {row} and {column}", rows, columns, cells)


def _number(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else value
