"""``regulars import``: data of others into the log, and from there into every read model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice

import click

from infra.event_log.types import Outcome
from infra.settings import from_environment
from streams.cli.console import AS_JSON, print_json, say
from streams.cli.groups import CommandGroup
from streams.cli.import_shop_log import NO_WEBHOOKS, shop_log
from streams.cli.progress import import_progress
from streams.commands.request import Handles, Request
from streams.commands.scheduler import latest, tick
from streams.imports.complete_journey import SHOP, CompleteJourney
from streams.running.app import App, running
from streams.running.parallel_follower import open_follower
from streams.webhooks.quiet_import import import_handler

TOGETHER = 128
"""Requests of one append: about a chunk of events, so that Redis takes one in while the next is decided."""


@dataclass
class Imported:
    """The result of an import. ``events`` and ``seconds`` are this run's; ``counts`` say what the data held."""

    requests: int = 0
    repeated: int = 0
    refused: int = 0
    events: int = 0
    seconds: float = 0.0
    refusals: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, outcome: Outcome) -> None:
        """Count the outcome of a request."""
        self.requests += 1
        if outcome.repeated:
            self.repeated += 1
        elif outcome.accepted:
            self.events += outcome.events
        if not outcome.accepted:
            self.refused += 1
            self.refusals[outcome.code] += 1


@click.group("import", cls=CommandGroup)
def import_data() -> None:
    """Import data. Importing the same again, or after a kill, changes nothing."""


import_data.add_command(shop_log)


@import_data.command("complete-journey")
@click.option("--weeks", type=click.IntRange(1, 53), help="Only the first weeks of the year.")
@click.option("--without-models", is_flag=True, help="Log and views alone; `regulars follow` teaches the models later.")
@NO_WEBHOOKS
@AS_JSON
def complete_journey(weeks: int | None, without_models: bool, no_webhooks: bool, as_json: bool) -> None:
    """Import dunnhumby's Complete Journey: a year of 2,469 households."""
    with running(from_environment(), SHOP) as app:
        imported = import_complete_journey(app, weeks, models=not without_models, webhooks=not no_webhooks)
    if as_json:
        print_json(imported)
    else:
        report(imported)


def import_complete_journey(
    app: App, weeks: int | None, models: bool = True, quiet: bool = False, webhooks: bool = True
) -> Imported:
    """Import some weeks, all of them for None, with the read models following as the log grows. ``quiet``: without progress.

    ``webhooks``: whether endpoints are told of it.
    """
    journey = CompleteJourney(weeks)
    with import_progress(app, "Complete Journey", journey.basket_count, quiet) as shown:

        def update(position: int) -> None:
            baskets = journey.counts["baskets"]
            shown.read(baskets, f"{baskets:,} of {journey.basket_count:,} baskets")
            shown.followed(position)

        with import_handler(app, webhooks) as handler:
            imported = run(app, journey.requests(), update, models, handler)
        imported.seconds = shown.seconds
    imported.counts = journey.counts
    return imported


def run(
    app: App, requests: Iterable[Request], update: Callable[[int], None], models: bool, handler: Handles | None = None
) -> Imported:
    """Feed requests to the log, a group at a time, and the views after each; Redis works while the next group is decided."""
    imported, handler = Imported(), handler or app.handler
    waiting = iter(requests)
    with open_follower(app, models) as follower:
        follower.catch_up(update)
        while group := list(islice(waiting, TOGETHER)):
            for outcome in handler.handle_all(group):
                imported.add(outcome)
            update(follower.keep_up())
        tick(app.log, handler, latest(app.log))
        follower.catch_up(update)
    return imported


def report(imported: Imported) -> None:
    """Print the result of an import on standard error."""
    rate = imported.events / imported.seconds if imported.seconds else 0.0
    say(
        f"{imported.requests:,} requests ({imported.repeated:,} known before, {imported.refused:,} refused), "
        f"{imported.events:,} events in {imported.seconds:.1f} s ({rate:,.0f}/s)"
    )
    for code, count in imported.refusals.most_common():
        say(f"  refused {count:,} times: {code}")
