"""``regulars acts``: who did what."""

from __future__ import annotations

from dataclasses import asdict

import click

from infra.settings import from_environment
from streams.cli.console import AS_JSON, grid, print_json, show_parts
from streams.cli.serve import utc
from streams.web.acts import admin_acts


@click.command()
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000), help="How many at most.")
@click.option("--by", "actor", metavar="ACTOR", help="Only those of one actor, such as api:shop or console:ada.")
@AS_JSON
def acts(limit: int, actor: str | None, as_json: bool) -> None:
    """Show the latest administrative acts and who did them: keys, webhooks, policy, adjustments, erasures and their like.

    An act without an outcome was cut short: the log tells whether it happened.
    """
    settings = from_environment()
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    found = admin_acts(settings).latest(limit, actor)
    if as_json:
        print_json([asdict(one) for one in found])
        return
    rows = ((utc(one.at), one.actor, one.act, one.target, one.outcome or "?", one.position or "-") for one in found)
    show_parts(grid("Administrative acts", ("at (UTC)", "by", "act", "of", "outcome", "position"), rows, wraps=(3,)))
