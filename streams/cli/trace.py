"""``regulars trace``: what is behind an event or an id: request, rules, events, and the read models they reached."""

from __future__ import annotations

from typing import Any

import click
import msgspec
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from aggregates.constraints import constraints_of
from aggregates.decider import Context, Recorded, stream_id
from aggregates.programme import Policies
from aggregates.reactions import react
from infra.event_log.types import Row
from infra.printable import printable
from infra.settings import from_environment
from projections.projection import Documents, SingleDocuments
from streams.cli.console import AS_JSON, CommandFailed, grid, pairs, print_json, show_parts
from streams.cli.formatting import describe, format_instant
from streams.registry import COMMANDS, TOPICS, folds
from streams.replay.past.places import position_in
from streams.running.app import App, running

LONGEST = 50
"""Events of one stream that are listed."""

FEW = 3
"""Entries of a list within an event that are shown; of more, their number."""


@click.command()
@click.argument("what")
@AS_JSON
def trace(what: str, as_json: bool) -> None:
    """Trace an event by its position (as in '#123'), or a member, order, cart, product, campaign or request by id."""
    with running(from_environment()) as app:
        if what.startswith("#") and (position := position_in(what)) is not None:
            trace_event(app, position, as_json)
        elif outcome := app.log.outcome(what):
            rows = app.log.since(outcome.position - outcome.events, outcome.events)
            if as_json:
                print_json({"request": outcome, "events": [document(app, row) for row in rows]})
                return
            facts = [(name, getattr(outcome, name)) for name in ("accepted", "code", "events")]
            show_parts(pairs(f"Request {what}", facts), event_lines(app, "Its events", rows))
        else:
            trace_id(app, what, as_json)


def trace_event(app: App, position: int, as_json: bool) -> None:
    """Show one event, what it brings about, the read models it reaches, and the whole append that it was part of."""
    rows = app.log.since(position - 1, 1)
    if not rows or rows[0].position != position:
        raise CommandFailed(f"The log has no position {position}; its head is {app.log.head():,}.")
    row = rows[0]
    event: Any = app.log.codec.decode(row.name, row.state)
    request = app.log.request_at(position)
    append = app.log.since(request.position - request.events, request.events) if request else []
    brings = [type(command).__name__ for command in react(event, Context(Policies()))]
    guarded = [type(guard).__name__ for guard in constraints_of(event)]
    topic, key = TOPICS[type(event)], app.log.codec.partition_key(event)
    if as_json:
        about: dict[str, Any] = {"topic": topic, "key": key, "request": request.request if request else None}
        about |= {"brings_about": brings, "guarded_by": guarded, "folds": dict(reached(app, event, position))}
        print_json(document(app, row) | about | {"append": [document(app, one) for one in append]})
        return
    facts: list[tuple[str, object]] = [
        ("event", row.name),
        ("at", format_instant(event.at, app.terms)),
        ("stream", f"{row.stream}, version {row.version}"),
        ("topic", f"{topic}, key {key}"),
        ("request", request.request if request else "-"),
        ("brings about", ", ".join(brings) or "-"),
        ("guarded by", ", ".join(guarded) or "-"),
        ("content", msgspec.json.format(msgspec.json.encode(event)).decode().split("\n")),
    ]
    rows_of_folds = [(fold, ", ".join(keys)) for fold, keys in reached(app, event, position)]
    parts = [pairs(f"Position {position:,}", facts), grid("Folds that it reaches", ("fold", "keys"), rows_of_folds, wraps=(1,))]
    if append:
        parts.append(event_lines(app, "The whole append, in order (a reaction follows the event that caused it)", append))
    show_parts(*parts)


def reached(app: App, event: object, position: int) -> list[tuple[str, list[str]]]:
    """Return the folds that take this event, with the keys that it touches where the fold alone can tell."""
    found = []
    for fold in folds(app.terms):
        if type(event) not in fold.events:
            continue
        if isinstance(fold, type):
            keys: list[str] = [f"{part}…" for part in fold.parts]
        elif isinstance(fold, SingleDocuments):
            keys = [fold.key(event)]
        elif isinstance(fold, Documents):
            keys = list(fold.keys[type(event)](event))
        else:
            delta = fold.fold([Recorded(position, event)])
            keys = sorted({*delta.counts, *delta.scores, *delta.fields})
        found.append((fold.name, [*(app.views.key(key) for key in keys[:6]), *("…" for _ in keys[6:7])]))
    return found


def trace_id(app: App, what: str, as_json: bool) -> None:
    """Show every stream of one id that the log has."""
    names = {route.decider.name for route in COMMANDS.values() if len(route.ids) == 1}
    streams = [stream for name in sorted(names) if app.log.read(stream := stream_id(name, what))[1]]
    streams += app.log.streams_between(stream_id("coupon", what, ""))
    if not streams:
        raise CommandFailed(f"The log knows nothing named {what}; an event is traced by its position, as in '#123'.")
    found = {stream: app.log.rows_of(stream, LONGEST) for stream in streams}
    if as_json:
        print_json({stream: [document(app, row) for row in rows] for stream, rows in found.items()})
        return
    show_parts(*(event_lines(app, stream, rows) for stream, rows in found.items()))


def event_lines(app: App, title: str, rows: list[Row]) -> RenderableType:
    """Return two lines for each event: which it is and where it stands, and what it says."""
    parts: list[RenderableType] = [Text(printable(title), "bold")]
    for row in rows:
        event: Any = app.log.codec.decode(row.name, row.state)
        where = f"#{row.position}  {format_instant(event.at, app.terms)}  {row.name}  {row.stream} v{row.version}"
        parts.append(Text(printable(where), overflow="fold"))
        if words := describe(event, app.terms, most=FEW):
            parts.append(Padding(Text(printable(words), "dim", overflow="fold"), (0, 0, 0, 4), expand=False))
    return Group(*parts)


def document(app: App, row: Row) -> dict[str, Any]:
    """Return an event as ``--json`` prints it."""
    event = app.log.codec.decode(row.name, row.state)
    return {"position": row.position, "stream": row.stream, "version": row.version, "name": row.name, "event": event}
