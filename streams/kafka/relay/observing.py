"""Looking after a relay while it works: a thread that asks the log how far it reaches, and a port that tells."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from infra.errors import Fault
from infra.event_log.log import EventLog
from infra.telemetry.health import Heard, beat
from infra.telemetry.probes import probes
from infra.telemetry.relay_metrics import RelayMetrics
from infra.telemetry.settings import Observation

LOOK = 2.0  # seconds between looks


@contextmanager
def observing_relay(settings: Observation, metrics: RelayMetrics, log: EventLog) -> Iterator[None]:
    """Serve metrics and health of a relay in this event loop until the end of the block, if a port is set.

    Raises :class:`~infra.errors.Misconfigured` if the port cannot be had.
    """
    heart = Heard("The event loop")
    beat(asyncio.get_running_loop(), heart)

    def ailments() -> list[str]:
        return [*heart.ailments(settings.patience), *metrics.ailments(settings.patience)]

    with probes(settings, metrics.registry, ailments, metrics.missing) as port:
        stopped = threading.Event()
        looking = threading.Thread(target=watch_log, args=(metrics, log, stopped), name="look", daemon=True)
        if port is not None:
            looking.start()
        try:
            yield
        finally:
            stopped.set()
            if looking.is_alive():
                looking.join()


def watch_log(metrics: RelayMetrics, log: EventLog, stopped: threading.Event) -> None:
    """Ask where the log ends, again and again; if it does not answer, what is known holds."""
    while not stopped.is_set():
        with suppress(Fault):
            metrics.grown(log.head())
        stopped.wait(LOOK)
