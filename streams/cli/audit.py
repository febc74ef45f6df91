"""``regulars audit``: the books of points, rolled forward and checked, and what they are worth."""

from __future__ import annotations

import sys
from collections import Counter

import click

from aggregates.membership.ledger.book import KINDS, Kind
from aggregates.programme import Programme
from infra.settings import from_environment
from streams.cli.console import ERR, OUT, grid, instant, money, pairs
from streams.cli.policy import published
from streams.cli.tick import clock_of, told
from streams.queries.audit import Audit, audit
from streams.running.app import running

SPANS = {"day": 10, "month": 7, "year": 4}
"""Characters of an ISO day that name its span."""


@click.command("audit")
@click.option("--at", metavar="TIME", help="As of this instant: ISO 8601, without an offset the shop's own time.")
@click.option("--by", type=click.Choice(list(SPANS)), default="month", show_default=True, help="Roll forward by this span.")
def auditing(at: str | None, by: str) -> None:
    """Roll every member's points forward, day by day, check each closing, and tell what the points are worth.

    Exit status 1 if the books of any member do not add up.
    """
    with running(from_environment()) as app:
        now = clock_of(app)() if at is None else told(at, app.terms.zone)
        policies, _ = published(app)
        done = audit(app.log, policies, now)
        terms = policies.at(now)
        for wallet in sorted(done.liabilities):
            OUT.print(roll_forward(done, wallet, SPANS[by]))
            OUT.print(worth(done, wallet, now, terms))
    for wrong in done.differences:
        said = f"{wrong.member} on {wrong.day}, {wrong.wallet}: {wrong.found} where {wrong.expected} was to be."
        ERR.print(said, markup=False)
    ERR.print(f"{done.members:,} members, {done.days:,} closings checked, {len(done.differences):,} differences.")
    sys.exit(1 if done.differences else 0)


def roll_forward(done: Audit, wallet: str, span: int) -> object:
    rolled: dict[str, Counter[Kind]] = {}
    for (of, day), moved in sorted(done.rolled.items()):
        if of == wallet:
            rolled.setdefault(day[:span], Counter()).update(moved)
    seen = [kind for kind in KINDS if kind != "owed" and any(moved[kind] for moved in rolled.values())]
    rows, opening = [], 0
    for day, moved in rolled.items():
        closed = opening + sum(moved[kind] for kind in seen)
        rows.append((day, f"{opening:,}", *(f"{moved[kind]:,}" for kind in seen), f"{closed:,}"))
        opening = closed
    columns = ("from", "opening", *seen, "closing")
    return grid(f"{wallet.capitalize()}, rolled forward", columns, rows, numbers=range(1, len(columns)))


def worth(done: Audit, wallet: str, now: int, terms: Programme) -> object:
    of = done.liabilities[wallet]
    ends = [(f"of these until {month}", f"{points:,}") for month, points in sorted(of.by_month.items()) if points]
    return pairs(
        "Outstanding",
        [
            ("as of", instant(now, terms)),
            ("to spend", f"{of.active:,}"),
            *ends,
            ("pending", f"{of.pending:,}"),
            ("held", f"{of.held:,}"),
            ("owed by members", f"{of.owed:,}"),
            ("lapse unused", f"{of.lapsed:,} of {of.matured:,} in lots that are over"),
            ("worth", money(of.worth(wallet, terms), terms)),
            ("deferred of sales (IFRS 15)", money(of.deferral(wallet, terms), terms)),
        ],
    )
