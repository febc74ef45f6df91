"""``regulars price``: what a cart costs, step by step, and why a code was not used."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from aggregates.pricing.cart_document import read_cart
from aggregates.pricing.pipeline import price
from aggregates.pricing.request import PriceRequest
from aggregates.pricing.trace import Trace
from infra.yaml_document import parse
from streams.cli.console import AS_JSON, CommandFailed, grid, print_json, say, show_parts
from streams.imports.policy_file import LocatedProblem, problem_text
from streams.queries.price_words import STAGE_NAMES, amount, named, sentences


@click.command("price")
@click.argument("file", metavar="CART.json", type=click.Path(path_type=Path))
@AS_JSON
def pricing(file: Path, as_json: bool) -> None:
    """Price the cart in a FILE: every step, what each line pays, and why a code was not used. Needs no log."""
    trace = price(checked(file)).trace
    if as_json:
        print_json(trace)
        return
    show_price(trace)


def show_price(trace: Trace) -> None:
    """Print the steps of a price, what each line pays, and the sentences about codes and thresholds."""
    show_parts(
        grid("Price", ("stage", "by", "of", "off"), steps(trace), numbers=(2, 3), wraps=(1,)),
        grid("Lines", ("line", "units", "list", "pays", "tax", "points"), lines(trace), numbers=range(1, 6), wraps=(0,)),
    )
    for sentence in sentences(trace):
        say(sentence)


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


def lines(trace: Trace) -> Iterator[tuple[str, int, str, str, str, int]]:
    for line, share in zip(trace.lines, trace.shares, strict=True):
        full = amount(line.list_unit * line.quantity, trace)
        yield line.id, line.quantity, full, amount(share.paid, trace), amount(share.tax, trace), share.points
