"""``regulars codes``: coupon codes in batches, made of serials with the shop's key, and never stored."""

from __future__ import annotations

import getpass
from uuid import uuid4

import click

from aggregates.campaign import campaign
from aggregates.code_batches import KEY, Batch, IssueCodes, RevokeCodes, code_batches
from aggregates.pricing.codes import code_of, normalised, serial_of, shown
from infra.settings import from_environment
from streams.cli.console import AS_JSON, CommandFailed, echo, pairs, print_json, say, show_parts
from streams.cli.send import sent
from streams.commands.checkout import states_in
from streams.commands.request import Request
from streams.queries.clock import clock_of
from streams.running.app import App, running
from streams.web.acts import console_actor


@click.group("codes")
def codes() -> None:
    """Coupon codes in batches: issued, looked up, revoked."""


@codes.command()
@click.argument("name", metavar="CAMPAIGN")
@click.option("--batch", required=True, metavar="NAME", help="The name of the batch; issued again, it prints the same codes.")
@click.option("--count", required=True, type=click.IntRange(1), metavar="N", help="How many codes.")
@click.option("--by", metavar="NAME", help="Who issues them. Default: the name you are logged in by.")
@AS_JSON
def issue(name: str, batch: str, count: int, by: str | None, as_json: bool) -> None:
    """Issue COUNT codes that lead to a CAMPAIGN, and print them, one a line."""
    with running(from_environment()) as app:
        if states_in(app.log)(campaign, name).launched is None:
            raise CommandFailed(f"There is no campaign {name}: launch it first.")
        ask(app, IssueCodes(name, batch, count, by or getpass.getuser(), clock_of(app)()))
        found = states_in(app.log)(code_batches).named(name, batch)
        if found is None:
            raise CommandFailed(f"The batch {batch} was not issued.")
        key = app.keys.secret(KEY)
        made = (shown(code_of(serial, key)) for serial in range(found.first, found.first + found.count))
        if as_json:
            print_json({"campaign": name, "batch": batch, "codes": list(made)})
            return
        for code in made:
            echo(code)


@codes.command()
@click.argument("name", metavar="CAMPAIGN")
@click.argument("batch")
@click.option("--reason", default="", metavar="TEXT", help="Why; it stands in the log.")
@click.option("--by", metavar="NAME", help="Who revokes them. Default: the name you are logged in by.")
def revoke(name: str, batch: str, reason: str, by: str | None) -> None:
    """Revoke all codes of a BATCH. Orders that used one keep their price."""
    with running(from_environment()) as app:
        ask(app, RevokeCodes(name, batch, by or getpass.getuser(), clock_of(app)(), reason))
        say(f"The codes of batch {batch} are no codes any more.")


@codes.command()
@click.argument("code")
@AS_JSON
def check(code: str, as_json: bool) -> None:
    """Show which campaign and batch a CODE belongs to, and how often it can still be used."""
    with running(from_environment()) as app:
        serial = serial_of(normalised(code), app.keys.secret(KEY))
        batch = states_in(app.log)(code_batches).find(serial) if serial is not None else None
        if serial is None or batch is None:
            raise CommandFailed(f"{code} was never issued.")
        found = about(app, serial, batch)
        if as_json:
            print_json({"code": normalised(code), **found})
            return
        left = "all" if found["uses_left"] is None else found["uses_left"]
        rows = [*((name, found[name]) for name in ("campaign", "batch", "number", "revoked")), ("uses left", left)]
        show_parts(pairs(f"Code {shown(normalised(code))}", rows))


def about(app: App, serial: int, batch: Batch) -> dict[str, object]:
    """Return a code's campaign and batch, its number in the batch, and its uses left: None, if none of it was used yet."""
    return {
        "campaign": batch.campaign,
        "batch": batch.batch,
        "number": serial - batch.first + 1,
        "revoked": batch.revoked,
        "uses_left": app.log.left(f"code:{batch.campaign}:{serial}", clock_of(app)()),
    }


def ask(app: App, command: IssueCodes | RevokeCodes) -> None:
    outcome = sent(app, Request(f"codes/{uuid4()}", (command,), settled=False), console_actor())
    if not outcome.accepted:
        raise CommandFailed(outcome.sentence)
