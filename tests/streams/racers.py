"""Real processes that ask a log for things at the same moment, each through a handler of its own."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier

from infra.event_log.types import Outcome
from infra.settings import Settings
from streams.commands.request import Request
from streams.running.app import App, running

RACERS = 4
PATIENCE = 60  # seconds for all to be there


class Racers:
    """Started once; each :meth:`race` is over the log of some settings."""

    def __init__(self, ends: Sequence[Connection]) -> None:
        self._ends = ends

    def race(self, settings: Settings, asked: Sequence[Sequence[Request]], abreast: bool = False) -> list[Outcome]:
        """What each is answered to its own requests, one racer after the other.

        ``abreast``: they wait for each other before every request, so that all decide over the same log.
        """
        for end, requests in zip(self._ends, asked, strict=True):
            end.send((settings, list(requests), abreast))
        answers = [end.recv() for end in self._ends]
        for told in answers:
            if isinstance(told, Exception):
                raise told
        return [outcome for told in answers for outcome in told]


@contextmanager
def started() -> Iterator[Racers]:
    context = multiprocessing.get_context("forkserver")  # which imports once for all that this test process starts
    context.set_forkserver_preload([__name__])
    barrier = context.Barrier(RACERS)
    pipes = [context.Pipe() for _ in range(RACERS)]
    processes = [context.Process(target=run, args=(barrier, far), daemon=True) for _, far in pipes]
    for process in processes:
        process.start()
    try:
        yield Racers([near for near, _ in pipes])
    finally:
        for near, _ in pipes:
            near.send(None)
        for process in processes:
            process.join(PATIENCE)


def run(barrier: Barrier, mine: Connection) -> None:
    while told := mine.recv():
        settings, requests, abreast = told
        try:
            with running(settings) as app:
                barrier.wait(PATIENCE)
                mine.send([ask(app, request, barrier if abreast else None) for request in requests])
        except Exception as fault:  # noqa: BLE001 - the test's to raise
            barrier.abort()
            mine.send(fault)


def ask(app: App, request: Request, barrier: Barrier | None) -> Outcome:
    if barrier:
        barrier.wait(PATIENCE)
    return app.handler.handle(request)
