"""``regulars send`` and ``regulars erase``: commands from the console, as a program would send them."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from typing import Any
from uuid import uuid4

import click
import msgspec

from infra.event_log.types import Outcome
from infra.settings import from_environment
from streams.cli.console import AS_JSON, CommandFailed, echo, print_json, say
from streams.cli.serve import utc
from streams.commands.request import Request
from streams.queries.clock import clock_of
from streams.queries.personal_snapshots import personal_snapshots_of
from streams.running.app import App, running
from streams.web.acts import acts_of, admin_acts, complete, console_actor
from streams.web.bodies import body_of, command_from, decode
from streams.web.command_routes import BY_NAME, preview_document
from streams.web.problems import HttpProblem

WHO = "console"
"""Who is named in events that record who did something, unless ``--actor`` says another."""


@click.command()
@click.argument("command")
@click.argument("fields", nargs=-1, metavar="[KEY=VALUE]…")
@click.option("--json", "told", metavar="TEXT", help="The fields as JSON; '-' reads them from standard input.")
@click.option("--id", "request", metavar="ID", help="The request's id: sent again with the same fields, it changes nothing.")
@click.option("--actor", default=WHO, show_default=True, help="Who does it, where the event records that.")
@click.option("--dry-run", "dry", is_flag=True, help="Say what would be decided, by which policy, and write nothing.")
def send(command: str, fields: Sequence[str], told: str | None, request: str | None, actor: str, dry: bool) -> None:
    """Send COMMAND, such as RegisterMember member=ada name=Ada. A value that is JSON is read as JSON.

    Prints the outcome as JSON. Exit status 1 if it is refused. Without at=…, in UTC epoch milliseconds, it is dated by this
    machine's clock, whatever REGULARS_CLOCK says.
    """
    kind = named(command)
    body = body_from(kind, fields, told)
    made = command_from(kind, body, {"at": getattr(body, "at", None) or int(time.time() * 1000), "actor": actor})
    asked = Request(request or f"{WHO}:{uuid4().hex}", (made,), msgspec.json.encode([command, body]))
    settings = from_environment()
    with running(settings) as app:
        if dry:
            found = app.handler.preview(asked)
            outcome, document = found.outcome, preview_document(found)
        else:
            outcome = sent(app, asked, console_actor() if actor == WHO else actor)
            document = outcome_document(outcome)
    print_json(document)
    if not outcome.accepted:
        sys.exit(1)


def sent(app: App, request: Request, actor: str) -> Outcome:
    """Send a request, and note its administrative acts with who did them."""
    with closing(admin_acts(app.settings)) as record:
        acts = acts_of(request.known, request.id, actor, int(time.time() * 1000))
        for act in acts:
            record.note(act)
        outcome = app.handler.handle(request)
        if not outcome.repeated:
            complete(record, acts, outcome)
    return outcome


def named(command: str) -> type:
    """Return the command of this name."""
    if command not in BY_NAME:
        near = [name for name in BY_NAME if command.lower() in name.lower()]
        hint = f" Did you mean {', '.join(near[:5])}?" if near else " `docs/commands.md` lists them."
        raise CommandFailed(f"There is no command {command}.{hint}")
    return BY_NAME[command]


def body_from(kind: type, fields: Sequence[str], told: str | None) -> Any:
    """Return the strict body that words or JSON say."""
    struct = body_of(kind)
    try:
        if told is not None:
            return decode(struct, sys.stdin.buffer.read() if told == "-" else told.encode())
        return decode(struct, json.dumps(dict(map(field_of, fields))).encode())
    except HttpProblem as problem:
        where = f" ({problem.pointer})" if problem.pointer else ""
        raise CommandFailed(f"{kind.__name__}: {problem.sentence}{where}") from None


def field_of(word: str) -> tuple[str, Any]:
    """Return the name and value of ``key=value``.

    >>> field_of("price=1990"), field_of("name=Ada"), field_of("profile={}")
    (('price', 1990), ('name', 'Ada'), ('profile', {}))
    """
    name, equals, value = word.partition("=")
    if not equals:
        raise CommandFailed(f"{word!r} is not key=value.")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def outcome_document(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome as it is printed."""
    return {
        "request": outcome.request,
        "accepted": outcome.accepted,
        "code": outcome.code or None,
        "detail": outcome.sentence or None,
        "events": outcome.events,
        "position": outcome.position,
        "repeated": outcome.repeated,
    }


@click.command()
@click.argument("member")
@click.option("--yes", is_flag=True, help="Do not ask.")
@AS_JSON
def erase(member: str, yes: bool, as_json: bool) -> None:
    """Erase MEMBER for ever: their personal values can never be read again, their read models go.

    Their id is never used again. The folds must be kept up for Redis to forget them. Snapshots that were written with personal
    values are listed: delete their files.
    """
    if not yes:
        click.confirm(f"Erase {member} for ever?", abort=True, err=True)
    kind = BY_NAME["EraseMember"]
    with running(from_environment()) as app:
        made = kind(member=member, at=clock_of(app)())
        outcome = sent(app, Request(f"{WHO}:{uuid4().hex}", (made,)), console_actor())
        taken = personal_snapshots_of(app.log)
    if not outcome.accepted:
        raise CommandFailed(outcome.sentence)
    if as_json:
        print_json({"member": member, "position": outcome.position, "snapshots": taken})
        return
    say(f"{member} is erased; Redis forgets them once every fold has come to {outcome.position:,}.")
    if taken:
        say("These snapshots were written with personal values. Delete those that are still kept, and their copies:")
    for one in taken:
        echo(f"{one.snapshot}, position {one.position:,}, {utc(one.at)} (UTC), by {one.actor}: {one.reason}")
