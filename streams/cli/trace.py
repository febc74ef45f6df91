"""``regulars trace``: what lies behind an event or an id — the request, the rules, the events, the views they reached."""

from __future__ import annotations

from typing import Any

import click
import msgspec

from aggregates.constraints import guards
from aggregates.decider import Recorded, stream_id
from aggregates.programme import Policies
from aggregates.reactions import react
from aggregates.value import asdict
from infra.event_log.types import Row
from infra.settings import from_environment
from streams.cli.console import OUT, grid, pairs
from streams.registry import COMMANDS, TOPICS, folds
from streams.running.app import App, running

LONGEST = 50
"""Events of one stream that are listed."""


@click.command()
@click.argument("what")
def trace(what: str) -> None:
    """Trace an event by its position (as in '#123'), or a member, order, cart, product, campaign or request by id."""
    with running(from_environment()) as app:
        if what.startswith("#") and what[1:].isdigit():
            trace_event(app, int(what[1:]))
        elif outcome := app.log.outcome(what):
            OUT.print(pairs(f"Request {what}", [(name, getattr(outcome, name)) for name in ("accepted", "code", "events")]))
            trace_events(app, app.log.since(outcome.position - outcome.events, outcome.events))
        else:
            trace_id(app, what)


def trace_event(app: App, position: int) -> None:
    rows = app.log.since(position - 1, 1)
    if not rows or rows[0].position != position:
        raise click.ClickException(f"The log has no position {position}; its head is {app.log.head():,}.")
    row = rows[0]
    event = app.log.codec.decode(row.name, row.state)
    request = app.log.request_at(position)
    told: list[tuple[str, object]] = [
        ("event", row.name),
        ("stream", f"{row.stream}, version {row.version}"),
        ("topic", f"{TOPICS[type(event)]}, key {app.log.codec.partition_key(event)}"),
        ("request", request.request if request else "-"),
        ("brings about", ", ".join(type(command).__name__ for command in react(event, Policies())) or "-"),
        ("guarded by", ", ".join(type(guard).__name__ for guard in guards(event)) or "-"),
        ("content", msgspec.json.format(msgspec.json.encode(event)).decode()),
    ]
    OUT.print(pairs(f"Position {position:,}", told))
    OUT.print(grid("Folds that it reaches", ("fold", "keys"), reached(app, event, position)))
    if request:
        OUT.print("\nThe whole append, in order (a policy's event follows the one that caused it):")
        trace_events(app, app.log.since(request.position - request.events, request.events))


def reached(app: App, event: object, position: int) -> list[tuple[str, str]]:
    """Folds that take this event, with the keys it touches where the fold alone can tell."""
    found = []
    for fold in folds(app.terms):
        if type(event) not in fold.events:
            continue
        if isinstance(fold, type):
            keys: list[str] = [f"{part}…" for part in fold.parts]
        elif hasattr(fold, "keys"):
            keys = list(fold.keys[type(event)](event))
        else:
            delta = fold.fold([Recorded(position, event)])
            keys = sorted({*delta.counts, *delta.scores, *delta.fields})
        found.append((fold.name, ", ".join(app.views.key(key) for key in keys[:6]) + (" …" if len(keys) > 6 else "")))
    return found


def trace_id(app: App, what: str) -> None:
    """Every stream of one id that the log has."""
    names = {route.decider.name for route in COMMANDS.values() if len(route.ids) == 1}
    streams = [stream for name in sorted(names) if app.log.read(stream := stream_id(name, what))[1]]
    streams += app.log.streams_between(stream_id("coupon", what, ""))
    if not streams:
        raise click.ClickException(f"The log knows nothing named {what}; an event is traced by its position, as in '#123'.")
    for stream in streams:
        OUT.print(f"\n[bold]{stream}[/bold]")
        trace_events(app, app.log.rows_of(stream, LONGEST))


def trace_events(app: App, rows: list[Row]) -> None:
    OUT.print(
        grid(
            "",
            ("position", "event", "stream", "says"),
            ((f"#{row.position}", row.name, f"{row.stream} v{row.version}", summary(app, row)) for row in rows),
        )
    )


def summary(app: App, row: Row) -> str:
    event: Any = app.log.codec.decode(row.name, row.state)
    said = {
        name: value for name, value in asdict(event).items() if isinstance(value, str | int) and name not in ("at", "session")
    }
    return ", ".join(f"{name} {value}" for name, value in said.items())[:100]
