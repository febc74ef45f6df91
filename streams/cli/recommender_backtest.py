"""``regulars backtest --recommender``: other settings of the recommender beside today's, on the same baskets."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aggregates.programme import Programme
from infra.event_log.types import Shop
from infra.private_files import make_home
from infra.settings import from_environment
from models.recommender.settings import SHIPPED, RecommenderSettings
from streams.cli.at import describe_place, read_place
from streams.cli.console import CommandFailed, Grid, grid, pairs, print_json, say, show_parts
from streams.cli.model import write_file
from streams.cli.progress import progress
from streams.imports.policy_file import problem_text
from streams.pages import charts
from streams.replay.backtest.recommender import both_qualities, compared, read_settings
from streams.replay.past.places import place_at
from streams.running.app import open_log

MEASURES = {
    "recall": "recall@10",
    "ndcg": "NDCG@10",
    "hits": "hit rate",
    "mrr": "MRR@20",
}
COLUMNS = ("scope", "measure", "tests", "today", "these settings", "difference", "±")


MEANING = (
    "<p>Each basket and look was tested before it was learned, the same ones for both. Differences are paired by day; ± is "
    "their standard error. Clicks favour the lists that were shown.</p>"
)


def backtest_recommender(file: Path, until: str | None, processes: int, html: Path | None, as_json: bool) -> None:
    """Learn the log twice, and print both qualities side by side."""
    settings = checked_settings(file)
    home = from_environment()
    make_home(home.home)
    with open_log(home) as (log, _):
        if not log.head():
            raise CommandFailed("The log is empty: there is no history to replay.")
        shop = log.shop(Shop(home.zone, home.currency), chosen=False)
        terms = Programme(shop.zone, shop.currency, digits=shop.digits)
        place = place_at(log, log.head()) if until is None else read_place(log, terms, until, option="--to")
        with progress(transient=True) as bars:
            task = bars.add("learning", place.position)
            found = compared(
                *both_qualities(
                    log, home, shop.zone, place.position, settings, processes, lambda reached: bars.update(task, reached)
                )
            )
    if not found["whole"]:
        raise CommandFailed("No basket was tested in this history: nobody bought a second time.")
    if html is not None:
        write_file(html, recommender_page(file.name, found))
    if as_json:
        print_json({"settings": str(file), "changed": changed(settings), "place": place.document()} | found)
        return
    say(describe_place(place, terms))
    show_parts(
        pairs("Settings", [(name, f"{was} → {would}") for name, (was, would) in changed(settings).items()]),
        quality_grid("Tested before learned, the same tests for both", found["whole"]),
        recall_by_month(found),
    )
    say("±: the standard error of the difference, paired by day. Clicks favour the lists that were shown.")


def checked_settings(file: Path) -> RecommenderSettings:
    """Return the settings of a file. Raises :class:`CommandFailed` with its problems."""
    try:
        source = file.read_bytes()
    except OSError as fault:
        raise CommandFailed(f"{file} cannot be read: {fault.strerror or fault}.") from None
    settings, problems = read_settings(source)
    if problems:
        raise CommandFailed("\n".join(problem_text(file, problem) for problem in problems))
    return settings


def changed(settings: RecommenderSettings) -> dict[str, tuple[float, float]]:
    """Return the settings that differ from today's, with both values."""
    found = {name: (getattr(SHIPPED, name), value) for name, value in vars(settings).items()}
    return {name: values for name, values in found.items() if values[0] != values[1]}


def quality_row(row: Mapping[str, Any]) -> tuple[str, ...]:
    figures = f"{row['was']:.4f}", f"{row['would']:.4f}", f"{row['difference']:+.4f}", f"{row['se']:.4f}"
    return row["scope"], MEASURES[row["measure"]], f"{row['tests']:,}", *figures


def quality_grid(title: str, rows: list[dict[str, Any]]) -> Grid:
    return grid(title, COLUMNS, map(quality_row, rows), numbers=range(2, len(COLUMNS)))


def monthly_recall(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [row for row in found["months"] if (row["scope"], row["measure"]) == ("all", "recall")]


def recall_by_month(found: Mapping[str, Any]) -> Grid:
    rows = ((row["month"], *quality_row(row)[2:]) for row in monthly_recall(found))
    return grid("Recall@10 by month", ("month", *COLUMNS[2:]), rows, numbers=range(1, 6))


def recommender_page(name: str, found: Mapping[str, Any]) -> str:
    """Return one page of HTML that stands alone."""
    months = monthly_recall(found)
    series = {words: [row[side] for row in months] for words, side in (("today", "was"), ("these settings", "would"))}
    labels = [row["month"] for row in months]
    return charts.page(
        f"Backtest of {name}",
        [
            MEANING,
            charts.table(COLUMNS, list(map(quality_row, found["whole"]))),
            "<h2>Recall@10 by month</h2>",
            charts.line("Recall@10 by month", labels, series),
            charts.table(("month", *COLUMNS[2:]), [(row["month"], *quality_row(row)[2:]) for row in months]),
        ],
    )
