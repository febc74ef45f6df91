"""``regulars lag``: how far behind the read models and the relay are."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import click
import orjson
from rich.console import Group, RenderableType
from rich.live import Live

from infra.settings import from_environment
from infra.telemetry.logs import throttle_client_logs
from streams.cli.console import OUT, grid
from streams.queries.lag import Lag, lag_of
from streams.running.app import running

LOOK = 2.0  # seconds between looks
COLUMNS = ("fold", "source", "parts", "position", "applied", "end", "lag")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with each partition; with --watch, a line each time.")
@click.option("--watch", is_flag=True, help="Look again every 2 seconds, until Ctrl-C.")
@click.option("--check", type=click.IntRange(0), metavar="N", help="Exit status 3 if a fold or the relay is over N behind.")
def lag(as_json: bool, watch: bool, check: int | None) -> None:
    """How many records each fold has yet to apply, by topic, and how far the relay is behind the log."""
    if watch and check is not None:
        raise click.UsageError("--check looks once: leave out --watch.")
    throttle_client_logs()
    with running(from_environment()) as app:
        found = lag_of(app)
        if as_json:
            click.echo(orjson.dumps(document(found)))
            while watch:
                time.sleep(LOOK)
                click.echo(orjson.dumps(document(lag_of(app))))
        elif watch:
            with Live(page(found), console=OUT, auto_refresh=False) as live:
                while True:
                    time.sleep(LOOK)
                    live.update(page(lag_of(app)), refresh=True)
        else:
            OUT.print(page(found))
    if check is not None and most_behind(found) > check:
        raise SystemExit(3)


def most_behind(found: Lag) -> int:
    """
    >>> most_behind(Lag(10, (), relayed=7))
    3
    """
    return max([found.unpublished, *(fold.lag for fold in found.folds)])


def page(found: Lag) -> RenderableType:
    rows = [
        (
            fold.fold,
            fold.source,
            len(fold.partitions),
            *(f"{n:,}" for n in (fold.position, sum(p.applied for p in fold.partitions), sum(p.end for p in fold.partitions))),
            f"{fold.lag:,}",
        )
        for fold in found.folds
    ]
    return Group(grid("Lag", COLUMNS, rows, numbers=range(2, 7)), *lines(found))


def lines(found: Lag) -> Iterator[str]:
    yield f"{found.records:,} records to apply"
    if found.relayed is not None:
        yield f"relay at {found.relayed:,} of {found.head:,} events, {found.unpublished:,} to publish"
    if found.letters is not None:
        yield f"{found.letters:,} dead letters waiting"


def document(found: Lag) -> dict[str, Any]:
    """What ``--json`` prints; ``relay`` and ``dead_letters`` are null where there are no topics."""
    relay = None if found.relayed is None else {"position": found.relayed, "behind": found.unpublished}
    return {
        "head": found.head,
        "records": found.records,
        "relay": relay,
        "dead_letters": found.letters,
        "folds": [
            {"fold": one.fold, "source": one.source, "position": one.position, "lag": one.lag, "partitions": one.partitions}
            for one in found.folds
        ],
    }
