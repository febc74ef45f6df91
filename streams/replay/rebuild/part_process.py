"""Fills the parts of a rebuild in processes, each of which writes its own keys.

A process is told its part on its standard input, and tells on its standard output how far it is and what came of it. It ends
when its standard input does, so none outlives the rebuild.
"""

from __future__ import annotations

import os
import pickle
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import suppress
from typing import Any, BinaryIO, NamedTuple

from infra.errors import Fault
from infra.redis.generations import Generation, Generations
from infra.settings import Settings
from streams.registry import folds
from streams.replay.rebuild.filling import Compared
from streams.replay.rebuild.part import RebuiltPart, Report
from streams.replay.rebuild.throttle import Throttle
from streams.running.app import running
from streams.running.processes import ManagedProcess

FILL_PART = "from streams.replay.rebuild.part_process import fill_part; fill_part()"

TOLD_EVERY = 0.1  # seconds between two reports of a process


STEPS = ("fold", "load", "follow", "verify")


class PartFailed(Fault):
    """A process of a rebuild has failed or was killed: nothing was switched."""


class PartTask(NamedTuple):
    """What a process is told. ``owner``: of the leases. ``pause`` and ``quiet``: of the throttle."""

    settings: Settings
    records: Sequence[Generation]
    owner: str
    pause: float
    quiet: float
    sampled: int


def fill_parts(parts: Sequence[RebuiltPart], processes: int, report: Report) -> list[Compared]:
    """Fill parts, so many at a time, and return what the comparisons found. One process fills them here, one after the other.

    Raises :class:`PartFailed` once a process has failed, after ending the others, and what filling raises.
    """
    if processes == 1 or len(parts) <= 1:
        return [one for part in parts for one in part.run()]
    progress = SlowestPart(report, parts)
    children = [PartProcess(part, progress, number) for number, part in enumerate(parts)]
    with ThreadPoolExecutor(processes) as pool:
        filling = [pool.submit(child.run) for child in children]
        try:
            wait(filling, return_when=FIRST_EXCEPTION)
        finally:
            for child in children:
                child.end()
    for filled in filling:
        if fault := filled.exception():
            raise fault
    return [one for filled in filling for one in filled.result()]


class PartProcess:
    """A process that fills one part."""

    def __init__(self, part: RebuiltPart, progress: SlowestPart, number: int) -> None:
        self._part = part
        self._progress = progress
        self._number = number
        self._ended = threading.Event()
        name = f"replay-{part.version}-{'-'.join(fold.name for fold in part.folds)[:60]}"
        self.process = ManagedProcess(name, part.app.settings.home / "logs" / f"{name}.log", FILL_PART, answers=True)

    def run(self) -> list[Compared]:
        """Start the process, and return what its comparison found. Raises :class:`PartFailed`."""
        part, throttle = self._part, self._part.throttle
        owner = part.generations.owner
        if not self._ended.is_set():
            self.process.start(fresh_log=True)
            self.process.send(PartTask(part.app.settings, part.records, owner, throttle.pause, throttle.quiet, part.sampled))
        if self._ended.is_set():  # another one has failed meanwhile
            self.process.release()
        try:
            return self._outcome()
        finally:
            self.process.release()
            self.process.wait()
            if self.process.process and self.process.process.stdout:
                self.process.process.stdout.close()

    def end(self) -> None:
        """End the process wherever it is."""
        self._ended.set()
        self.process.release()

    def _outcome(self) -> list[Compared]:
        if not (self.process.process and (answers := self.process.process.stdout)):
            return []
        with suppress(EOFError, pickle.UnpicklingError):
            while True:
                match pickle.load(answers):  # noqa: S301 - from our child
                    case ("at", *step):
                        self._progress.note(self._number, *step)
                    case ("done", compared):
                        return list(compared)
                    case ("failed", sentence):
                        raise PartFailed(sentence)
        if self._ended.is_set():
            return []
        self.process.wait()
        names = ", ".join(fold.name for fold in self._part.folds)
        raise PartFailed(
            f"The process that rebuilt {names} ended ({self.process.status}; {self.process.log}): nothing was switched. "
            "Run it again."
        )


class SlowestPart:
    """Reports how far all parts are: in each step as far as the slowest, and how many folds are through the others."""

    def __init__(self, report: Report, parts: Sequence[RebuiltPart]) -> None:
        self._report = report
        self._folds = [len(part.folds) for part in parts]
        self._at: list[dict[str, tuple[int, int]]] = [{} for _ in parts]
        self._lock = threading.Lock()

    def note(self, part: int, step: str, done: int, total: int) -> None:
        """Take what one part has reported."""
        with self._lock:
            self._at[part][step] = (done, total)
            total = max(at[step][1] for at in self._at if step in at)
            if step in ("load", "verify"):
                total = sum(self._folds)
                done = sum(self._reached(at, step, whole) for at, whole in zip(self._at, self._folds, strict=True))
            else:
                done = min(self._reached(at, step, total) for at in self._at)
            self._report(step, done, total)

    def _reached(self, at: dict[str, tuple[int, int]], step: str, whole: int) -> int:
        """Return how far a part is in a step: at the whole of it if it is in a later step."""
        later = STEPS[STEPS.index(step) + 1 :]
        return whole if any(one in at for one in later) else at.get(step, (0, 0))[0]


def fill_part() -> None:
    """Fill a part: what :class:`PartProcess` runs."""
    messages, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what else is printed goes to the log
    task: PartTask = pickle.load(messages)  # noqa: S301 - from our parent
    threading.Thread(target=end_with, args=(messages,), name="parent", daemon=True).start()
    tell = Teller(answers)
    try:
        with running(task.settings) as app:
            by_name = {fold.name: fold for fold in folds(app.terms)}
            throttle = Throttle(app.views.client, task.pause, task.quiet)
            some = [by_name[record.name] for record in task.records]
            generations = Generations(app.views.client, task.owner)
            part = RebuiltPart(app, some, task.records, generations, throttle, task.sampled, tell.report)
            tell.send("done", part.run())
    except Exception as fault:  # noqa: BLE001 - whatever it is, our parent says so
        traceback.print_exc()
        tell.send("failed", str(fault) if isinstance(fault, Fault) else f"{type(fault).__name__}: {fault}")


def end_with(messages: BinaryIO) -> None:
    """Exit at once when the pipe from the parent ends: it is gone, or has released us."""
    while messages.read(1024):
        pass
    os._exit(1)


class Teller:
    """Tells the parent what happens, progress not too often."""

    def __init__(self, answers: BinaryIO) -> None:
        self._answers = answers
        self._told: dict[str, float] = {}

    def report(self, step: str, done: int, total: int) -> None:
        now = time.monotonic()
        if done >= total or now - self._told.get(step, 0.0) >= TOLD_EVERY:
            self._told[step] = now
            self.send("at", step, done, total)

    def send(self, *answer: Any) -> None:
        pickle.dump(answer, self._answers)
        self._answers.flush()
