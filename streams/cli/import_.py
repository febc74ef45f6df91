"""``regulars import``: other people's data into the log, and from there into every view."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice

import click
import orjson
from rich.console import Console

from infra.event_log.types import Outcome
from infra.settings import from_environment
from streams.cli.import_bars import import_bars
from streams.cli.shop_log import shop_log
from streams.commands.request import Request
from streams.commands.scheduler import latest, tick
from streams.imports.complete_journey import SHOP, CompleteJourney
from streams.running.app import App, running
from streams.running.parallel_follower import open_follower

TOGETHER = 128
"""Requests of one append: about a chunk of events, so that Redis takes one in while the next is decided."""


@dataclass
class Imported:
    """What came of an import. ``events`` and ``seconds`` are this run's; ``counts`` say what the data held."""

    requests: int = 0
    repeated: int = 0
    refused: int = 0
    events: int = 0
    seconds: float = 0.0
    refusals: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, outcome: Outcome) -> None:
        self.requests += 1
        if outcome.repeated:
            self.repeated += 1
        elif outcome.accepted:
            self.events += outcome.events
        if not outcome.accepted:
            self.refused += 1
            self.refusals[outcome.code] += 1


@click.group("import")
def importing() -> None:
    """Import data; twice, or after a kill, changes nothing."""


importing.add_command(shop_log)


@importing.command("complete-journey")
@click.option("--weeks", type=click.IntRange(1, 53), help="Only the first weeks of the year.")
@click.option("--without-models", is_flag=True, help="Log and views alone; `regulars follow` teaches the models later.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def complete_journey(weeks: int | None, without_models: bool, as_json: bool) -> None:
    """Import dunnhumby's Complete Journey: a year of 2,469 households."""
    console = Console(stderr=True)
    with running(from_environment(), SHOP) as app:
        imported = import_complete_journey(app, weeks, console, models=not without_models)
    if as_json:
        click.echo(orjson.dumps(imported))
    else:
        say(console, imported)


def import_complete_journey(app: App, weeks: int | None, console: Console, models: bool = True) -> Imported:
    """Import with progress bars, the views following as the log grows."""
    journey = CompleteJourney(weeks)
    with import_bars(app, console, "Complete Journey", journey.basket_count) as bars:

        def shown(position: int) -> None:
            baskets = journey.counts["baskets"]
            bars.read(baskets, f"{baskets:,} of {journey.basket_count:,} baskets")
            bars.followed(position)

        imported = run(app, journey.requests(), shown, models)
        imported.seconds = bars.seconds
    imported.counts = journey.counts
    return imported


def run(app: App, requests: Iterable[Request], shown: Callable[[int], None], models: bool) -> Imported:
    """Feed requests to the log, a group at a time, and the views after each; Redis works while the next is decided."""
    imported = Imported()
    waiting = iter(requests)
    with open_follower(app, models) as follower:
        follower.catch_up(shown)
        while group := list(islice(waiting, TOGETHER)):
            for outcome in app.handler.handle_all(group):
                imported.add(outcome)
            shown(follower.keep_up())
        tick(app.log, app.handler, latest(app.log))
        follower.catch_up(shown)
    return imported


def say(console: Console, imported: Imported) -> None:
    rate = imported.events / imported.seconds if imported.seconds else 0.0
    console.print(
        f"{imported.requests:,} requests ({imported.repeated:,} known before, {imported.refused:,} refused), "
        f"{imported.events:,} events in {imported.seconds:.1f} s ({rate:,.0f}/s)"
    )
    for code, count in imported.refusals.most_common():
        console.print(f"  refused {count:,} times: {code}")
