"""``regulars audit``: the books of points, rolled forward and checked, and what they are worth."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

import click
from rich.console import RenderableType

from aggregates.membership.ledger.books import MOVEMENT_KINDS, MovementKind
from aggregates.programme import Programme
from infra.settings import from_environment
from streams.cli.console import AS_JSON, grid, pairs, print_json, say, show_parts
from streams.cli.formatting import format_instant, format_money, read_instant
from streams.cli.policy import published
from streams.cli.progress import progress
from streams.queries.audit import Audit, audit
from streams.queries.clock import clock_of
from streams.running.app import running

SPANS = {"day": 10, "month": 7, "year": 4}
"""Characters of an ISO day that name its span."""


@click.command("audit")
@click.option("--at", metavar="TIME", help="As of this instant: ISO 8601, without an offset the shop's own time.")
@click.option("--by", type=click.Choice(list(SPANS)), default="month", show_default=True, help="Roll forward by this span.")
@AS_JSON
def audit_books(at: str | None, by: str, as_json: bool) -> None:
    """Roll every member's points forward day by day, check each closing, and show what the points are worth.

    Exit status 1 if the books of any member do not add up.
    """
    with running(from_environment()) as app:
        now = clock_of(app)() if at is None else read_instant(at, app.terms.zone)
        policies, _ = published(app)
        with progress(transient=True) as writer:
            task = writer.add("members")
            done = audit(app.log, policies, now, lambda members: writer.update(task, members))
        terms = policies.at(now)
        if as_json:
            print_json(document(done, now, SPANS[by], terms))
        else:
            wallets = sorted(done.liabilities)
            show_parts(
                *(part for name in wallets for part in (roll_forward(done, name, SPANS[by]), worth(done, name, now, terms)))
            )
    for wrong in done.differences:
        say(f"{wrong.member} on {wrong.day}, {wrong.wallet}: found {wrong.found}, expected {wrong.expected}.")
    say(f"{done.members:,} members, {done.days:,} closings checked, {len(done.differences):,} differences.")
    sys.exit(1 if done.differences else 0)


def books_of(done: Audit, wallet: str, span: int, now: int, terms: Programme) -> tuple[RenderableType, RenderableType]:
    """Return the tables of a wallet."""
    return roll_forward(done, wallet, span), worth(done, wallet, now, terms)


def spans_of(done: Audit, wallet: str, span: int) -> dict[str, Counter[MovementKind]]:
    """Return what was moved in each day, month or year, in order of time."""
    rolled: dict[str, Counter[MovementKind]] = {}
    for (of, day), moved in sorted(done.rolled.items()):
        if of == wallet:
            rolled.setdefault(day[:span], Counter()).update(moved)
    return rolled


def roll_forward(done: Audit, wallet: str, span: int) -> RenderableType:
    """Return a table: opening, what was moved by kind, and closing of each span."""
    rolled = spans_of(done, wallet, span)
    seen = [kind for kind in MOVEMENT_KINDS if kind != "owed" and any(moved[kind] for moved in rolled.values())]
    rows, opening = [], 0
    for day, moved in rolled.items():
        closed = opening + sum(moved[kind] for kind in seen)
        rows.append((day, f"{opening:,}", *(f"{moved[kind]:,}" for kind in seen), f"{closed:,}"))
        opening = closed
    columns = ("from", "opening", *seen, "closing")
    return grid(f"{wallet.capitalize()}, rolled forward", columns, rows, numbers=range(1, len(columns)))


def worth(done: Audit, wallet: str, now: int, terms: Programme) -> RenderableType:
    """Return what is outstanding and what it is worth."""
    of = done.liabilities[wallet]
    ends = [
        ("of these without expiry" if month == "never" else f"of these until {month}", f"{points:,}")
        for month, points in sorted(of.by_month.items())
        if points
    ]
    return pairs(
        "Outstanding",
        [
            ("as of", format_instant(now, terms)),
            ("to spend", f"{of.active:,}"),
            *ends,
            ("pending", f"{of.pending:,}"),
            ("held", f"{of.held:,}"),
            ("owed by members", f"{of.owed:,}"),
            ("lapse unused", f"{of.lapsed:,} of {of.matured:,} in lots that are over"),
            ("worth", format_money(of.worth(wallet, terms), terms)),
            ("deferred of sales (IFRS 15)", format_money(of.deferral(wallet, terms), terms)),
        ],
    )


def document(done: Audit, now: int, span: int, terms: Programme) -> dict[str, Any]:
    """Return what ``--json`` prints; money is in minor units."""
    return {
        "as_of": now,
        "members": done.members,
        "closings": done.days,
        "differences": [
            {"member": one.member, "day": one.day, "wallet": one.wallet, "expected": one.expected, "found": one.found}
            for one in done.differences
        ],
        "wallets": dict(wallet_documents(done, span, terms)),
    }


def wallet_documents(done: Audit, span: int, terms: Programme) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the books of each wallet by its name."""
    for wallet, of in sorted(done.liabilities.items()):
        outstanding = {
            "to_spend": of.active,
            "by_month": of.by_month,
            "pending": of.pending,
            "held": of.held,
            "owed": of.owed,
            "lapsed": of.lapsed,
            "matured": of.matured,
            "worth": of.worth(wallet, terms),
            "deferred": of.deferral(wallet, terms),
        }
        yield wallet, {"rolled": spans_of(done, wallet, span), "outstanding": outstanding}
