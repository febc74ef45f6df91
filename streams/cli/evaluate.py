"""``regulars evaluate``: the recommender and published methods over the same cases of a shop's history."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click
import orjson

from infra.errors import Misconfigured
from models.evaluation.cases import MOST_CASES, Setting
from models.evaluation.facts import KINDS
from models.evaluation.filtering import filtered
from models.evaluation.methods import TASKS, names_of
from streams.cli.console import grid, require_output, say, show_parts
from streams.cli.import_shop_log import check_shop, opened
from streams.evaluating.evaluation import NEXT_ITEM, Evaluation, EvaluationTask
from streams.evaluating.journey_events import journey_events
from streams.evaluating.page import page
from streams.evaluating.shop_log_events import ShopLogEvents
from streams.imports.complete_journey import SHOP, CompleteJourney
from streams.imports.shop_log.archive import raw_lines
from streams.imports.shop_log.instants import instant
from streams.imports.shop_log.reading import Reader, with_header
from streams.imports.shop_log.rejected import Rejected

JOURNEY = "complete-journey"
PROTOCOLS = ("prequential", "last-basket", "holdout")
TOLD = {NEXT_ITEM: ("hr", "mrr"), "next-basket": ("recall", "ndcg"), "cart-completion": ("recall", "ndcg")}


def several(_: click.Context, __: click.Parameter, text: str | None) -> tuple[str, ...]:
    """Return the parts of a list with commas."""
    return tuple(part.strip() for part in text.split(",") if part.strip()) if text else ()


def lengths(context: click.Context, parameter: click.Parameter, text: str) -> tuple[int, ...]:
    try:
        read = tuple(int(part) for part in several(context, parameter, text))
    except ValueError:
        raise click.BadParameter("name lengths of lists, such as 10,20") from None
    if not read or min(read) < 1:
        raise click.BadParameter("name lengths of lists from 1 on, such as 10,20")
    return tuple(sorted(set(read)))


@click.command()
@click.argument("source", metavar="FILE|complete-journey")
@click.option("--task", type=click.Choice(list(TASKS)), required=True, help="What is to be predicted.")
@click.option("--protocol", type=click.Choice(PROTOCOLS), required=True, help="Which cases there are, and what may be learned.")
@click.option("--test-from", metavar="TIME", help="Cases from this instant on: ISO 8601 with an offset, or epoch milliseconds.")
@click.option("--freeze", is_flag=True, help="With holdout: learn nothing from that instant on.")
@click.option("--types", callback=several, default="view", show_default=True, help=f"Steps of a visit: {', '.join(KINDS)}.")
@click.option(
    "--min-prefix", type=click.IntRange(1), default=1, show_default=True, help="Acts of a visit before its first case."
)
@click.option("--methods", callback=several, help="Methods to run besides the recommender; without it, all of the task.")
@click.option("--filter", "preparation", type=click.Choice(["1.4"]), help="Prepare the baskets as published figures do.")
@click.option("--k", "cutoffs", callback=lengths, default="10,20", show_default=True, help="Lengths of lists to measure.")
@click.option("--cases", type=click.IntRange(1), default=MOST_CASES, show_default=True, help="At most so many cases, by hash.")
@click.option("--timezone", "zone", metavar="ZONE", help="The zone of times without an offset, such as Europe/Paris.")
@click.option(
    "--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the report there; - prints it."
)
@click.option("--top", "top_file", type=click.Path(dir_okay=False, path_type=Path), help="Write our list of each case there.")
@click.option("--html", "html_file", type=click.Path(dir_okay=False, path_type=Path), help="Write a page with charts there.")
def evaluate(
    source: str,
    task: str,
    protocol: str,
    test_from: str | None,
    freeze: bool,
    types: tuple[str, ...],
    min_prefix: int,
    methods: tuple[str, ...],
    preparation: str | None,
    cutoffs: tuple[int, ...],
    cases: int,
    zone: str | None,
    json_file: Path | None,
    top_file: Path | None,
    html_file: Path | None,
) -> None:
    """Compare the recommender with published methods, over a shop-log FILE or Complete Journey. Docs: docs/evaluate.md."""
    check(task, protocol, test_from, freeze, types, methods)
    check_shop(zone, None)
    setting = Setting(protocol, since(test_from, zone), freeze, task == "cart-completion", min_prefix, cases)
    began = time.perf_counter()
    events, shop_zone = read(source, zone)
    if preparation:
        events = filtered(events)
    evaluation = Evaluation(EvaluationTask(task, setting, cutoffs, types, shop_zone), events)
    say(f"{len(events):,} events, {len(evaluation.plan.cases):,} cases ({time.perf_counter() - began:.1f} s)")
    evaluation.run(methods or names_of(task), lambda name: say(f"  {name}"))
    report = evaluation.report()
    if html_file:
        write(html_file, page(report).encode())
    if top_file:
        write(top_file, b"".join(orjson.dumps(line) + b"\n" for line in evaluation.tops()))
    if json_file:
        write(json_file, orjson.dumps(report, option=orjson.OPT_INDENT_2) + b"\n")
    if json_file != Path("-"):
        show(report, cutoffs, TOLD[task])


def check(task: str, protocol: str, test_from: str | None, freeze: bool, types: Sequence[str], methods: Sequence[str]) -> None:
    """Raise :class:`click.UsageError` for what does not go together."""
    if task == NEXT_ITEM and protocol == "last-basket":
        raise click.UsageError("Visits have no last basket: choose prequential or holdout.")
    if protocol == "holdout" and test_from is None:
        raise click.UsageError("holdout needs --test-from TIME.")
    if protocol == "last-basket" and test_from is not None:
        raise click.UsageError("last-basket takes the last order of each member: it goes without --test-from.")
    if freeze and protocol != "holdout":
        raise click.UsageError("--freeze belongs to holdout.")
    for what, named, known in (("type", types, list(KINDS)), ("method", methods, names_of(task))):
        if unknown := [name for name in named if name not in known]:
            raise click.UsageError(f"There is no {what} {unknown[0]!r} here: choose of {', '.join(known)}.")


def since(text: str | None, zone: str | None) -> int | None:
    """Return the instant that an option names."""
    if text is None:
        return None
    try:
        return instant(
            int(text) if text.isdecimal() and len(text) > len("20240131") else text, ZoneInfo(zone) if zone else None
        )
    except Rejected as why:
        raise click.BadParameter(why.reason, param_hint="--test-from") from None


def read(source: str, zone: str | None) -> tuple[list[object], str]:
    """Return the events of a file or of Complete Journey, and the zone of the shop."""
    if source == JOURNEY:
        return list(journey_events(CompleteJourney())), SHOP.zone
    with ExitStack() as stack:
        shop, lines = with_header(raw_lines(stack.enter_context(opened(source))))
        currency = shop.currency if shop else "USD"
        shop_zone = zone or (shop.zone if shop else "UTC")
        reading = ShopLogEvents(
            Reader(currency, zone or (shop.zone if shop else None), now=round(time.time() * 1000)), currency
        )
        events = list(reading.events(lines))
    for why, count in reading.skipped.most_common():
        say(f"  left out {count:,} lines: {why}")
    return events, shop_zone


def write(path: Path, content: bytes) -> None:
    if path == Path("-"):
        require_output()
        sys.stdout.buffer.write(content)
        return
    try:
        path.write_bytes(content)
    except OSError as fault:
        raise Misconfigured(f"{path} cannot be written: {fault.strerror or fault}.") from None


def show(report: dict[str, Any], cutoffs: Sequence[int], measures: Sequence[str]) -> None:
    """Print the figures that the task is about, a row a method."""
    names = [f"{measure}@{cutoff}" for cutoff in cutoffs for measure in measures]
    rows = [
        (
            row["method"],
            *(figure(row[name]) for name in names),
            difference(row, names[0]),
            f"{row['ms_p50']:.2f}",
            f"{row['ms_p99']:.2f}",
            f"{row['seconds']:.0f}",
            f"{row['memory_mb']:.0f}",
        )
        for row in report["methods"]
    ]
    columns = ("method", *names, f"{names[0]} less ours", "ms p50", "ms p99", "s", "MB")
    title = f"{report['task']}, {report['protocol']}{', frozen' if report['frozen'] else ''}: {report['cases']:,} cases"
    show_parts(grid(title, columns, rows, numbers=range(1, len(columns))))
    for name, why in report["left_out"].items():
        say(f"left out: {name}: {why}")
    if not report["cases"]:
        say("No case: is the instant of --test-from after the last event, or does no member come back?")


def figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def difference(row: dict[str, Any], name: str) -> str:
    paired = row.get("versus_regulars", {}).get(name)
    if not paired or paired["difference"] is None:
        return ""
    error = "" if paired["se"] is None else f" ± {paired['se']:.4f}"
    return f"{paired['difference']:+.4f}{error}"
