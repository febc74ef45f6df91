"""``regulars topics`` and ``relay``: the way from the log to Kafka."""

from __future__ import annotations

import asyncio
import signal
from contextlib import nullcontext

import click

from infra.kafka.clients import admin_client
from infra.kafka.settings import KafkaSettings
from infra.kafka.topics import end_offsets, ensure_topics, topic_ids
from infra.settings import Settings, from_environment
from infra.telemetry.logs import configure_logging, throttle_client_logs
from streams.cli.console import ERR, OUT, grid
from streams.kafka.relay.relay import Relay, RelayProgress, serve_relay_probes
from streams.kafka.topics import RELAYED, broker_settings, carried
from streams.kafka.topics import topics as declared
from streams.running.app import open_log

COLUMNS = ("topic", "partitions", "records", "keeps", "identifier", "differs")


@click.command()
def topics() -> None:
    """Make the topics that are missing, verify the others, and show them."""
    settings = from_environment()
    throttle_client_logs()
    wanted = declared(settings)
    counts = {topic.name: topic.partitions for topic in wanted}
    with admin_client(broker_settings(settings)) as admin:
        differs = ensure_topics(admin, wanted, settings.replication)
        ids, ends = topic_ids(admin, counts), end_offsets(admin, counts)
    rows = (
        (
            topic.name,
            topic.partitions,
            f"{sum(ends[topic.name]):,}",
            "latest" if topic.compacted else f"{topic.retention} days" if topic.retention else "all",
            ids[topic.name][:8],
            ", ".join(f"{setting} is {value}" for setting, value in differs[topic.name].items()) or "-",
        )
        for topic in wanted
    )
    OUT.print(grid("Topics", COLUMNS, rows, numbers=(1, 2)))


@click.command()
def relay() -> None:
    """Publish the log to the topics, and keep publishing. A second one stands by and takes over."""
    settings = from_environment()
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    configure_logging(settings.telemetry)
    asyncio.run(relaying(settings, broker_settings(settings)))  # a broker that is being started does not hear of signals


async def relaying(settings: Settings, kafka: KafkaSettings) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    with open_log(settings) as (log, _), ERR.status("relaying") if ERR.is_terminal else nullcontext() as status:
        wanted = [topic for topic in declared(settings) if topic.name in RELAYED]

        def tell(progress: RelayProgress) -> None:
            if status:
                status.update(line(progress))
            if progress.head:
                made.metrics.reached(progress.position)

        made = Relay(log, kafka, wanted, carried(), settings.replication, tell)
        with serve_relay_probes(settings.telemetry, made.metrics, log):
            await made.run(stopping)
    ERR.print("The relay has stopped.")


def line(progress: RelayProgress) -> str:
    """
    >>> line(RelayProgress("relaying", 1500, 2000, 81_234.5))
    'relaying: 1,500 of 2,000 events, 81,234 a second; Ctrl-C ends it'
    """
    if not progress.head:
        return progress.state
    return f"{progress.state}: {progress.position:,} of {progress.head:,} events, {progress.rate:,.0f} a second; Ctrl-C ends it"
