"""What the recommender has learned and how good its lists are: ``regulars model show`` and ``regulars quality``."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import click

from infra.errors import Misconfigured
from infra.redis.checkpoints import LOG
from infra.redis.views import Views
from infra.settings import from_environment
from models.evaluation.drift import ALARMS
from models.evaluation.quality import BASELINES, LISTS, NEW_LISTS
from models.learner import Learner
from models.recommender.features import FEATURES, MEANS
from models.recommender.ranker import Ranker
from models.recommender.visit_candidates import FEATURES as VISIT_FEATURES
from models.recommender.visit_candidates import MEANS as VISIT_MEANS
from streams.cli.console import AS_JSON, CommandFailed, grid, print_json, say, show_parts
from streams.cli.groups import CommandGroup
from streams.pages import charts
from streams.projecting.loaders import fold_name
from streams.queries import views as reading
from streams.registry import LEARNING
from streams.running.app import connected

NOTHING = "Nothing was learned yet: import something, or run `regulars follow --once`."
UNTESTED = (
    "The learner has come to event #{:,}, and no list was tested yet: that takes a basket, or a second product in a visit."
)
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

EXTREMES = 5  # categories at either end

BARS = " ▁▂▃▄▅▆▇█"


@click.group("model", cls=CommandGroup)
def model() -> None:
    """Look into the recommender."""


@model.command("show")
@AS_JSON
def show_model(as_json: bool) -> None:
    """Show what the ranker has learned: the weight of every feature, and what it does to a score."""
    with connected(from_environment()) as views:
        maps = views.hashes(["ranker", "visit-ranker"])
    ranker, of_visits, numbers = Ranker(FEATURES, averaged=1), Ranker(VISIT_FEATURES, averaged=1, key="visit-ranker"), {"": 0}
    ranker.load(maps, numbers)
    of_visits.load(maps, {"": 0})
    if not ranker.seen and not of_visits.seen:
        raise CommandFailed(NOTHING)
    features, visits = weights_of(ranker, MEANS), weights_of(of_visits, VISIT_MEANS)
    named = zip(numbers, ranker.categories.mean.tolist(), strict=False)
    categories = sorted(((name, value) for name, value in named if name), key=lambda pair: -pair[1])
    if as_json:
        baskets = {"candidates": ranker.seen, "features": features, "categories": dict(categories)}
        print_json(baskets | {"visits": {"candidates": of_visits.seen, "features": visits}})
        return
    columns = ("feature", "effect", "weight", "mean", "spread", "what it is")
    for what, learned, of_it in (("baskets", ranker, features), ("visits", of_visits, visits)):
        rows = (
            (f["feature"], *(f"{f[part]:+.3f}" for part in ("effect", "weight", "mean")), f"{f['spread']:.2f}", f["means"])
            for f in sorted(of_it, key=lambda f: -abs(f["effect"]))
        )
        if learned.seen:
            title = f"The ranker of {what}, learned from {learned.seen:,} candidates"
            show_parts(grid(title, columns, rows, numbers=range(1, 5), wraps=(5,)))
    for more, some in (("more", categories[:EXTREMES]), ("less", categories[: -EXTREMES - 1 : -1])) if categories else ():
        say(f"bought {more} often than the features say: {', '.join(f'{name} {value:+.2f}' for name, value in some)}")
    say("effect: what a score gains while the feature rises from one spread below its mean to one above, bends included")
    say("weight: the straight part alone")


def weights_of(ranker: Ranker, means: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return a row for each feature of the ranker."""
    straight = ranker.weights.mean[: len(ranker.features)]
    rows = zip(ranker.features, straight.tolist(), *(part.tolist() for part in ranker.effects()), strict=True)
    return [
        {"feature": name, "weight": weight, "mean": mean, "spread": spread, "effect": effect, "means": means[name]}
        for name, weight, mean, spread, effect in rows
    ]


@click.command()
@click.option("--since", metavar="DAY", default="", help="The first day, such as 2017-03-01.")
@click.option("--until", metavar="DAY", default="~", help="The day after the last one.")
@click.option("--by", type=click.Choice(list(PERIODS)), default="month", show_default=True, help="A row for each of these.")
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="Write a page with a chart, too.")
@AS_JSON
def quality(since: str, until: str, by: str, html: Path | None, as_json: bool) -> None:
    """Show how good the lists have been, each source alone and the whole: recall@10, tested before learned."""
    with connected(from_environment()) as views:
        found = quality_by_period(views, since, until, PERIODS[by])
        whole, visits = reading.quality(views, since, until), reading.visit_quality(views, since, until)
        alarms = [json.loads(text) for _, text in sorted(reading.table(views, ALARMS).items(), key=lambda item: int(item[0]))]
        learner = fold_name(Learner)
        reached = views.checkpoints([(learner, LOG), (learner, f"{LEARNING}:0")])
    if not found and not visits:
        position = max(checkpoint.position for checkpoint in reached.values())
        raise CommandFailed(UNTESTED.format(position) if position else NOTHING)
    if html is not None:
        write_file(html, quality_page(found, alarms, visits))
    if as_json:
        rows = [
            {"period": period, "scope": scope, "list": name, **vars(q)}
            for period, q_of in found
            for (scope, name), q in q_of.items()
        ]
        of_visits = [{"list": name, **vars(q)} for name, q in visits.items()]
        print_json({"quality": rows, "visits": of_visits, "alarms": alarms})
        return
    for scope, words in SCOPES.items():
        show_quality(f"Recall@10 by {by}, {words}", scope, found)
    show_gains(whole)
    show_visits(visits)
    say("recall@10: the share of a basket that was among the first ten of the list of that moment")
    for alarm in alarms:
        say(f"alarm {alarm['day']}: recall@10 went from {alarm['before']:.4f} to {alarm['after']:.4f}")
    if not alarms:
        say("no alarm: the level has not changed (ADWIN)")


def quality_by_period(views: Views, since: str, until: str, of: Callable[[date], str]) -> list[tuple[str, reading.Qualities]]:
    """Return the quality of each period from ``since`` to before ``until``, in order of time."""
    days = sorted(key.partition(":")[2] for key in reading.keys_of(views, "quality"))
    names: dict[str, list[str]] = {}
    for day in days:
        if since <= day < until:
            names.setdefault(of(date.fromisoformat(day)), []).append(day)
    return [(name, reading.quality(views, mine[0], mine[-1] + "~")) for name, mine in names.items()]


def show_quality(title: str, scope: str, found: list[tuple[str, reading.Qualities]]) -> None:
    """Print the recall of every list by period, and a line for ours and each baseline."""
    names = NEW_LISTS if scope == "new" else LISTS
    periods = [(period, q_of) for period, q_of in found if (scope, "regulars") in q_of]
    if not periods:
        return
    rows = [
        (period, f"{q_of[scope, 'regulars'].baskets:,}", *(f"{q_of[scope, name].recall:.4f}" for name in names))
        for period, q_of in periods
    ]
    show_parts(grid(title, ("period", "baskets", *names), rows, numbers=range(1, 2 + len(names))))
    for name in ("regulars", *(name for name in BASELINES if name in names)):
        values = [q_of[scope, name].recall for _, q_of in periods]
        say(f"  {name:<10} {sparkline(values)} {min(values, default=0):.3f} to {max(values, default=0):.3f}")


def show_gains(whole: reading.Qualities) -> None:
    """Print what our list has more than each other one, on the same baskets."""
    rows = [
        (scope, name, f"{q.baskets:,}", f"{q.recall_gain:+.4f} ± {q.recall_se:.4f}", f"{q.ndcg_gain:+.4f} ± {q.ndcg_se:.4f}")
        for (scope, name), q in whole.items()
        if name != "regulars"
    ]
    if not rows:
        say("No basket was tested in this time.")
        return
    columns = ("products", "list", "baskets", "recall@10", "NDCG@10")
    show_parts(grid("What our list has more, ± the paired standard error", columns, rows, numbers=(2, 3, 4)))


def show_visits(visits: Mapping[str, reading.VisitQuality]) -> None:
    """Print how good the lists of visits are at the product that is looked at next."""
    rows = [
        (
            name,
            f"{q.acts:,}",
            f"{q.hit_rate:.4f}",
            f"{q.mrr:.4f}",
            "" if name == "regulars" else f"{q.mrr_gain:+.4f} ± {q.mrr_se:.4f}",
        )
        for name, q in visits.items()
    ]
    if rows:
        columns = ("list", "looks", "HR@20", "MRR@20", "MRR: ours more")
        show_parts(grid("Visits: the product that is looked at next", columns, rows, numbers=range(1, 5)))


def sparkline(values: list[float]) -> str:
    """Return a bar of text for each value, the highest as a full one.

    >>> sparkline([0.0, 0.1, 0.2])
    ' ▄█'
    """
    top = max(values, default=0.0) or 1.0
    return "".join(BARS[round(value / top * (len(BARS) - 1))] for value in values)


def write_file(path: Path, text: str) -> None:
    """Write a text file. Raises :class:`Misconfigured` if that is not possible."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as fault:
        raise Misconfigured(f"{path} cannot be written: {fault.strerror or fault}.") from None


# The page of ``--html``: charts and their figures in one file, without a script

MEANING = (
    "<p>Recall@10: the share of a basket that was among the first ten products of the list of that moment. Each basket is "
    "tested before it is learned.</p>"
)
TITLES = (("all", "All products"), ("no-staples", "Without staples"), ("first", "First baskets of members alone"))


def quality_page(
    found: Sequence[tuple[str, reading.Qualities]],
    alarms: Sequence[dict[str, Any]],
    visits: Mapping[str, reading.VisitQuality],
) -> str:
    """Return the whole page as HTML."""
    parts = [MEANING]
    for scope, title in TITLES:
        periods = [(period, quality) for period, quality in found if (scope, "regulars") in quality]
        labels = [period for period, _ in periods]
        series = {name: [quality[scope, name].recall for _, quality in periods] for name in LISTS}
        rows = [
            (period, quality[scope, "regulars"].baskets, *(quality[scope, name].recall for name in LISTS))
            for period, quality in periods
        ]
        drawn = charts.line(f"Recall@10, {title.lower()}", labels, series)
        parts += [f"<h2>{title}</h2>", drawn, charts.figures(("", "baskets", *LISTS), rows)]
    if visits:
        parts += ["<h2>Visits: the product that is looked at next</h2>", table_of_visits(visits)]
    parts.append("<h2>Alarms</h2>")
    alarmed = [f"<p>{charts.text(a['day'])}: from {a['before']:.4f} to {a['after']:.4f}</p>" for a in alarms]
    return charts.page("How good the recommendations have been", [*parts, *(alarmed or ["<p>None.</p>"])])


def table_of_visits(visits: Mapping[str, reading.VisitQuality]) -> str:
    """Return the figures of visits as an HTML table."""
    rows = [(name, q.acts, q.hit_rate, q.mrr, f"{q.mrr_gain:+.4f} ± {q.mrr_se:.4f}") for name, q in visits.items()]
    return charts.table(("", "looks", "HR@20", "MRR@20", "MRR: ours more"), rows)
