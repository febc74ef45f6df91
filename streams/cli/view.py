"""``regulars view`` and ``regulars diff``: one read model as of the past, and what changed about a member."""

from __future__ import annotations

from typing import Any

import click
import orjson

from aggregates.programme import Programme
from infra.printable import printable
from infra.redis.digest import stored as stored_in
from infra.settings import from_environment
from streams.cli.at import AT, WITH_LATE, describe_place, is_time, read_place, say_place
from streams.cli.console import AS_JSON, CommandFailed, grid, pairs, print_json, say, show_parts
from streams.cli.formatting import format_instant
from streams.cli.progress import progress
from streams.queries.members import card_at
from streams.replay.past.member import PARTS, ChangeStep, FieldChange, difference
from streams.replay.past.places import Place
from streams.replay.past.read_models import Stored, fold_of, past_of
from streams.replay.past.stored import read_stored
from streams.running.app import App, running


@click.command()
@click.argument("key")
@AT
@WITH_LATE
@AS_JSON
def view(key: str, wanted_at: str | None, with_late: bool, as_json: bool) -> None:
    """Show the read model under KEY, such as card:42, without the version; with --at as it was then.

    Then the log is folded up to there in memory, and only what this key needs of it. At a TIME, a card has moved on to it; at a
    POSITION it is as it was stored.
    """
    with running(from_environment()) as app:
        if fold_of(app.terms, key) is None:
            raise CommandFailed(
                f"No fold writes keys that begin with {key.partition(':')[0]!r}; docs/read-models.md lists them."
            )
        if with_late and (wanted_at is None or key.partition(":")[0] not in PARTS):
            raise click.UsageError(f"--with-late goes with --at TIME, and a key of a member: {', '.join(PARTS)}.")
        place = None if wanted_at is None else read_place(app.log, app.terms, wanted_at, with_late)
        if place and not as_json:
            say_place(place, app.terms)
        found = read_stored(stored_in(app.views, [key])[0]) if place is None else past_view(app, key, place)
        if place and found and key.startswith("card:") and is_time(str(wanted_at)):
            found = Stored(found.kind, card_at(found.fields, place.instant))
        if found is None:
            raise CommandFailed(f"Nothing is stored under {key}{' then' if place else ''}.")
        if as_json:
            print_json({"key": key, "kind": found.kind, "content": found.fields, "place": place and place.document()})
            return
        show_parts(pairs(key, [(name, text_of(value)) for name, value in found.fields.items()]))


def past_view(app: App, key: str, place: Place) -> Stored | None:
    """Return what a key held as of a place in the log."""
    dated, until = (place.instant, app.log.head()) if place.axis == "dated" else (None, place.position)
    with progress(transient=True) as bars:
        task = bars.add("reading the log", until)
        past = past_of(app.log, app.terms, [key], until, dated, lambda reached: bars.update(task, reached))
    return past.stored(key)


def text_of(value: object) -> str:
    """Return a value as it is read best: text as it is, anything else as JSON."""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


@click.command()
@click.argument("member")
@click.option("--from", "start", metavar="POSITION|TIME", required=True, help="The earlier place in the log.")
@click.option("--to", "end", metavar="POSITION|TIME", help="The later one. Default: the head of the log.")
@AS_JSON
def diff(member: str, start: str, end: str | None, as_json: bool) -> None:
    """Show what changed about MEMBER between two places in the log, and which events did it.

    It compares card, cart, wallet, orders and activity. What time alone changed, such as points that became spendable, has no
    position. Places are those of `--at`; facts that were recorded late count where they were recorded.
    """
    with running(from_environment()) as app:
        first = read_place(app.log, app.terms, start, option="--from")
        last = read_place(app.log, app.terms, end or str(app.log.head()), option="--to")
        if last.position < first.position or last.instant < first.instant:
            raise click.BadParameter("it is before --from.", param_hint="--to")
        found = difference(app.log, app.terms, member, first, last)
        if as_json:
            places = {"from": first.document(), "to": last.document()}
            print_json({"member": member} | places | {
                "changes": [change._asdict() for change in found.changes],
                "steps": [step_document(step) for step in found.steps],
            })  # fmt: skip
            return
        for place in (first, last):
            say(describe_place(place, app.terms))
        if not found.steps:
            say(f"Nothing changed about {member} in between.")
            return
        changes = [(change.key, change.field, brief(change.before), brief(change.after)) for change in found.changes]
        steps = [row for step in found.steps for row in step_rows(step, app.terms)]
        show_parts(
            grid("What differs", ("key", "field", "before", "after"), changes, wraps=(2, 3)),
            grid("What did it", ("position", "at", "event", "key", "field", "before", "after"), steps, wraps=(5, 6)),
        )


def step_document(step: ChangeStep) -> dict[str, Any]:
    """Return a step as ``--json`` prints it."""
    changes = [change._asdict() for change in step.changes]
    return {"position": step.position, "at": step.at, "event": step.event, "changes": changes}


def step_rows(step: ChangeStep, terms: Programme) -> list[tuple[str, ...]]:
    """Return a row for each field that a step changed; only the first names the step."""
    where = "-" if step.position is None else f"#{step.position}"
    head: tuple[str, ...] = (where, format_instant(step.at, terms), step.event or "time")
    rows = []
    for change in step.changes:
        rows.append((*head, *change_cells(change)))
        head = ("", "", "")
    return rows


def change_cells(change: FieldChange) -> tuple[str, ...]:
    return change.key, change.field, brief(change.before), brief(change.after)


def brief(value: object, most: int = 60) -> str:
    """Return a value in a cell: a list by its length, long text cut.

    >>> brief([1, 2]), brief(None), brief("a" * 70)[-3:]
    ('2 entries', '-', 'aa…')
    """
    if value is None:
        return "-"
    if isinstance(value, list):
        return f"{len(value)} entr{'y' if len(value) == 1 else 'ies'}"
    text = printable(text_of(value))
    return text if len(text) <= most else f"{text[:most]}…"
