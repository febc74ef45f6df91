"""``regulars why``: how a member's points or tier came about, down to events, lots, rules and versions of the policy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from aggregates.decider import stream_id
from aggregates.membership.decider import membership
from aggregates.membership.events import Membership, PointsGranted
from aggregates.membership.ledger.allocation import fefo
from aggregates.membership.ledger.lots import Lot
from aggregates.membership.tiers.override import in_effect
from aggregates.membership.tiers.qualification import Counting
from aggregates.programme import Programme
from aggregates.programme.problems import rules as known_rules
from infra.settings import from_environment
from streams.cli.console import OUT, grid, instant, money, pairs
from streams.cli.formatting import said
from streams.cli.policy import published
from streams.cli.tick import clock_of, told
from streams.queries.why import Life, Step, counted, life
from streams.running.app import App, running

ALL = 2**31
"""Events of one stream: as many as there are."""


@click.command("why")
@click.argument("member")
@click.argument("what", type=click.Choice(["points", "tier"]))
@click.option("--at", metavar="TIME", help="As of this instant: ISO 8601, without an offset the shop's own time.")
@click.option("--wallet", metavar="NAME", help="Which points, if the programme has several kinds. Default: its first.")
def why(member: str, what: str, at: str | None, wallet: str | None) -> None:
    """Why MEMBER has these points, or this tier: every event that moved them, with the rule and the version it went by."""
    with running(from_environment()) as app:
        now = clock_of(app)() if at is None else told(at, app.terms.zone)
        rows = app.log.rows_of(stream_id(membership.name, member), ALL)
        facts: Any = [(row.position, app.log.codec.decode(row.name, row.state)) for row in rows]
        policies, _ = published(app)
        found = life(member, facts, policies, now)
        if not found.steps:
            raise click.ClickException(f"Nothing has happened to {member}'s points or tier by {instant(now, app.terms)}.")
        named = wallet or policies.at(now).wallets[0].name
        if named not in (known := wallets(found)):
            raise click.ClickException(f"There is no wallet {named!r}; known are {', '.join(known)}.")
        for table in points(app, found, now, named) if what == "points" else tier(app, found, now):
            OUT.print(table)


def points(app: App, found: Life, now: int, wallet: str) -> Iterator[Any]:
    columns = ("position", "at", "what", "by", "spendable", "pending", "held")
    steps = [(*head(step, app.terms), *figures(step.after, moment(step), wallet)) for step in found.points(wallet)]
    yield grid(f"{wallet.capitalize()} of {found.member}", columns, steps, numbers=(4, 5, 6))
    lots = [lot for lot in found.now.points.lots.all() if lot.wallet == wallet and (lot.remaining or lot.held)]
    left = ((lot.lot, f"{lot.remaining:,}", f"{lot.held:,}", *times(lot, app.terms)) for lot in sorted(lots, key=fefo))
    yield grid(
        "Lots with points left, as they are used", ("lot", "points", "held", "spendable from", "until"), left, numbers=(1, 2)
    )
    yield grid("Rules that granted, as their version has them", ("version", "in force from", "rule"), rules(app, found, wallet))
    names = ("spendable", "pending", "held")
    told = zip(names, figures(found.now, now, wallet), strict=True)
    yield pairs("How it stands", [("as of", instant(now, app.terms)), *told])


def wallets(found: Life) -> list[str]:
    """Those of any version, and those that the member has points of."""
    told = [wallet.name for version in found.policies.versions for wallet in version.terms.wallets]
    return list(dict.fromkeys([*told, *(lot.wallet for lot in found.now.points.lots.all())]))


def moment(step: Step) -> int:
    return max(step.at, step.after.latest)


def figures(membership: Membership, now: int, wallet: str) -> tuple[str, str, str]:
    """Points to spend (below nothing: owed), points that wait, points set apart for orders."""
    return (
        f"{membership.balance(now, wallet):,}",
        f"{membership.pending(now, wallet):,}",
        f"{membership.held(now, wallet):,}",
    )


def times(lot: Lot, terms: Programme) -> tuple[str, str]:
    return instant(lot.active_from, terms), "never expires" if lot.expires_at is None else instant(lot.expires_at, terms)


def head(step: Step, terms: Programme) -> tuple[str, ...]:
    where = "-" if step.position is None else f"#{step.position}"
    if step.event is None:
        return where, instant(step.at, terms), "time", step.said
    due = "" if step.position is not None else " (due, not recorded yet)"
    return where, instant(step.at, terms), type(step.event).__name__ + due, said(step.event, terms)


def rules(app: App, found: Life, wallet: str) -> Iterator[tuple[str, ...]]:
    """Each rule that granted points, with what the version that it went by said of it."""
    granted = {(step.event.terms, step.event.rule) for step in found.points(wallet) if isinstance(step.event, PointsGranted)}
    for number, name in sorted(granted):
        terms = found.policies.version(number)
        since = instant(found.policies.since(number), app.terms) if number > 1 else "always"
        for _, rule in known_rules(terms):
            if rule.id == name:
                yield str(number), since, said(rule, app.terms, always=("id", "rate"))


def tier(app: App, found: Life, now: int) -> Iterator[Any]:
    columns = ("position", "at", "what", "by", "tier", "metric")
    yield grid(f"Tier of {found.member}", columns, (risen(step, found) for step in found.tier), numbers=(5,))
    terms = found.policies.at(now)
    counting = Counting(terms, found.now)
    rows = (
        (one.what, instant(one.at, app.terms), amount(one.amount, terms)) for one in counted(found.now, found.policies, now)
    )
    window = f"What counts towards the tier: {terms.qualifying.metric} since {instant(counting.opens(now) + 1, terms)}"
    yield grid(window, ("of", "at", "amount"), rows, numbers=(2,))
    asked = [(one.name, one.threshold * terms.scale, one.keep * terms.scale) for one in terms.tiers]
    rungs = ((name, amount(threshold, terms), amount(keep, terms)) for name, threshold, keep in asked)
    yield grid(f"What tiers ask, in version {terms.version}", ("tier", "to reach", "to keep"), rungs, numbers=(1, 2))
    yield pairs("How it stands", [("as of", instant(now, app.terms)), *stands(found, counting, now)])


def stands(found: Life, counting: Counting, now: int) -> Iterator[tuple[str, object]]:
    """How the tier stands in the end."""
    terms, standing = counting.terms, found.now.standing
    yield "tier", in_effect(standing.now.tier, standing.override, terms)
    yield "metric", amount(counting.metric(now), terms)
    if standing.override:
        until = instant(standing.override.until, terms) if standing.override.until else "it is ended"
        yield "by hand", f"{standing.override.kind} at {standing.override.tier} until {until}; earned is {standing.now.tier}"
    if standing.now.valid_until is not None:
        yield "reviewed", instant(standing.now.valid_until, terms)
    if standing.grace_until is not None:
        yield "in grace until", instant(standing.grace_until, terms)


def risen(step: Step, found: Life) -> tuple[str, ...]:
    terms = found.policies.version(getattr(step.event, "terms", 1))
    metric = getattr(step.event, "qualifying", None)
    effective = in_effect(step.after.tier, step.after.standing.override, terms)
    return (*head(step, terms), effective, "-" if metric is None else amount(metric, terms))


def amount(metric: int, terms: Programme) -> str:
    return money(metric, terms) if terms.qualifying.metric == "spend" else f"{metric:,}"
