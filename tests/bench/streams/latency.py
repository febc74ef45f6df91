"""From an append that was acknowledged to a card in Redis that shows it: milliseconds, at a steady rate."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from statistics import quantiles

from aggregates.member import RegisterMember
from infra.kafka.partitioning import partition_of
from infra.places import Place
from projections.card import card
from streams.bootstrap import App
from streams.feeds import fold_name
from streams.registry import DOMAIN
from streams.request import Request
from streams.topics import PARTITIONS
from tests.bench.streams.pipeline import Pipeline

RATE = 500  # appends a second
LOOK = 0.002  # seconds between looks at the checkpoints
CALLERS = 32  # threads, who share the disk's wait
WARM = 1000  # appends that are not counted
PATIENCE = 60.0  # seconds for the last ones


@dataclass(frozen=True)
class Latency:
    """``p50``, ``p99``: milliseconds. ``rate``: appends a second, as it came out."""

    p50: float
    p99: float
    appends: int
    rate: float


class Looking:
    """Waits, on a thread of its own, for the checkpoints to pass what was appended."""

    def __init__(self, app: App) -> None:
        self._client = app.views.client
        self._keys = [app.views.key(f"checkpoint:{fold_name(card)}:{DOMAIN}:{n}") for n in range(PARTITIONS)]
        self._waiting: defaultdict[int, list[tuple[int, float]]] = defaultdict(list)
        self._alone = threading.Lock()
        self.seconds: list[float] = []
        self.ended = threading.Event()

    def expect(self, member: str, position: int) -> None:
        now = time.perf_counter()
        with self._alone:
            self._waiting[partition_of(member.encode(), PARTITIONS)].append((position, now))

    def look(self) -> None:
        while not self.ended.wait(LOOK):
            held = [Place.read(at).position for at in self._client.mget(self._keys)]
            now = time.perf_counter()
            with self._alone:
                for partition, reached in enumerate(held):
                    waiting = self._waiting[partition]
                    self.seconds += [now - since for position, since in waiting if position <= reached]
                    waiting[:] = [entry for entry in waiting if entry[0] > reached]

    def wait(self, appends: int) -> None:
        """Raises :class:`TimeoutError` if so many do not come to be seen."""
        deadline = time.monotonic() + PATIENCE
        while len(self.seconds) < appends:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{appends - len(self.seconds):,} appends are not in the cards.")
            time.sleep(0.01)


def latency(way: Pipeline, appends: int) -> Latency:
    """Raises :class:`TimeoutError` if an append does not come to be seen."""
    looking = Looking(way.app)
    thread = threading.Thread(target=looking.look)
    thread.start()

    def append(number: int) -> None:
        member = f"m-{number}"
        outcome = way.app.handler.handle(Request(f"join/{number}", (RegisterMember(member, 1_483_844_509_000),)))
        looking.expect(member, outcome.position)

    try:
        append(0)
        looking.wait(1)  # relay and worker have started
        begun = time.perf_counter()
        with ThreadPoolExecutor(CALLERS) as callers:
            for number in range(1, WARM + appends):
                time.sleep(max(0.0, begun + number / RATE - time.perf_counter()))
                callers.submit(append, number)
        rate = (WARM + appends) / (time.perf_counter() - begun)
        looking.wait(WARM + appends)
    finally:
        looking.ended.set()
        thread.join()
    cuts = quantiles(looking.seconds[WARM:], n=100)
    return Latency(cuts[49] * 1e3, cuts[98] * 1e3, appends, rate)
