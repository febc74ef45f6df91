"""``regulars model show`` and ``regulars quality``: what the ranker has learned, and how good the lists have been."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import click
import orjson

from infra.faults import Misconfigured
from infra.settings import from_environment
from infra.views import Views
from models.features import MEANS
from models.quality import LISTS
from models.ranker_state import ALARMS, SEEN, WEIGHTS
from streams import reading
from streams.bootstrap import connected
from streams.cli.console import OUT, grid
from streams.cli.quality_page import page

NOTHING = "Nothing was learned yet: import something, or run `regulars follow --once`."
SCOPES = {"all": "all products", "no-staples": "without staples"}

PERIODS: dict[str, Callable[[date], str]] = {
    "day": date.isoformat,
    "week": lambda day: f"{day.isocalendar().year}-W{day.isocalendar().week:02d}",
    "month": lambda day: f"{day:%Y-%m}",
}

BARS = " ▁▂▃▄▅▆▇█"


@click.group("model")
def model() -> None:
    """Look into the recommender."""


@model.command("show")
@click.option("--json", "as_json", is_flag=True, help="Print the weights as JSON.")
def show_model(as_json: bool) -> None:
    """The ranker's weight for every feature, with how far the feature is spread."""
    with connected(from_environment()) as views:
        told = reading.table(views, WEIGHTS)
    if not told:
        raise click.ClickException(NOTHING)
    seen = int(told[SEEN])
    rows = [weight(name, told[name], seen) for name in MEANS]
    if as_json:
        click.echo(orjson.dumps({"candidates": seen, "features": rows}))
        return
    ranked = sorted(rows, key=lambda row: -abs(float(str(row["effect"]))))
    cells = (
        (row["feature"], f"{row['weight']:+.3f}", f"{row['spread']:.2f}", f"{row['effect']:+.3f}", row["means"])
        for row in ranked
    )
    columns = ("feature", "weight", "spread", "effect", "what it is")
    OUT.print(grid(f"The ranker's straight part, learned from {seen:,} candidates", columns, cells, numbers=(1, 2, 3)))
    OUT.print(
        "[dim]effect: weight × spread, what one standard deviation adds to a score; bends and categories come on top[/dim]"
    )


def weight(name: str, text: str, seen: int) -> dict[str, object]:
    value, _, total, squares = map(float, text.split())
    mean = total / seen if seen else 0.0
    spread = max(0.0, squares / seen - mean * mean) ** 0.5 if seen else 0.0
    return {"feature": name, "weight": value, "mean": mean, "spread": spread, "effect": value * spread, "means": MEANS[name]}


@click.command()
@click.option("--since", metavar="DAY", default="", help="The first day, such as 2017-03-01.")
@click.option("--until", metavar="DAY", default="~", help="The first day that no longer counts.")
@click.option("--by", type=click.Choice(list(PERIODS)), default="month", show_default=True)
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="Write a page with a chart, too.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def quality(since: str, until: str, by: str, html: Path | None, as_json: bool) -> None:
    """How good the lists have been, each source alone and the whole: recall@10, tested before learned."""
    with connected(from_environment()) as views:
        found = periods(views, since, until, PERIODS[by])
        alarms = [json.loads(text) for _, text in sorted(reading.table(views, ALARMS).items(), key=lambda item: int(item[0]))]
    if not found:
        raise click.ClickException(NOTHING)
    if html is not None:
        write(html, page(found, alarms))
    if as_json:
        told = [
            {"period": period, "scope": scope, "list": name, **vars(q)}
            for period, q_of in found
            for (scope, name), q in q_of.items()
        ]
        click.echo(orjson.dumps({"quality": told, "alarms": alarms}))
        return
    for scope, said in SCOPES.items():
        show(f"Recall@10 by {by}, {said}", scope, found)
    for alarm in alarms:
        OUT.print(f"[bold]alarm[/bold] {alarm['day']}: recall@10 went from {alarm['before']:.4f} to {alarm['after']:.4f}")
    if not alarms:
        OUT.print("[dim]no alarm: no change of level was noticed (ADWIN)[/dim]")


def periods(views: Views, since: str, until: str, of: Callable[[date], str]) -> list[tuple[str, reading.Qualities]]:
    """Quality by period, in order."""
    days = sorted(key.partition(":")[2] for key in reading.keys_of(views, "quality"))
    names: dict[str, list[str]] = {}
    for day in days:
        if since <= day < until:
            names.setdefault(of(date.fromisoformat(day)), []).append(day)
    return [(name, reading.quality(views, mine[0], mine[-1] + "~")) for name, mine in names.items()]


def show(title: str, scope: str, found: list[tuple[str, reading.Qualities]]) -> None:
    rows = [
        (period, f"{q_of[scope, 'regulars'].baskets:,}", *(f"{q_of[scope, name].recall:.4f}" for name in LISTS))
        for period, q_of in found
        if (scope, "regulars") in q_of
    ]
    OUT.print(grid(title, ("", "baskets", *LISTS), rows, numbers=range(1, 2 + len(LISTS))))
    for name in ("regulars", "personal", "popular"):
        values = [q_of[scope, name].recall for _, q_of in found if (scope, name) in q_of]
        OUT.print(f"  {name:<10} {sparkline(values)} {min(values, default=0):.3f} to {max(values, default=0):.3f}")
    OUT.print()


def sparkline(values: list[float]) -> str:
    """
    >>> sparkline([0.0, 0.1, 0.2])
    ' ▄█'
    """
    top = max(values, default=0.0) or 1.0
    return "".join(BARS[round(value / top * (len(BARS) - 1))] for value in values)


def write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as fault:
        raise Misconfigured(f"{path} cannot be written: {fault.strerror or fault}.") from None
