"""``make bench-streams``: what the worker costs over aiokafka alone, beside two other stream processors, in the same run.

Everybody gets the same topic and an empty Redis in turn. Absolute rates are this machine's, now; ratios hold.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import click
from rich.console import Console

from infra.embedded.kafka import EmbeddedKafka
from infra.embedded.valkey import EmbeddedRedis
from infra.kafka.settings import KafkaSettings
from infra.keys.ring import KeyRing
from infra.keys.stores import SqliteKeys
from infra.settings import jar_cache
from streams.cli.console import grid
from tests.bench.streams.bare_way import bare_way
from tests.bench.streams.course import Course
from tests.bench.streams.goals import goals
from tests.bench.streams.latency import RATE, latency
from tests.bench.streams.pipeline import pipeline
from tests.bench.streams.racing import CONTESTANTS, race, rows
from tests.bench.streams.records import codec, fill
from tests.bench.streams.whole import whole

TOPIC = "bench.purchases"
QUIET = 100  # appends a second that no machine is busy with: what the way itself takes


@click.command(context_settings={"show_default": True})
@click.option("--records", default=1_000_000, help="Events in the topic.")
@click.option("--partitions", default=4, help="Of the topic.")
@click.option("--turns", default=5, help="Runs of each contestant.")
@click.option("--appends", default=10_000, help="Whose way into the cards is timed; 0 for none.")
@click.option("--weeks", default=4, help="Of real history that the real registry folds; 0 for none.")
@click.option("--only", multiple=True, help="Modules of contestants, besides the floor.")
def main(records: int, partitions: int, turns: int, appends: int, weeks: int, only: tuple[str, ...]) -> None:
    """Rates and ratios of streaming events from Kafka into Redis."""
    out, told = Console(highlight=False), Console(stderr=True, highlight=False)
    contestants = [c for c in CONTESTANTS if not only or not c.writes or c.module in only]
    with servers() as (kafka, redis_url), told.status("writing the topic") as status:
        course, total = prepared(kafka, redis_url, records, partitions)
        raced = race(course, total, turns, contestants, status.update)
        bare = asyncio.run(bare_way(kafka, redis_url, appends, RATE)) if appends else None
    columns = ("contestant", "events/s", "CPU µs/event", "÷ floor, CPU", "÷ floor, clock")
    out.print(grid(f"{records:,} events, medians of {turns}", columns, rows(raced, records, contestants), numbers=range(1, 5)))
    met = [(what, f"{found:.2f}", f"≥ {least}", "met" if found >= least else "missed") for what, found, least in goals(raced)]
    if bare:
        met.append((f"one broker and one key alone at {bare.rate:,.0f}/s, p50", f"{bare.p50:.1f} ms", "", "beside it"))
        met.append((f"one broker and one key alone at {bare.rate:,.0f}/s, p99", f"{bare.p99:.1f} ms", "", "beside it"))
        with pipeline() as way:
            quiet, timed = latency(way, appends // 5, QUIET), latency(way, appends)
        met.append((f"append to card at {quiet.rate:,.0f}/s, p50", f"{quiet.p50:.1f} ms", "", "beside it"))
        for what, found, most in (("p50", timed.p50, 10), ("p99", timed.p99, 50)):
            name = f"append to card at {timed.rate:,.0f}/s, {what}"
            met.append((name, f"{found:.1f} ms", f"≤ {most} ms", "met" if found <= most else "missed"))
    if weeks:
        heads = ("who", "events", "events/s", "CPU µs/event")
        paces = [
            (p.who, f"{p.events:,}", f"{p.events / p.seconds:,.0f}", f"{p.cpu / p.events * 1e6:.0f}") for p in whole(weeks)
        ]
        out.print(grid(f"The real registry, {weeks} weeks of Complete Journey", heads, paces, numbers=range(1, 4)))
    out.print(grid("Goals", ("what", "found", "goal", ""), met, numbers=(1, 2)))


@contextmanager
def servers() -> Iterator[tuple[KafkaSettings, str]]:
    """The packaged Kafka and Valkey in a folder of their own, until the block ends."""
    with tempfile.TemporaryDirectory(prefix="regulars-bench-") as folder:
        broker, valkey = EmbeddedKafka(Path(folder) / "kafka", jar_cache()), EmbeddedRedis(Path(folder) / "valkey")
        try:
            broker.start()
            valkey.start()
            yield KafkaSettings(broker.bootstrap), valkey.url
        finally:
            valkey.stop()
            broker.stop()


def prepared(kafka: KafkaSettings, redis_url: str, records: int, partitions: int) -> tuple[Course, int]:
    """A filled topic, and the sum of its amounts."""
    with tempfile.TemporaryDirectory() as folder, closing(KeyRing(SqliteKeys(Path(folder) / "keys.db"))) as keys:
        total = asyncio.run(fill(kafka, TOPIC, partitions, records, codec(keys)))
    return Course(kafka.bootstrap, TOPIC, partitions, records, redis_url, "", ""), total


if __name__ == "__main__":
    main()
