"""``regulars model show`` and ``regulars quality``: what the ranker has learned, and how good the lists have been."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import click
import orjson

from infra.errors import Misconfigured
from infra.redis.views import Views
from infra.settings import from_environment
from models.evaluation.drift import Watch
from models.evaluation.quality import LISTS
from models.recommender.features import MEANS
from models.recommender.items import Items
from models.recommender.ranker import Ranker
from models.recommender.ranker_state import ALARMS, CATEGORIES, WEIGHTS, RankerState
from streams.cli.console import OUT, grid
from streams.cli.quality_page import page
from streams.queries import views as reading
from streams.running.app import connected

NOTHING = "Nothing was learned yet: import something, or run `regulars follow --once`."
SCOPES = {"all": "all products", "no-staples": "without staples"}

PERIODS: dict[str, Callable[[date], str]] = {
    "day": date.isoformat,
    "week": lambda day: f"{day.isocalendar().year}-W{day.isocalendar().week:02d}",
    "month": lambda day: f"{day:%Y-%m}",
}

MOST_TOLD = 5  # categories at either end

BARS = " ▁▂▃▄▅▆▇█"


@click.group("model")
def model() -> None:
    """Look into the recommender."""


@model.command("show")
@click.option("--json", "as_json", is_flag=True, help="Print the weights as JSON.")
def show_model(as_json: bool) -> None:
    """What the ranker has learned: the weight of every feature, and what it does to a score."""
    with connected(from_environment()) as views:
        maps = views.hashes([WEIGHTS, CATEGORIES])
    if not maps[WEIGHTS]:
        raise click.ClickException(NOTHING)
    ranker, items = Ranker(), Items()
    RankerState(ranker, items, Watch()).restore(maps)
    features = weights(ranker)
    named = zip(items.categories, ranker.categories.values.tolist(), strict=True)
    categories = sorted(((name, value) for name, value in named if name), key=lambda told: -told[1])
    if as_json:
        click.echo(orjson.dumps({"candidates": ranker.seen, "features": features, "categories": dict(categories)}))
        return
    rows = (
        (f["feature"], *(f"{f[part]:+.3f}" for part in ("effect", "weight", "mean")), f"{f['spread']:.2f}", f["means"])
        for f in sorted(features, key=lambda f: -abs(f["effect"]))
    )
    columns = ("feature", "effect", "weight", "mean", "spread", "what it is")
    OUT.print(grid(f"The ranker, learned from {ranker.seen:,} candidates", columns, rows, numbers=range(1, 5)))
    if categories:
        for said, some in (("more", categories[:MOST_TOLD]), ("less", categories[: -MOST_TOLD - 1 : -1])):
            OUT.print(f"bought {said} than told by the rest: {', '.join(f'{name} {value:+.2f}' for name, value in some)}")
    OUT.print(
        "[dim]effect: what a score gains while the feature goes from one spread below its mean to one above, bends included; "
        "weight: of the straight part alone.[/dim]"
    )


def weights(ranker: Ranker) -> list[dict[str, Any]]:
    straight = ranker.weights.values[: len(ranker.features)]
    told = zip(ranker.features, straight.tolist(), *(part.tolist() for part in ranker.effects()), strict=True)
    return [
        {"feature": name, "weight": weight, "mean": mean, "spread": spread, "effect": effect, "means": MEANS[str(name)]}
        for name, weight, mean, spread, effect in told
    ]


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
