"""``regulars price``: what a cart costs, step by step, and why a code was not used."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from aggregates.pricing.cart_document import read_cart
from aggregates.pricing.pipeline import price
from aggregates.pricing.request import PriceRequest
from aggregates.pricing.trace import NotUsed, PriceStep, Trace
from infra.yaml_document import parse
from streams.cli.console import AS_JSON, CommandFailed, grid, print_json, say, show_parts
from streams.imports.policy_file import LocatedProblem, problem_text

STAGE_NAMES = {1: "activity", 2: "price", 3: "line", 4: "order", 5: "code", 6: "points", 7: "shipping", 8: "tax"}

REASONS = {
    "code_unknown": "no promotion has this code",
    "code_used": "this code was used before",
    "not_started": "it has not begun",
    "ended": "it is over",
    "wrong_hours": "it holds at other hours",
    "not_yours": "it is for other shoppers",
    "wrong_tier": "it is for another tier",
    "not_first_order": "it is for a first order",
    "limit_reached": "all its uses are taken",
    "member_limit": "the shopper has used it up",
    "budget_spent": "its budget is spent",
    "below_threshold": "{amount} is missing",
    "nothing_matches": "nothing in the cart is what it is about",
    "excluded": "what it is about is excluded",
    "conflicts_with": "it excludes {by}, which was chosen",
    "beaten_by": "with {by} the cart is {amount} cheaper",
    "no_effect": "it takes off nothing",
    "floor_reached": "the price is at its floor",
}


@click.command("price")
@click.argument("file", metavar="CART.json", type=click.Path(path_type=Path))
@AS_JSON
def pricing(file: Path, as_json: bool) -> None:
    """Price the cart in a FILE: every step, what each line pays, and why a code was not used. Needs no log."""
    trace = price(checked(file)).trace
    if as_json:
        print_json(trace)
        return
    show_parts(
        grid("Price", ("stage", "by", "of", "off"), steps(trace), numbers=(2, 3), wraps=(1,)),
        grid("Lines", ("line", "units", "list", "pays", "tax", "points"), lines(trace), numbers=range(1, 6), wraps=(0,)),
    )
    for sentence in sentences(trace):
        say(sentence)


def sentences(trace: Trace) -> Iterator[str]:
    """Yield what is to pay, why codes were not used, and what a little more would bring."""
    yield f"To pay: {amount(trace.payable, trace)} {trace.currency}, with tax of {amount(trace.tax, trace)}."
    if not trace.proven:
        yield "Another set of promotions may be better: the search ran out of work."
    for refused in trace.refused:
        yield f"{refused.code or refused.campaign} was not used: {reason(refused, trace)}."
    for hint in trace.hints:
        yield f"Spend {amount(hint.spend, trace)} more to get {amount(hint.gain, trace)} off with {hint.campaign}."


def checked(file: Path) -> PriceRequest:
    """Return what a file asks to be priced; print each problem with its line if it cannot be."""
    if not file.is_file():
        raise CommandFailed(f"{file} is no file.")
    written, wrong = parse(file.read_bytes())
    request, problems = read_cart(written.plain)
    found = [LocatedProblem(line, column, "", why) for line, column, why in wrong]
    if not wrong:
        found += [LocatedProblem(*written.place(path), ".".join(map(str, path)), why) for path, why in problems]
    for problem in sorted(found):
        say(problem_text(file, problem))
    if request is None or found:
        raise CommandFailed(f"{file} has {len(found)} problem{'s' * (len(found) > 1)}.")
    return request


def steps(trace: Trace) -> Iterator[tuple[str, str, str, str]]:
    for step in trace.steps:
        yield STAGE_NAMES[step.stage], named(step), amount(step.entry, trace), amount(step.amount, trace)


def named(step: PriceStep) -> str:
    """Return what made a step: the line of a price, the code of a promotion."""
    if step.stage in (1, 2):
        return f"{step.source} on {step.scope[0]}"
    if step.stage == 8 and step.op.rate is not None:
        return f"{100 * step.op.rate[0] / step.op.rate[1]:g} %"
    limited = "" if step.limited_by == "none" else f", limited by {step.limited_by}"
    return f"{step.source}{f' ({step.use})' if step.use else ''}{limited}"


def lines(trace: Trace) -> Iterator[tuple[str, int, str, str, str, int]]:
    for line, share in zip(trace.lines, trace.shares, strict=True):
        full = amount(line.list_unit * line.quantity, trace)
        yield line.id, line.quantity, full, amount(share.paid, trace), amount(share.tax, trace), share.points


def amount(minor: int, trace: Trace) -> str:
    """Return an amount of minor units with the currency's own number of decimals."""
    whole, rest = divmod(abs(minor), 10**trace.digits)
    sign = "-" if minor < 0 else ""
    return f"{sign}{whole:,}" + (f".{rest:0{trace.digits}}" if trace.digits else "")


def reason(refused: NotUsed, trace: Trace) -> str:
    if refused.units:
        return f"{refused.units} more units are needed"
    return REASONS[refused.reason].format(amount=amount(refused.amount, trace), by=" and ".join(refused.by))
