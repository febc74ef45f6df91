"""``regulars topics`` and ``regulars relay``: from the log to Kafka."""

from __future__ import annotations

import asyncio
import signal
from contextlib import nullcontext

import click
import structlog

from infra.kafka.clients import admin_client
from infra.kafka.settings import KafkaSettings
from infra.kafka.topics import end_offsets, ensure_topics, topic_ids
from infra.private_files import make_home
from infra.settings import Settings, from_environment
from infra.telemetry.logs import configure_logging, throttle_client_logs
from streams.cli.console import AS_JSON, ERR, CommandFailed, grid, print_json, show_parts
from streams.kafka.relay.relay import Relay, RelayProgress, serve_relay_probes
from streams.kafka.relay.republish import delete_relayed
from streams.kafka.topics import RELAYED, broker_settings, carried
from streams.kafka.topics import topics as declared
from streams.running.app import open_log

COLUMNS = ("topic", "partitions", "records", "keeps", "identifier", "differs")


@click.command()
@AS_JSON
def topics(as_json: bool) -> None:
    """Make the topics that are missing, verify the others, and show them."""
    settings = from_environment()
    if is_embedded(settings):
        raise CommandFailed(
            "This home needs no topics: a follower keeps its read models up to date. `regulars up` starts a cluster in a new "
            "home; KAFKA_BOOTSTRAP names brokers of yours."
        )
    throttle_client_logs()
    wanted = declared(settings)
    counts = {topic.name: topic.partitions for topic in wanted}
    with admin_client(broker_settings(settings)) as admin:
        differs = ensure_topics(admin, wanted, settings.replication)
        ids, ends = topic_ids(admin, counts), end_offsets(admin, counts)
    keeps = {
        topic.name: "latest" if topic.compacted else f"{topic.retention} days" if topic.retention else "all" for topic in wanted
    }
    if as_json:
        print_json(
            {
                name: {
                    "partitions": partitions,
                    "records": sum(ends[name]),
                    "keeps": keeps[name],
                    "id": ids[name],
                    "differs": differs[name],
                }
                for name, partitions in counts.items()
            }
        )
        return
    rows = (
        (
            name,
            partitions,
            f"{sum(ends[name]):,}",
            keeps[name],
            ids[name][:8],
            ", ".join(f"{setting} is {value}" for setting, value in differs[name].items()) or "-",
        )
        for name, partitions in counts.items()
    )
    show_parts(grid("Topics", COLUMNS, rows, numbers=(1, 2), wraps=(5,)))


def is_embedded(settings: Settings) -> bool:
    """Return whether a home has a log in a SQLite file and never had a broker."""
    return settings.kafka is None and settings.log.exists() and not settings.postgres.exists() and not settings.broker.exists()


@click.command()
@click.option(
    "--republish", is_flag=True, help="Delete these topics first, make them anew, and publish the log from its beginning."
)
def relay(republish: bool) -> None:
    """Publish the log to the topics, and keep publishing. A second relay stands by and takes over.

    With --republish, workers and other relays must have ended. Started again, workers read the new topics from the beginning
    and take what they lack. Into the same topics, publishing again would mend no gap: workers skip lower positions.
    """
    settings = from_environment()
    make_home(settings.home)
    configure_logging(settings.telemetry)
    kafka = broker_settings(settings)  # starting a broker ignores signals, so it comes before the loop
    if republish:
        with open_log(settings) as (log, _):
            gone = delete_relayed(log, kafka, RELAYED)
        structlog.get_logger(__name__).info("topics_deleted", topics=gone)
    asyncio.run(run_relay(settings, kafka))


async def run_relay(settings: Settings, kafka: KafkaSettings) -> None:
    """Relay until SIGINT or SIGTERM, with a line of status on a terminal."""
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    with open_log(settings) as (log, _), ERR.status("relaying") if ERR.is_terminal else nullcontext() as status:
        wanted = [topic for topic in declared(settings) if topic.name in RELAYED]

        def report(progress: RelayProgress) -> None:
            if status:
                status.update(status_line(progress))
            if progress.head:
                made.metrics.reached(progress.position)

        made = Relay(log, kafka, wanted, carried(), settings.replication, report)
        with serve_relay_probes(settings.telemetry, made.metrics, log):
            await made.run(stopping)
    structlog.get_logger(__name__).info("relay_stopped")


def status_line(progress: RelayProgress) -> str:
    """Return the progress of a relay in words.

    >>> status_line(RelayProgress("relaying", 1500, 2000, 81_234.5))
    'relaying: 1,500 of 2,000 events, 81,234 a second; Ctrl-C ends it'
    """
    if not progress.head:
        return progress.state
    return f"{progress.state}: {progress.position:,} of {progress.head:,} events, {progress.rate:,.0f} a second; Ctrl-C ends it"
