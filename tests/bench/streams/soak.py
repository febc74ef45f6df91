"""``make soak``: the whole way at a thousand events a second for twenty minutes; nothing is lost or grows for ever."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from itertools import count, islice

import click
from rich.console import Console

from aggregates.behaviour import Viewed
from aggregates.member import RegisterMember
from streams.cli.console import grid
from streams.commands.request import Request
from tests.bench.streams.completeness import different, wait
from tests.bench.streams.pipeline import Pipeline, pipeline
from tests.bench.streams.sampling import Sample, sample, slope, sparkline

TICK = 0.1  # seconds
LOOK = 10.0  # seconds between samples
MEMBERS, PRODUCTS = 5000, 997
STEEPEST = 5.0  # MiB a minute that a process may grow by after the first quarter
LARGEST_LAG = 5.0  # seconds' worth of events that may be on their way at any look after the first quarter


def shoppers(at: int) -> Iterator[Request]:
    """One event each, without end: members who register, then look at products."""
    for number in count():
        scattered = number * 2_654_435_761 % 2**32
        member = f"m-{number if number < MEMBERS else scattered % MEMBERS}"
        act = RegisterMember(member, at + number)
        yield Request(
            f"soak/{number}",
            (
                act
                if number < MEMBERS
                else Viewed(product=f"product-{scattered % PRODUCTS}", member=member, session=None, at=at + number),
            ),
        )


def drive(way: Pipeline, rate: int, minutes: float) -> list[Sample]:
    """Append at a steady rate and look on; it does not wait for what is slow."""
    requests, samples, begun = shoppers(1_483_844_509_000), list[Sample](), time.monotonic()
    each = round(rate * TICK)
    for tick in range(round(minutes * 60 / TICK)):
        time.sleep(max(0.0, begun + tick * TICK - time.monotonic()))
        way.app.handler.handle_all(list(islice(requests, each)))
        seconds = time.monotonic() - begun
        if seconds >= LOOK * (len(samples) + 1):
            samples.append(sample(way.app, way.processes, seconds))
    return samples


def complaints(samples: Sequence[Sample], rate: int) -> Iterator[str]:
    for name in samples[0].memory if samples else ():
        if (found := slope(samples, name)) > STEEPEST:
            yield f"{name} grows by {found:.1f} MiB a minute"
    late = samples[len(samples) // 4 :]
    if any(s.lag > LARGEST_LAG * rate for s in late):
        yield f"the read models were up to {max(s.lag for s in late):,} events behind"


@click.command(context_settings={"show_default": True})
@click.option("--minutes", default=20.0, help="How long.")
@click.option("--rate", default=1000, help="Events a second.")
def main(minutes: float, rate: int) -> None:
    """The whole way for a long time. Exit status 1 if anything was lost, or grew."""
    out = Console(highlight=False)
    with pipeline() as way:
        samples = drive(way, rate, minutes)
        head = way.app.log.head()
        wrong = [*wait(way.app), *(f"{fold} is not what the log makes of it" for fold in different(way.app))]
        if errors := list(way.errors()):
            wrong.append(f"{len(errors):,} lines of errors were told, the first of them: {errors[0]}")
    wrong += complaints(samples, rate)
    out.print(f"{head:,} events in {minutes:g} minutes")
    if samples:
        out.print(grid("Soak", ("what", "at the end", "MiB a minute", ""), rows(samples), numbers=(1, 2)))
    for complaint in wrong:
        out.print(complaint)
    sys.exit(bool(wrong))


def rows(samples: Sequence[Sample]) -> Iterator[tuple[str, str, str, str]]:
    for name in samples[0].memory:
        values = [s.memory[name] for s in samples]
        yield f"{name}, MiB resident", f"{values[-1]:,.0f}", f"{slope(samples, name):+.2f}", sparkline(values)
    yield "Redis's data, MiB", f"{samples[-1].redis:,.1f}", "", sparkline([s.redis for s in samples])
    yield "behind, events", f"{samples[-1].lag:,}", "", sparkline([s.lag for s in samples])


if __name__ == "__main__":
    main()
