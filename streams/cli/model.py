"""``regulars model show`` and ``regulars quality``: what the ranker has learned, and how good the lists have been."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import click
import orjson

from infra.errors import Misconfigured
from infra.redis.views import Views
from infra.settings import from_environment
from models.evaluation.drift import ALARMS
from models.evaluation.quality import BASELINES, LISTS, NEW_LISTS
from models.recommender.features import FEATURES, MEANS
from models.recommender.ranker import Ranker
from models.recommender.visit_candidates import FEATURES as VISIT_FEATURES
from models.recommender.visit_candidates import MEANS as VISIT_MEANS
from streams.cli.console import OUT, grid
from streams.cli.quality_page import page
from streams.queries import views as reading
from streams.running.app import connected

NOTHING = "Nothing was learned yet: import something, or run `regulars follow --once`."
SCOPES = {
    "all": "all products",
    "no-staples": "without staples",
    "first": "first baskets of members alone",
    "new": "what the member had never bought",
}

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
        maps = views.hashes(["ranker", "visit-ranker"])
    ranker, of_visits, numbers = Ranker(FEATURES), Ranker(VISIT_FEATURES, key="visit-ranker"), {"": 0}
    ranker.load(maps, numbers)
    of_visits.load(maps, {"": 0})
    if not ranker.seen and not of_visits.seen:
        raise click.ClickException(NOTHING)
    features, visits = weights(ranker, MEANS), weights(of_visits, VISIT_MEANS)
    named = zip(numbers, ranker.categories.mean.tolist(), strict=False)
    categories = sorted(((name, value) for name, value in named if name), key=lambda told: -told[1])
    if as_json:
        shown = {"candidates": ranker.seen, "features": features, "categories": dict(categories)}
        click.echo(orjson.dumps(shown | {"visits": {"candidates": of_visits.seen, "features": visits}}))
        return
    columns = ("feature", "effect", "weight", "mean", "spread", "what it is")
    for what, learned, some in (("baskets", ranker, features), ("visits", of_visits, visits)):
        rows = (
            (f["feature"], *(f"{f[part]:+.3f}" for part in ("effect", "weight", "mean")), f"{f['spread']:.2f}", f["means"])
            for f in sorted(some, key=lambda f: -abs(f["effect"]))
        )
        if learned.seen:
            title = f"The ranker of {what}, learned from {learned.seen:,} candidates"
            OUT.print(grid(title, columns, rows, numbers=range(1, 5)))
    if categories:
        for said, few in (("more", categories[:MOST_TOLD]), ("less", categories[: -MOST_TOLD - 1 : -1])):
            OUT.print(f"bought {said} than told by the rest: {', '.join(f'{name} {value:+.2f}' for name, value in few)}")
    OUT.print(
        "[dim]effect: what a score gains while the feature goes from one spread below its mean to one above, bends included; "
        "weight: of the straight part alone.[/dim]"
    )


def weights(ranker: Ranker, means: Mapping[str, str]) -> list[dict[str, Any]]:
    straight = ranker.weights.mean[: len(ranker.features)]
    told = zip(ranker.features, straight.tolist(), *(part.tolist() for part in ranker.effects()), strict=True)
    return [
        {"feature": name, "weight": weight, "mean": mean, "spread": spread, "effect": effect, "means": means[name]}
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
        whole = reading.quality(views, since, until)
        alarms = [json.loads(text) for _, text in sorted(reading.table(views, ALARMS).items(), key=lambda item: int(item[0]))]
        visits = reading.visit_quality(views, since, until)
    if not found and not visits:
        raise click.ClickException(NOTHING)
    if html is not None:
        write(html, page(found, alarms, visits))
    if as_json:
        told = [
            {"period": period, "scope": scope, "list": name, **vars(q)}
            for period, q_of in found
            for (scope, name), q in q_of.items()
        ]
        of_visits = [{"list": name, **vars(q)} for name, q in visits.items()]
        click.echo(orjson.dumps({"quality": told, "visits": of_visits, "alarms": alarms}))
        return
    for scope, said in SCOPES.items():
        show(f"Recall@10 by {by}, {said}", scope, found)
    show_gains(whole)
    show_visits(visits)
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
    names = NEW_LISTS if scope == "new" else LISTS
    told = [(period, q_of) for period, q_of in found if (scope, "regulars") in q_of]
    if not told:
        return
    rows = (
        (period, f"{q_of[scope, 'regulars'].baskets:,}", *(f"{q_of[scope, name].recall:.4f}" for name in names))
        for period, q_of in told
    )
    OUT.print(grid(title, ("", "baskets", *names), rows, numbers=range(1, 2 + len(names))))
    for name in ("regulars", *(name for name in BASELINES if name in names)):
        values = [q_of[scope, name].recall for _, q_of in told]
        OUT.print(f"  {name:<10} {sparkline(values)} {min(values, default=0):.3f} to {max(values, default=0):.3f}")
    OUT.print()


def show_gains(whole: reading.Qualities) -> None:
    """Print what ours has more than each other list, on the same baskets."""
    rows = (
        (scope, name, f"{q.baskets:,}", *(f"{gained:+.4f} ± {se:.4f}" for gained, se in gains(q)))
        for (scope, name), q in whole.items()
        if name != "regulars"
    )
    columns = ("products", "list", "baskets", "recall@10", "NDCG@10")
    OUT.print(grid("What our list has more on the same baskets, ± the paired standard error", columns, rows, (2, 3, 4)))


def gains(q: reading.ListQuality) -> tuple[tuple[float, float], tuple[float, float]]:
    return (q.recall_gain, q.recall_se), (q.ndcg_gain, q.ndcg_se)


def show_visits(visits: Mapping[str, reading.VisitQuality]) -> None:
    """Print how good the lists of visits are at the product that is looked at next."""
    rows = (
        (
            *(name, f"{q.acts:,}", f"{q.hit_rate:.4f}", f"{q.mrr:.4f}"),
            *(f"{gained:+.4f} ± {se:.4f}" for gained, se in ((q.hit_rate_gain, q.hit_rate_se), (q.mrr_gain, q.mrr_se))),
        )
        for name, q in visits.items()
    )
    columns = ("list", "looks", "HR@20", "MRR@20", "HR: ours more", "MRR: ours more")
    if visits:
        OUT.print(grid("Visits: the product that is looked at next", columns, rows, numbers=range(1, 6)))


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
