"""The tick: records what has become due by time alone, such as a tier's review, of the members who have something due.

Nothing waits for a tick. What is due counts from its instant whether it is recorded or not, and every decision records it
first. A tick makes it visible for members who send no command. Its requests are named after what is due, so
two ticks at the same time record it once.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from aggregates.decider import Context, stream_ids
from infra.errors import Fault
from infra.event_log.log import DUE_INDEX, EventLog
from streams.commands.request import Handles, Request
from streams.registry import DUE, DUE_OF_MEMBERS

TOLD = logging.getLogger("regulars.tick")

TOGETHER = 128
"""How many streams share one append."""

LOOKED_AT = 2000
"""How many events at the end of the log are searched for the latest instant."""


@dataclass(frozen=True)
class Ticked:
    """``streams`` had something due, and ``events`` were recorded for them."""

    streams: int = 0
    events: int = 0


def tick(log: EventLog, handler: Handles, now: int, stopped: threading.Event | None = None) -> Ticked:
    """Record all that is due at ``now``, in time proportional to it. The first tick of an old log builds the index."""
    if not log.due_index.is_complete:
        index(log, handler.context())
    streams = events = 0
    before: dict[str, int] = {}
    while due := log.due_index.due(now, TOGETHER):
        if due == before:
            raise RuntimeError(f"These stay due though they are recorded: {due}")
        if stopped and stopped.is_set():
            break
        outcomes = handler.handle_all([asked(stream, instant, now) for stream, instant in due.items()])
        streams += len(due)
        events += sum(outcome.events for outcome in outcomes if not outcome.repeated)
        before = due
    return Ticked(streams, events)


def asked(stream: str, instant: int, now: int) -> Request:
    aggregate = stream.partition("-")[0]
    _, command = DUE[aggregate]
    return Request(
        f"due {stream} {instant}", (command(*stream_ids(aggregate, stream), now),), content=b"due", settled=False, by_time=True
    )


def index(log: EventLog, context: Context) -> None:
    """Build the index from the streams, some at a time. Writers meanwhile keep their own rows right."""
    erased = log.erased()
    for aggregate, (decider, _) in DUE.items():
        due, prefix = decider.due or (lambda *_: None), f"{aggregate}-"
        gone = erased if aggregate in DUE_OF_MEMBERS else ()
        streams = [stream for stream in log.streams_between(prefix) if stream.removeprefix(prefix) not in gone]
        for some in parts(streams, TOGETHER):
            with log.append() as append:
                read = append.read(some).items()
                append.schedule({stream: due(decider.rebuild(events), context) for stream, (events, _) in read})
    with log.append() as append:
        append.indexed(DUE_INDEX)


def parts(streams: list[str], size: int) -> Iterable[list[str]]:
    return (streams[at : at + size] for at in range(0, len(streams), size))


def latest(log: EventLog) -> int:
    """Return the log's own clock: the latest instant among its last events; 0 for an empty log."""
    position, instants = max(0, log.head() - LOOKED_AT), list[int]()
    while told := log.recorded(position, LOOKED_AT):
        instants += (recorded.event.at for recorded in told)  # type: ignore[attr-defined]
        position = told[-1].position
    return max(instants, default=0)


def ticking(log: EventLog, handler: Handles, clock: Callable[[], int], every: float, stopped: threading.Event) -> None:
    """Tick every ``every`` seconds until ``stopped`` is set. A failed tick is repeated at the next one."""
    while True:
        try:
            tick(log, handler, clock(), stopped)
        except Fault as fault:
            TOLD.warning("A tick has failed: %s", fault)
        if stopped.wait(every):
            return
