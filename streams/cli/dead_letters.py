"""``regulars dead-letters``: what no fold could take; see it, put it in where it belongs, or let it go."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

import click
import orjson
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from infra.kafka.settings import KafkaSettings
from infra.kafka.topics import delete_key, read_table
from infra.settings import from_environment
from infra.telemetry.logs import throttle_client_logs
from streams.cli.console import ERR, OUT, grid, pairs
from streams.kafka.dead_letters.letters import DeadLetter
from streams.kafka.dead_letters.rebuild import Tell
from streams.kafka.dead_letters.retrying import Retry
from streams.kafka.topics import DEAD_LETTERS, broker_settings
from streams.running.app import running

COLUMNS = ("id", "fold", "position", "key", "when (UTC)", "reason")


@click.group("dead-letters")
def dead_letters() -> None:
    """Records that no fold could take, and events that one fold could not."""
    throttle_client_logs()


@dead_letters.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print a line of JSON for each.")
def list_letters(as_json: bool) -> None:
    """Every letter that is not settled, the oldest first."""
    found = read_table(
        broker_settings(from_environment()), DEAD_LETTERS, lambda _, raw: replace(DeadLetter.unpack(raw), value=b"")
    )
    if as_json:
        for letter in found.values():
            click.echo(orjson.dumps({"id": letter.id} | {k: v for k, v in vars(letter).items() if k != "value"}))
    elif not found:
        OUT.print("There are no dead letters.")
    else:
        OUT.print(grid("Dead letters", COLUMNS, map(row, found.values()), numbers=(2,)))


@dead_letters.command()
@click.argument("letter_id", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="Print a line of JSON; the record's bytes are Base64.")
@click.option("--raw", is_flag=True, help="Print the record's bytes as they are, and nothing else.")
def show(letter_id: str, as_json: bool, raw: bool) -> None:
    """All of one letter, with the bytes of its record."""
    letter = one(broker_settings(from_environment()), letter_id)
    if raw:
        click.get_binary_stream("stdout").write(letter.value)
    elif as_json:
        click.echo(orjson.dumps({"id": letter.id} | orjson.loads(letter.pack())))
    else:
        told = {"when (UTC)" if name == "at" else name: value for name, value in vars(letter).items() if name != "value"}
        told["when (UTC)"] = when(letter)
        OUT.print(pairs(letter.id, told.items()), soft_wrap=True, markup=False)
        click.echo(letter.value.decode(errors="backslashreplace"))


@dead_letters.command()
@click.argument("letter_id", metavar="ID")
def retry(letter_id: str) -> None:
    """Put in what the letter is about, with this version's code, and settle it.

    Documents are folded anew from the log, for their key alone; of a tally the one event is added.
    """
    settings = from_environment()
    kafka = broker_settings(settings)
    letter = one(kafka, letter_id)
    with running(settings) as app, reading() as tell:
        done = Retry(app, letter, tell).run()
    delete_key(kafka, DEAD_LETTERS, letter.id)
    for sentence in done:
        click.echo(sentence)
    click.echo(f"{letter.id} is settled.")


@dead_letters.command()
@click.argument("letter_id", metavar="ID")
def drop(letter_id: str) -> None:
    """Let a letter go; the read models stay without what it is about."""
    kafka = broker_settings(from_environment())
    delete_key(kafka, DEAD_LETTERS, one(kafka, letter_id).id)
    click.echo(f"{letter_id} is dropped.")


def one(kafka: KafkaSettings, letter_id: str) -> DeadLetter:
    """Raises :class:`click.ClickException` if there is no such letter."""
    raw = read_table(kafka, DEAD_LETTERS, lambda key, raw: raw if key == letter_id else b"").get(letter_id)
    if raw is None:
        raise click.ClickException(f"There is no dead letter {letter_id}: `regulars dead-letters list` shows those there are.")
    return DeadLetter.unpack(raw)


def row(letter: DeadLetter) -> tuple[object, ...]:
    position = "-" if letter.position is None else f"{letter.position:,}"
    return letter.id, letter.fold, position, letter.key or "-", when(letter), letter.reason


def when(letter: DeadLetter) -> str:
    return f"{datetime.fromtimestamp(letter.at / 1000, UTC):%Y-%m-%d %H:%M:%S}"


@contextmanager
def reading() -> Iterator[Tell]:
    """A bar that shows how far the log has been read."""
    columns = (TextColumn("reading the log"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=ERR, transient=True) as bar:
        task = bar.add_task("")
        yield lambda at, of: bar.update(task, completed=at, total=of)
