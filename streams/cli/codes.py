"""``regulars codes``: coupon codes in batches, made of serials with the shop's key, and never stored."""

from __future__ import annotations

import getpass
from uuid import uuid4

import click

from aggregates.campaign import campaign
from aggregates.code_batches import KEY, Batch, IssueCodes, RevokeCodes, code_batches
from aggregates.pricing.codes import code_of, normalised, serial_of, shown
from infra.settings import from_environment
from streams.cli.console import ERR, OUT, pairs
from streams.cli.tick import clock_of
from streams.commands.checkout import states_in
from streams.commands.request import Request
from streams.running.app import App, running


@click.group("codes")
def codes() -> None:
    """Coupon codes in batches: issued, looked up, revoked."""


@codes.command()
@click.argument("name", metavar="CAMPAIGN")
@click.option("--batch", required=True, metavar="NAME", help="The name of the batch; issued again, it prints the same codes.")
@click.option("--count", required=True, type=click.IntRange(1), metavar="N", help="How many codes.")
@click.option("--by", metavar="NAME", help="Who issues them. Default: the name you are logged in by.")
def issue(name: str, batch: str, count: int, by: str | None) -> None:
    """Issue COUNT codes that lead to a CAMPAIGN, and print them, one a line."""
    with running(from_environment()) as app:
        if states_in(app.log)(campaign, name).launched is None:
            raise click.ClickException(f"There is no campaign {name}: launch it first.")
        ask(app, IssueCodes(name, batch, count, by or getpass.getuser(), clock_of(app)()))
        found = states_in(app.log)(code_batches).named(name, batch)
        if found is None:
            raise click.ClickException(f"The batch {batch} was not issued.")
        key = app.keys.secret(KEY)
        for serial in range(found.first, found.first + found.count):
            click.echo(shown(code_of(serial, key)))


@codes.command()
@click.argument("name", metavar="CAMPAIGN")
@click.argument("batch")
@click.option("--reason", default="", metavar="TEXT", help="Why; it stands in the log.")
@click.option("--by", metavar="NAME", help="Who revokes them. Default: the name you are logged in by.")
def revoke(name: str, batch: str, reason: str, by: str | None) -> None:
    """Revoke all codes of a BATCH. Orders that used one keep their price."""
    with running(from_environment()) as app:
        ask(app, RevokeCodes(name, batch, by or getpass.getuser(), clock_of(app)(), reason))
        ERR.print(f"The codes of batch {batch} are no codes any more.", markup=False)


@codes.command()
@click.argument("code")
def check(code: str) -> None:
    """Show which campaign and batch a CODE belongs to, and how often it can still be used."""
    with running(from_environment()) as app:
        serial = serial_of(normalised(code), app.keys.secret(KEY))
        batch = states_in(app.log)(code_batches).find(serial) if serial is not None else None
        if serial is None or batch is None:
            raise click.ClickException(f"{code} was never issued.")
        OUT.print(pairs(f"Code {shown(normalised(code))}", about(app, serial, batch)))


def about(app: App, serial: int, batch: Batch) -> list[tuple[str, object]]:
    left = app.log.left(f"code:{batch.campaign}:{serial}", clock_of(app)())
    return [
        ("campaign", batch.campaign),
        ("batch", f"{batch.batch}{', revoked' if batch.revoked else ''}"),
        ("number", f"{serial - batch.first + 1} of {batch.count:,}"),
        ("uses left", "all" if left is None else left),
    ]


def ask(app: App, command: IssueCodes | RevokeCodes) -> None:
    outcome = app.handler.handle(Request(f"codes/{uuid4()}", (command,), settled=False))
    if not outcome.accepted:
        raise click.ClickException(outcome.sentence)
