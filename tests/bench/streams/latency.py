"""From an append that was acknowledged to a card in Redis that shows it: milliseconds, at a steady rate."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import quantiles
from typing import Any

from aggregates.member import RegisterMember
from infra.kafka.records import partition_of
from infra.redis.checkpoints import Checkpoint
from projections.card import card
from streams.commands.request import Request
from streams.kafka.topics import PARTITIONS
from streams.projecting.loaders import fold_name
from streams.registry import DOMAIN
from streams.running.app import App
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

    @classmethod
    def of(cls, seconds: Sequence[float], rate: float) -> Latency:
        """Of what each append took, the first :data:`WARM` left out."""
        cuts = quantiles(seconds[WARM:], n=100)
        return cls(cuts[49] * 1e3, cuts[98] * 1e3, len(seconds) - WARM, rate)


class Looking:
    """Waits, on a thread of its own, for the checkpoints to pass what was appended."""

    def __init__(self, app: App) -> None:
        self._client = app.views.client
        self._keys = [app.views.key(f"checkpoint:{fold_name(card)}:{DOMAIN}:{n}") for n in range(PARTITIONS)]
        self._reached = [0] * PARTITIONS
        self._waiting: defaultdict[int, list[tuple[int, float]]] = defaultdict(list)
        self._alone = threading.Lock()
        self.seconds: list[float] = []
        self.ended = threading.Event()

    def expect(self, member: str, position: int) -> None:
        now = time.perf_counter()
        partition = partition_of(member.encode(), PARTITIONS)
        with self._alone:
            if position <= self._reached[partition]:
                self.seconds.append(0.0)
            else:
                self._waiting[partition].append((position, now))

    def look(self) -> None:
        seen: list[Any] = [None] * PARTITIONS
        while not self.ended.wait(LOOK):
            held: list[Any] = self._client.mget(self._keys)
            now = time.perf_counter()
            with self._alone:
                for partition in range(PARTITIONS):
                    if held[partition] != seen[partition]:
                        self._see(partition, Checkpoint.parse(held[partition]).position, now)
            seen = held

    def _see(self, partition: int, reached: int, now: float) -> None:
        self._reached[partition] = reached
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


def latency(way: Pipeline, appends: int, rate: int = RATE) -> Latency:
    """At ``rate`` appends a second, by callers each of whom has every so manieth.

    Raises :class:`TimeoutError` if an append does not come to be seen.
    """
    looking = Looking(way.app)
    thread = threading.Thread(target=looking.look)
    thread.start()

    def append(number: int) -> None:
        member = f"m-{rate}-{number}"
        outcome = way.app.handler.handle(Request(f"join/{member}", (RegisterMember(member, 1_483_844_509_000),)))
        looking.expect(member, outcome.position)

    def call(first: int) -> None:
        for number in range(first, WARM + appends, CALLERS):
            time.sleep(max(0.0, begun + number / rate - time.perf_counter()))
            append(number)

    try:
        append(0)
        looking.wait(1)  # relay and worker have started
        begun = time.perf_counter()
        callers = [threading.Thread(target=call, args=(number + 1,)) for number in range(CALLERS)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
        reached = (WARM + appends) / (time.perf_counter() - begun)
        looking.wait(WARM + appends)
    finally:
        looking.ended.set()
        thread.join()
    return Latency.of(looking.seconds, reached)
