"""What the recommender has learned and how good its lists are: ``regulars model show`` and ``regulars quality``."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from html import escape
from pathlib import Path
from typing import Any

import click
from rich.console import RenderableType

from infra.errors import Misconfigured
from infra.printable import printable
from infra.redis.views import Views
from infra.settings import from_environment
from models.evaluation.drift import Watch
from models.evaluation.quality import BASELINES, LISTS
from models.recommender.features import MEANS
from models.recommender.items import Items
from models.recommender.ranker import Ranker
from models.recommender.ranker_state import ALARMS, CATEGORIES, WEIGHTS, RankerState
from streams.cli.console import AS_JSON, CommandFailed, grid, print_json, say, show_parts
from streams.cli.groups import CommandGroup
from streams.queries import views as reading
from streams.running.app import connected

NOTHING = "Nothing was learned yet: import something, or run `regulars follow --once`."
SCOPES = {"all": "all products", "no-staples": "without staples"}

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
        maps = views.hashes([WEIGHTS, CATEGORIES])
    if not maps[WEIGHTS]:
        raise CommandFailed(NOTHING)
    ranker, items = Ranker(), Items()
    RankerState(ranker, items, Watch()).restore(maps)
    features = weights_of(ranker)
    named = zip(items.categories, ranker.categories.values.tolist(), strict=True)
    categories = sorted(((name, value) for name, value in named if name), key=lambda pair: -pair[1])
    if as_json:
        print_json({"candidates": ranker.seen, "features": features, "categories": dict(categories)})
        return
    rows = (
        (f["feature"], *(f"{f[part]:+.3f}" for part in ("effect", "weight", "mean")), f"{f['spread']:.2f}", f["means"])
        for f in sorted(features, key=lambda f: -abs(f["effect"]))
    )
    columns = ("feature", "effect", "weight", "mean", "spread", "what it is")
    show_parts(grid(f"The ranker, learned from {ranker.seen:,} candidates", columns, rows, numbers=range(1, 5), wraps=(5,)))
    for more, some in (("more", categories[:EXTREMES]), ("less", categories[: -EXTREMES - 1 : -1])) if categories else ():
        say(f"bought {more} often than the features say: {', '.join(f'{name} {value:+.2f}' for name, value in some)}")
    say("effect: what a score gains while the feature rises from one spread below its mean to one above, bends included")
    say("weight: the straight part alone")


def weights_of(ranker: Ranker) -> list[dict[str, Any]]:
    """Return a row for each feature of the ranker."""
    straight = ranker.weights.values[: len(ranker.features)]
    rows = zip(ranker.features, straight.tolist(), *(part.tolist() for part in ranker.effects()), strict=True)
    return [
        {"feature": name, "weight": weight, "mean": mean, "spread": spread, "effect": effect, "means": MEANS[str(name)]}
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
        learned = what_was_learned(views)
        alarms = [json.loads(text) for _, text in sorted(reading.table(views, ALARMS).items(), key=lambda item: int(item[0]))]
    if not found and not any(learned.values()):
        raise CommandFailed(NOTHING)
    if html is not None:
        write_file(html, quality_page(found, alarms))
    if as_json:
        rows = [
            {"period": period, "scope": scope, "list": name, **vars(q)}
            for period, q_of in found
            for (scope, name), q in q_of.items()
        ]
        print_json({"quality": rows, "alarms": alarms, "learned": learned})
        return
    if not found:
        counts = ", ".join(f"{count:,} {what}" for what, count in learned.items())
        say(f"No basket was tested in this time, so there is no figure. Learned so far: {counts}.")
        return
    show_parts(*(quality_grid(f"Recall@10 by {by}, {words}", scope, found) for scope, words in SCOPES.items()))
    for scope, words in SCOPES.items():
        say(f"{words}: {', '.join(sparklines(scope, found))}")
    say("recall@10: the share of a basket that was among the first ten of the list shown before it")
    for alarm in alarms:
        say(f"alarm {alarm['day']}: recall@10 went from {alarm['before']:.4f} to {alarm['after']:.4f}")
    if not alarms:
        say("no alarm: the level has not changed (ADWIN)")


def what_was_learned(views: Views) -> dict[str, int]:
    """Return what the recommender has learned besides baskets: from looks, clicks and carts."""
    parts = {"products looked at": "looks", "visits that go on": "visiting", "visits that ended": "visits"}
    found = views.hashes(parts.values())
    return {what: len(found[part]) for what, part in parts.items()}


def quality_by_period(views: Views, since: str, until: str, of: Callable[[date], str]) -> list[tuple[str, reading.Qualities]]:
    """Return the quality of each period from ``since`` to before ``until``, in order of time."""
    days = sorted(key.partition(":")[2] for key in reading.keys_of(views, "quality"))
    names: dict[str, list[str]] = {}
    for day in days:
        if since <= day < until:
            names.setdefault(of(date.fromisoformat(day)), []).append(day)
    return [(name, reading.quality(views, mine[0], mine[-1] + "~")) for name, mine in names.items()]


def quality_grid(title: str, scope: str, found: list[tuple[str, reading.Qualities]]) -> RenderableType:
    """Return a row for each period, with the recall of every list."""
    rows = [
        (period, f"{q_of[scope, 'regulars'].baskets:,}", *(f"{q_of[scope, name].recall:.4f}" for name in LISTS))
        for period, q_of in found
        if (scope, "regulars") in q_of
    ]
    return grid(title, ("period", "baskets", *LISTS), rows, numbers=range(1, 2 + len(LISTS)))


def sparklines(scope: str, found: list[tuple[str, reading.Qualities]]) -> Iterator[str]:
    """Yield how the recall of our list and of the two simple ones went."""
    for name in ("regulars", *BASELINES):
        values = [q_of[scope, name].recall for _, q_of in found if (scope, name) in q_of]
        yield f"{name} {sparkline(values)} {min(values, default=0):.3f} to {max(values, default=0):.3f}"


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


# The page of ``--html``: two charts and a table in one file, without a script

WIDTH, HEIGHT, LEFT, BELOW = 860, 300, 50, 40
COLOURS = dict(zip(LISTS, ("#0b6e4f", "#3a86c8", "#9b5de5", "#f0a202", "#5c677d", "#b0b7c3"), strict=True))
STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;margin:2em auto;max-width:900px;color:#1d2433}table{border-collapse:collapse}"
    "td,th{padding:.2em .8em;text-align:right;border-bottom:1px solid #e3e6ec}td:first-child,th:first-child{text-align:left}"
)
HEAD = (
    f"<!doctype html><html lang='en'><meta charset='utf-8'><title>Recommendations: quality</title><style>{STYLE}</style>"
    "<h1>How good the recommendations have been</h1><p>Recall@10: the share of a basket that was among the first ten "
    "products of the list stored before it. Each basket is tested before it is learned.</p>"
)


def quality_page(found: Sequence[tuple[str, reading.Qualities]], alarms: Sequence[dict[str, Any]]) -> str:
    """Return the whole page as HTML."""
    parts = [HEAD]
    for scope, title in (("all", "All products"), ("no-staples", "Without staples")):
        periods = [(period, quality) for period, quality in found if (scope, "regulars") in quality]
        parts += [f"<h2>{title}</h2>", chart(periods, scope), html_table(periods, scope)]
    parts.append("<h2>Alarms</h2>")
    parts += [f"<p>{text_of(a['day'])}: from {a['before']:.4f} to {a['after']:.4f}</p>" for a in alarms] or ["<p>None.</p>"]
    return "".join([*parts, "</html>\n"])


def chart(periods: Sequence[tuple[str, reading.Qualities]], scope: str) -> str:
    """Return an SVG with a line for each list, from 0 up to the highest value."""
    top = max((quality[scope, name].recall for _, quality in periods for name in LISTS), default=0.0) or 1.0
    across, up = WIDTH - LEFT - 10, HEIGHT - BELOW - 10

    def place(n: int, value: float) -> str:
        return f"{LEFT + across * (n / max(1, len(periods) - 1)):.1f},{10 + up * (1 - value / top):.1f}"

    drawn = [f"<svg viewBox='0 0 {WIDTH} {HEIGHT}' role='img' aria-label='recall@10 over time'>"]
    for step in range(5):
        value, y = top * step / 4, 10 + up * (1 - step / 4)
        drawn.append(f"<path d='M{LEFT} {y:.1f}H{WIDTH - 10}' stroke='#e3e6ec'/>")
        drawn.append(f"<text x='4' y='{y + 4:.1f}' font-size='12'>{value:.3f}</text>")
    for name in LISTS:
        points = " ".join(place(n, quality[scope, name].recall) for n, (_, quality) in enumerate(periods))
        drawn.append(f"<polyline points='{points}' fill='none' stroke='{COLOURS[name]}' stroke-width='2'/>")
    for n, name in enumerate(LISTS):
        x = LEFT + n * 130
        drawn.append(f"<rect x='{x}' y='{HEIGHT - 14}' width='10' height='10' fill='{COLOURS[name]}'/>")
        drawn.append(f"<text x='{x + 15}' y='{HEIGHT - 5}' font-size='12'>{name}</text>")
    return "".join([*drawn, "</svg>"])


def html_table(periods: Sequence[tuple[str, reading.Qualities]], scope: str) -> str:
    """Return the figures behind the chart as an HTML table."""
    head = "".join(f"<th>{name}</th>" for name in ("", "baskets", *LISTS))
    rows = "".join(
        f"<tr><td>{text_of(period)}</td><td>{quality[scope, 'regulars'].baskets:,}</td>"
        + "".join(f"<td>{quality[scope, name].recall:.4f}</td>" for name in LISTS)
        + "</tr>"
        for period, quality in periods
    )
    return f"<table><tr>{head}</tr>{rows}</table>"


def text_of(value: object) -> str:
    """Return text for HTML, with nothing in it that a browser interprets."""
    return escape(printable(value))
