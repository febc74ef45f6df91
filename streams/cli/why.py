"""``regulars why``: how a member's points or tier came about, down to events, lots, rules and versions of the policy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click
from rich.console import RenderableType

from aggregates.decider import stream_id
from aggregates.membership.decider import membership
from aggregates.membership.events import PointsGranted
from aggregates.membership.ledger.lots import Lot, fefo
from aggregates.membership.state import Membership
from aggregates.membership.tiers.judging import tier_in_effect
from aggregates.membership.tiers.qualification import Qualification
from aggregates.programme import Programme
from aggregates.programme.problems import rules as known_rules
from infra.settings import from_environment
from streams.cli.console import AS_JSON, CommandFailed, Fitting, grid, pairs, print_json, say, show_parts
from streams.cli.formatting import describe, format_instant, format_money, read_instant
from streams.cli.policy import published
from streams.queries.clock import clock_of
from streams.queries.orders import why_order
from streams.queries.why import Life, LifeStep, counted, life
from streams.running.app import App, running

UNLIMITED = 2**31
"""Events of one stream: as many as there are."""


@click.command("why")
@click.argument("member", metavar="MEMBER|ORDER")
@click.argument("what", type=click.Choice(["points", "tier", "order"]), default="order")
@click.option("--at", metavar="TIME", help="As of this instant: ISO 8601, without an offset the shop's own time.")
@click.option("--wallet", metavar="NAME", help="Which points, if the programme has several kinds. Default: its first.")
@click.option("--verbose", is_flag=True, help="Show all that each event says, the lots that are left, and the rules.")
@AS_JSON
def why(member: str, what: str, at: str | None, wallet: str | None, verbose: bool, as_json: bool) -> None:
    """Show why MEMBER has these points, or this tier, or why ORDER costs and earns what it does, line by line."""
    with running(from_environment()) as app:
        if what == "order":
            explain_order(app, member, as_json)
            return
        now = clock_of(app)() if at is None else read_instant(at, app.terms.zone)
        found = read_life(app, member, now)
        name = wallet or found.policies.at(now).wallets[0].name
        if name not in (known := wallets(found)):
            raise CommandFailed(f"There is no wallet {name!r}; known are {', '.join(known)}.")
        if as_json:
            steps = found.points(name) if what == "points" else found.tier
            print_json({"member": member, "as_of": now, "steps": [document(step, name) for step in steps]})
            return
        show_parts(*(points(app, found, now, name, verbose) if what == "points" else tier(app, found, now, verbose)))
        if not verbose:
            say("--verbose shows all that each event says, and the rules of its version")


def explain_order(app: App, name: str, as_json: bool) -> None:
    """Print why an order costs and earns what it does. Raises :class:`~streams.cli.console.CommandFailed` if there is none."""
    found = why_order(app, name)
    if not found:
        raise CommandFailed(f"There is no order {name}; of a member, say `points` or `tier` as well.")
    if as_json:
        print_json({"order": name, "steps": found})
        return
    rows = ((f"{one.position:,}", format_instant(one.at, app.terms), one.what, one.said) for one in found)
    show_parts(grid(f"Order {name}", ("position", "at", "what", "why"), rows, numbers=(0,), wraps=(3,)))


def read_life(app: App, member: str, now: int) -> Life:
    """Return what happened to a member's points and tier. Raises :class:`~streams.cli.console.CommandFailed` if nothing did."""
    rows = app.log.rows_of(stream_id(membership.name, member), UNLIMITED)
    facts: Any = [(row.position, app.log.codec.decode(row.name, row.state)) for row in rows]
    policies, _ = published(app)
    found = life(member, facts, policies, now)
    if not found.steps:
        when = format_instant(now, app.terms)
        raise CommandFailed(f"Nothing has happened to {member}'s points or tier by {when}.")
    return found


def document(step: LifeStep, wallet: str) -> dict[str, Any]:
    """Return a step as ``--json`` prints it: the event, and the points and the tier after it."""
    now = moment(step)
    return {
        "position": step.position,
        "at": step.at,
        "event": type(step.event).__name__ if step.event else None,
        "content": step.event or step.said,
        "spendable": step.after.balance(now, wallet),
        "pending": step.after.pending(now, wallet),
        "held": step.after.held(now, wallet),
        "tier": step.after.standing.now.tier,
    }


def points(app: App, found: Life, now: int, wallet: str, verbose: bool) -> Iterator[RenderableType]:
    """Yield the tables of a wallet: its steps, and where it stands; with ``verbose`` also its lots and rules."""
    yield point_steps(app, found, wallet, verbose)
    if verbose:
        lots = [lot for lot in found.now.points.lots.all() if lot.wallet == wallet and (lot.remaining or lot.held)]
        left = ((lot.lot, f"{lot.remaining:,}", f"{lot.held:,}", *times(lot, app.terms)) for lot in sorted(lots, key=fefo))
        of_lots, of_rules = ("lot", "points", "held", "spendable from", "until"), ("version", "in force from", "rule")
        yield grid("Lots with points left, in the order of use", of_lots, left, numbers=(1, 2))
        yield grid("Rules that granted, as their version has them", of_rules, rules(app, found, wallet), wraps=(2,))
    names = ("spendable", "pending", "held")
    rows = zip(names, figures(found.now, now, wallet), strict=True)
    yield pairs("Now", [("as of", format_instant(now, app.terms)), *rows])


def point_steps(app: App, found: Life, wallet: str, verbose: bool) -> RenderableType:
    """Return the table of steps: on a narrow terminal with days for instants."""
    title, steps = f"{wallet.capitalize()} of {found.member}", found.points(wallet)
    after = [figures(step.after, moment(step), wallet) for step in steps]
    if verbose:
        rows = [(*head(step, app.terms), *numbers) for step, numbers in zip(steps, after, strict=True)]
        names = ("position", "at", "event", "what it says", "spendable", "pending", "held")
        return grid(title, names, rows, numbers=(4, 5, 6), wraps=(3,))
    columns = ("position", "at", "event", "lot", "points", "spendable", "pending", "held")
    width = 8 if any(numbers[2] != "0" for numbers in after) else 7  # nothing is held: leave the column out
    short = [(*brief(step, app.terms), *numbers)[:width] for step, numbers in zip(steps, after, strict=True)]
    days = [(position, at[:10], *rest) for position, at, *rest in short]
    right = range(4, width)
    return Fitting(grid(title, columns[:width], short, numbers=right), grid(title, columns[:width], days, numbers=right))


def brief(step: LifeStep, terms: Programme) -> tuple[str, ...]:
    """Return a step in short: position, instant, event, lot or order, points."""
    position, at, event, words = head(step, terms)
    if step.event is None:
        _, _, rest = words.partition("lot ")
        lot, _, rest = rest.partition(": ")
        return position, at, "spendable", lot, rest.split(" ")[0]
    lot = next((str(getattr(step.event, name)) for name in ("lot", "order", "action") if getattr(step.event, name, None)), "")
    moved = getattr(step.event, "points", None)
    return position, at, event, lot, f"{moved:,}" if isinstance(moved, int) else ""


def wallets(found: Life) -> list[str]:
    """Return the wallets of every version of the policy, and those that the member has points of."""
    names = [wallet.name for version in found.policies.versions for wallet in version.terms.wallets]
    return list(dict.fromkeys([*names, *(lot.wallet for lot in found.now.points.lots.all())]))


def moment(step: LifeStep) -> int:
    """Return the instant that the figures after a step are of: a late event does not turn time back."""
    return max(step.at, step.after.latest)


def figures(membership: Membership, now: int, wallet: str) -> tuple[str, str, str]:
    """Return the points to spend (below 0: owed), the points that wait, and the points held for orders."""
    return (
        f"{membership.balance(now, wallet):,}",
        f"{membership.pending(now, wallet):,}",
        f"{membership.held(now, wallet):,}",
    )


def times(lot: Lot, terms: Programme) -> tuple[str, str]:
    """Return from when until when the points of a lot can be spent."""
    until = "never expires" if lot.expires_at is None else format_instant(lot.expires_at, terms)
    return format_instant(lot.active_from, terms), until


def head(step: LifeStep, terms: Programme) -> tuple[str, str, str, str]:
    """Return position, instant, event, and what the event says."""
    where = "-" if step.position is None else f"#{step.position}"
    if step.event is None:
        return where, format_instant(step.at, terms), "time", step.said
    due = "" if step.position is not None else " (due, not recorded yet)"
    return where, format_instant(step.at, terms), type(step.event).__name__ + due, describe(step.event, terms)


def rules(app: App, found: Life, wallet: str) -> Iterator[tuple[str, ...]]:
    """Yield each rule that granted points, as the version has it that the grant went by."""
    granted = {(step.event.terms, step.event.rule) for step in found.points(wallet) if isinstance(step.event, PointsGranted)}
    for number, name in sorted(granted):
        terms = found.policies.version(number)
        since = format_instant(found.policies.since(number), app.terms) if number > 1 else "always"
        for _, rule in known_rules(terms):
            if rule.id == name:
                yield str(number), since, describe(rule, app.terms, always=("id", "rate"))


def tier(app: App, found: Life, now: int, verbose: bool) -> Iterator[RenderableType]:
    """Yield the tables of a tier: its steps, what counts, what each tier asks, and how it stands."""
    title, rising = f"Tier of {found.member}", [risen(step, found) for step in found.tier]
    if verbose:
        yield grid(title, ("position", "at", "event", "what it says", "tier", "metric"), rising, numbers=(5,), wraps=(3,))
    else:
        short = ((position, at, event, *rest) for position, at, event, _, *rest in rising)
        yield grid(title, ("position", "at", "event", "tier", "metric"), short, numbers=(4,))
    terms = found.policies.at(now)
    counting = Qualification(terms, found.now)
    rows = (
        (one.what, format_instant(one.at, app.terms), metric_text(one.amount, terms))
        for one in counted(found.now, found.policies, now)
    )
    since = format_instant(counting.opens(now) + 1, terms)
    yield grid(
        f"What counts towards the tier: {terms.qualifying.metric} since {since}", ("of", "at", "amount"), rows, numbers=(2,)
    )
    asked = [(one.name, one.threshold * terms.scale, one.keep * terms.scale) for one in terms.tiers]
    rungs = ((name, metric_text(threshold, terms), metric_text(keep, terms)) for name, threshold, keep in asked)
    yield grid(f"What tiers ask, in version {terms.version}", ("tier", "to reach", "to keep"), rungs, numbers=(1, 2))
    yield pairs("Now", [("as of", format_instant(now, app.terms)), *stands(found, counting, now)])


def stands(found: Life, counting: Qualification, now: int) -> Iterator[tuple[str, object]]:
    """Yield how the tier stands in the end."""
    terms, standing = counting.terms, found.now.standing
    yield "tier", tier_in_effect(standing.now.tier, standing.override, terms)
    yield "metric", metric_text(counting.metric(now), terms)
    if standing.override:
        until = format_instant(standing.override.until, terms) if standing.override.until else "it is ended"
        yield "by hand", f"{standing.override.kind} at {standing.override.tier} until {until}; earned is {standing.now.tier}"
    if standing.now.valid_until is not None:
        yield "reviewed", format_instant(standing.now.valid_until, terms)
    if standing.grace_until is not None:
        yield "in grace until", format_instant(standing.grace_until, terms)


def risen(step: LifeStep, found: Life) -> tuple[str, ...]:
    """Return a step of the tier, with the tier in effect after it and the metric that decided it."""
    terms = found.policies.version(getattr(step.event, "terms", 1))
    metric = getattr(step.event, "qualifying", None)
    effective = tier_in_effect(step.after.tier, step.after.standing.override, terms)
    return (*head(step, terms), effective, "-" if metric is None else metric_text(metric, terms))


def metric_text(metric: int, terms: Programme) -> str:
    """Return an amount of the metric that the policy counts towards tiers."""
    return format_money(metric, terms) if terms.qualifying.metric == "spend" else f"{metric:,}"
