"""``regulars backtest``: history under another policy, side by side with what was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import click

from aggregates.programme import Policies, Programme
from aggregates.programme.document import read
from infra.event_log.types import Shop
from infra.private_files import make_home
from infra.settings import from_environment
from streams.cli.console import AS_JSON, CommandFailed, echo, grid, print_json, say, show_parts
from streams.cli.formatting import format_instant, format_money, read_instant
from streams.cli.model import write_file
from streams.cli.policy import FILE, checked
from streams.cli.recommender_backtest import backtest_recommender
from streams.pages import charts
from streams.replay.backtest.figures import SAME_SHARE, figures
from streams.replay.backtest.processes import Scenario, backtested
from streams.running.app import open_log
from streams.running.parallel_follower import cores

MONEY = ("worth", "deferred", "cost")
POINTS = ("granted", "redeemed", "returned", "lapsed", "clawed_back")
OUTSTANDING = {
    "to_spend": "to spend",
    "pending": "pending",
    "held": "held",
    "owed": "owed by members",
    "worth": "worth",
    "deferred": "deferred of sales (IFRS 15)",
    "cost": "cost of what was redeemed",
}


class Section(NamedTuple):
    """A table of the comparison; the columns from ``numbers`` on are aligned right."""

    title: str
    columns: Sequence[str]
    rows: list[tuple[str, ...]]
    numbers: int = 1


@click.command()
@click.argument("file", type=FILE, required=False)
@click.option("--recommender", "settings_file", type=FILE, help="Compare these settings of the recommender; instead of FILE.")
@click.option(
    "--processes",
    type=click.IntRange(1, 64),
    help="Replay members side by side; the figures are the same. Default: the cores. With --recommender, two at most.",
)
@click.option("--from", "since", metavar="TIME", help="Let history stand before this instant. Default: the beginning.")
@click.option("--to", "until", metavar="TIME", help="Stop when the shop's clock passed this instant. Default: the log's end.")
@click.option(
    "--redeem-share",
    is_flag=True,
    help="Second scenario: members redeem the same share of what they could spend as they did then.",
)
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="Write a page with charts, too.")
@AS_JSON
def backtest(
    file: Path | None,
    settings_file: Path | None,
    processes: int | None,
    since: str | None,
    until: str | None,
    redeem_share: bool,
    html: Path | None,
    as_json: bool,
) -> None:
    """Replay history under the policy in FILE, and compare: tiers, points, liability, cost, members who gain and lose.

    Purchases, deliveries and refunds are given; grants, tiers and lapses are decided again, and redemptions are asked for
    again. Nothing is written to the log or to Redis.

    With --recommender, a learner with other settings learns the log beside today's. Each basket and look is tested before it is
    learned, the same ones for both, and the difference is paired by day.
    """
    if settings_file is not None:
        if file is not None or since is not None or redeem_share:
            raise click.UsageError(
                "--recommender goes without FILE, --from and --redeem-share: a learner learns from the beginning."
            )
        backtest_recommender(settings_file, until, min(processes or 2, 2), html, as_json)
        return
    if file is None:
        raise click.UsageError("Name the FILE of a policy, or --recommender FILE.")
    document = checked(file).document
    settings = from_environment()
    make_home(settings.home)
    with open_log(settings) as (log, _):
        if not log.head():
            raise CommandFailed("The log is empty: there is no history to replay.")
        shop = log.shop(Shop(settings.zone, settings.currency), chosen=False)
        first = Policies.first(shop.zone, shop.currency, shop.digits)
        start = 0 if since is None else read_instant(since, shop.zone, "--from")
        end = None if until is None else read_instant(until, shop.zone, "--to")
        if end is not None and end < start:
            raise click.BadParameter("it is before --from.", param_hint="--to")
        terms = replace(read(document, shop.zone, shop.currency)[0], digits=shop.digits)
        scenario = Scenario(first, terms, start, end, redeem_share)
        found = figures(backtested(scenario, log, settings, processes or cores()), start)
    if html is not None:
        write_file(html, backtest_page(file.name, found, terms))
    if as_json:
        print_json({"policy": str(file), "from": start} | found)
        return
    if redeem_share:
        echo(f"Scenario: {SAME_SHARE}")
    show_parts(
        *(grid(part.title, part.columns, part.rows, range(part.numbers, len(part.columns))) for part in sections(found, terms))
    )
    say(f"As of {format_instant(found['as_of'], terms)}; where two figures stand, the second is that of {file}.")
    for sentence in found["unknown"]:
        say(sentence)


def both(was: object, would: object) -> str:
    """Return two figures as one cell; one, if they are the same.

    >>> both("1", "1"), both("1", "2")
    ('1', '1 → 2')
    """
    return str(was) if was == would else f"{was} → {would}"


def cell(row: Mapping[str, Any], name: str, terms: Programme) -> str:
    """Return a figure of both sides as one cell."""
    was, would = (row[side].get(name, 0) for side in ("was", "would"))
    if name in MONEY:
        return both(format_money(was, terms), format_money(would, terms))
    return both(f"{was:,}", f"{would:,}")


def sections(found: Mapping[str, Any], terms: Programme) -> Iterator[Section]:
    """Yield the tables."""
    tiers = tiers_of(found, terms)
    rows = [(row["month"], *(cell(row, tier, terms) for tier in tiers)) for row in found["tiers"]]
    yield Section("Members by tier at the end of the month", ("month", *tiers), rows)
    for wallet, compared in found["wallets"].items():
        name, shown = wallet.capitalize(), (*POINTS, "cost")
        rows = [(row["month"], *(cell(row, kind, terms) for kind in shown)) for row in months_of(found, wallet)]
        yield Section(f"{name} by month", ("month", *(kind.replace("_", " ") for kind in shown)), rows)
        rows = [(words, cell(compared, figure, terms)) for figure, words in OUTSTANDING.items()]
        yield Section(f"{name} outstanding", ("", "in all"), rows)
        changed = found["members"][wallet]
        rows = [(who, *(f"{changed[who][of]:,}" for of in ("members", "points"))) for who in ("gain", "lose")]
        yield Section(f"{name}: members who gain or lose", ("", "members", "points"), rows)
        if changed["most"]:
            rows = [(one["member"], *(f"{one[of]:,}" for of in ("was", "would", "change"))) for one in changed["most"]]
            yield Section(f"{name}: the greatest changes", ("member", "was", "would", "change"), rows)
    if found["refused"]:
        rows = [
            (one["command"], one["code"], f"{one['requests']:,}", f"{one['points']:,}", format_money(one["money"], terms))
            for one in found["refused"]
        ]
        yield Section("Accepted then, refused now", ("command", "code", "requests", "points", "money"), rows, numbers=2)


def tiers_of(found: Mapping[str, Any], terms: Programme) -> list[str]:
    """Return the tiers that any member had in either history, the lowest of these terms first."""
    tiers = {tier for row in found["tiers"] for side in ("was", "would") for tier in row[side]}
    return sorted(tiers, key=lambda tier: (terms.rank(tier), tier))


def months_of(found: Mapping[str, Any], wallet: str) -> list[Any]:
    return [row for row in found["months"] if row["wallet"] == wallet]


# The page of ``--html``: charts, tables, and what a backtest cannot know


def backtest_page(name: str, found: Mapping[str, Any], terms: Programme) -> str:
    """Return one page of HTML that stands alone."""
    parts = [f"<p>As of {charts.text(format_instant(found['as_of'], terms))}, position {found['position']} of the log.</p>"]
    if found["scenario"] == "redeem-share":
        parts.append(f"<p><strong>Scenario: {charts.text(SAME_SHARE)}</strong></p>")
    parts += [
        "<h2>What a backtest cannot know</h2><ul>",
        *(f"<li>{charts.text(one)}</li>" for one in found["unknown"]),
        "</ul>",
    ]
    labels = [row["month"] for row in found["tiers"]]
    for side, words in (("was", "Members by tier, as it was"), ("would", "Members by tier, under this policy")):
        mix = {tier: [row[side].get(tier, 0) for row in found["tiers"]] for tier in tiers_of(found, terms)}
        parts += [f"<h2>{words}</h2>", charts.stacked_bars(words, labels, mix)]
    for wallet in found["wallets"]:
        rows = months_of(found, wallet)
        for kind in ("granted", "redeemed", "lapsed"):
            title = f"{wallet.capitalize()} {kind} by month"
            series = {words: [row[side][kind] for row in rows] for side, words in (("was", "was"), ("would", "would be"))}
            parts += [f"<h2>{charts.text(title)}</h2>", charts.line(title, [row["month"] for row in rows], series)]
    for part in sections(found, terms):
        parts += [f"<h2>{charts.text(part.title)}</h2>", charts.table(part.columns, part.rows)]
    return charts.page(f"Backtest of {name}", parts)
