"""``regulars dead-letters``: records that no fold could take: show them, retry them, or drop them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import click
import orjson

from infra.kafka.settings import KafkaSettings
from infra.kafka.topics import delete_key, read_table
from infra.settings import Settings, from_environment
from infra.telemetry.logs import throttle_client_logs
from streams.cli.console import CommandFailed, echo, grid, pairs, print_json, show_parts
from streams.cli.groups import CommandGroup
from streams.cli.progress import progress
from streams.cli.relay import is_embedded
from streams.kafka.dead_letters.letters import DeadLetter
from streams.kafka.dead_letters.retrying import Retry
from streams.kafka.topics import DEAD_LETTERS, broker_settings
from streams.running.app import running

COLUMNS = ("id", "fold", "position", "key", "when (UTC)", "reason")


@click.group("dead-letters", cls=CommandGroup)
def dead_letters() -> None:
    """Work on records that no fold could take, and events that one fold could not."""
    throttle_client_logs()


@dead_letters.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print a line of JSON for each.")
def list_letters(as_json: bool) -> None:
    """List every letter that is not settled, the oldest first."""
    found = read_table(
        broker_of_letters(from_environment()), DEAD_LETTERS, lambda _, raw: replace(DeadLetter.unpack(raw), value=b"")
    )
    if as_json:
        for letter in found.values():
            print_json(fields_of(letter))
    elif not found:
        echo("There are no dead letters.")
    else:
        show_parts(grid("Dead letters", COLUMNS, map(row, found.values()), numbers=(2,), wraps=(5,)))


@dead_letters.command()
@click.argument("letter_id", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="Print a line of JSON; the record's bytes are Base64.")
@click.option("--raw", is_flag=True, help="Print the record's bytes as they are, and nothing else.")
def show(letter_id: str, as_json: bool, raw: bool) -> None:
    """Show all of one letter, with the bytes of its record."""
    letter = find_letter(broker_of_letters(from_environment()), letter_id)
    if raw:
        click.get_binary_stream("stdout").write(letter.value)
    elif as_json:
        print_json({"id": letter.id} | orjson.loads(letter.pack()))
    else:
        fields = fields_of(letter)
        at = {"when (UTC)" if name == "at" else name: value for name, value in fields.items()}
        show_parts(pairs(letter.id, (at | {"when (UTC)": when(letter)}).items()))
        echo(letter.value.decode(errors="backslashreplace"))


@dead_letters.command()
@click.argument("letter_id", metavar="ID")
def retry(letter_id: str) -> None:
    """Apply what the letter is about, with this version's code, and settle it.

    Documents are folded again from the log, for their key alone; to a tally the one event is added.
    """
    settings = from_environment()
    kafka = broker_of_letters(settings)
    letter = find_letter(kafka, letter_id)
    with running(settings) as app, progress(transient=True) as writer:
        task = writer.add("reading the log")
        done = Retry(app, letter, lambda at, of: writer.update(task, at, f"{at:,} of {of:,} events", total=of)).run()
    delete_key(kafka, DEAD_LETTERS, letter.id)
    for sentence in done:
        echo(sentence)
    echo(f"{letter.id} is settled.")


@dead_letters.command()
@click.argument("letter_id", metavar="ID")
def drop(letter_id: str) -> None:
    """Drop a letter; the read models stay without what it is about."""
    kafka = broker_of_letters(from_environment())
    delete_key(kafka, DEAD_LETTERS, find_letter(kafka, letter_id).id)
    echo(f"{letter_id} is dropped.")


def broker_of_letters(settings: Settings) -> KafkaSettings:
    """Return how to reach Kafka. Raises :class:`~streams.cli.console.CommandFailed` where a home has none, and starts none."""
    if is_embedded(settings):
        raise CommandFailed("This home has no Kafka, so no dead letters: its follower stops at an event that it cannot apply.")
    return broker_settings(settings)


def find_letter(kafka: KafkaSettings, letter_id: str) -> DeadLetter:
    """Return a letter. Raises :class:`~streams.cli.console.CommandFailed` if there is none of that id."""
    raw = read_table(kafka, DEAD_LETTERS, lambda key, raw: raw if key == letter_id else b"").get(letter_id)
    if raw is None:
        raise CommandFailed(f"There is no dead letter {letter_id}: `regulars dead-letters list` shows those there are.")
    return DeadLetter.unpack(raw)


def fields_of(letter: DeadLetter) -> dict[str, Any]:
    """Return a letter without the bytes of its record."""
    return {"id": letter.id} | {name: value for name, value in vars(letter).items() if name != "value"}


def row(letter: DeadLetter) -> tuple[object, ...]:
    position = "-" if letter.position is None else f"{letter.position:,}"
    return letter.id, letter.fold, position, letter.key or "-", when(letter), letter.reason


def when(letter: DeadLetter) -> str:
    """Return the instant of a letter in UTC, to the second."""
    return f"{datetime.fromtimestamp(letter.at / 1000, UTC):%Y-%m-%d %H:%M:%S}"
