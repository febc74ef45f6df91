"""What a snapshot that continues another must know of the time before: the rows that may change, from their own streams."""

from __future__ import annotations

from collections.abc import Iterator

from aggregates.behaviour import Impressed
from aggregates.decider import Recorded
from aggregates.member import member
from aggregates.membership.decider import membership
from infra.event_log.log import EventLog
from infra.settings import CHUNK
from projections.card import card
from streams.registry import EVENTS
from streams.replay.past.places import LogClock
from streams.replay.snapshot.rows import CHANGING, Rows
from streams.replay.snapshot.shown_rows import WEEK

WHOLE = 1 << 31
"""More events than any stream has."""

OF_CARDS = frozenset(name for event in card.events for name in EVENTS[event].stored_names)
OF_ROWS = frozenset(name for event in CHANGING for name in EVENTS[event].stored_names)


def recall(log: EventLog, rows: Rows, base: int, until: int) -> None:
    """Bring rows to where they were at the position ``base``, as far as events up to ``until`` can change them.

    What the rows yield of that time is in the snapshot at ``base``, or in those before it. Sums begin at 0: see
    :func:`~streams.replay.snapshot.tally_rows.added_to`.
    """
    for stream_events in histories(log, base, until):
        for recorded in stream_events:
            for _ in rows.entity_rows(recorded.event, recorded.position):
                pass
    recall_shown(log, rows, base)


def histories(log: EventLog, base: int, until: int) -> Iterator[list[Recorded]]:
    """Yield the events up to ``base`` of each member and thing that events up to ``until`` concern, in the order of the log."""
    groups: set[tuple[str, ...]] = set()
    born: set[str] = set()
    position = base
    while position < until and (page := log.since(position, min(CHUNK, until - position))):
        position = page[-1].position
        for row in page:
            if row.name in OF_CARDS:
                name = row.stream.partition("-")[2]
                groups.add((f"{member.name}-{name}", f"{membership.name}-{name}"))
            elif row.name in OF_ROWS:
                if row.version == 1:
                    born.add(row.stream)
                elif row.stream not in born:
                    groups.add((row.stream,))
    for streams in sorted(groups):
        found = sorted(row for stream in streams for row in log.rows_of(stream, WHOLE) if row.position <= base)
        yield log.codec.decode_all([(row.position, row.name, row.state) for row in found])


def recall_shown(log: EventLog, rows: Rows, base: int) -> None:
    """Take the lists of the last week again, whose outcomes may still change."""
    clock = LogClock(log)
    after = clock.position_before(clock.at(base) - WEEK - 1)
    if not any_shown(log, after, base):
        return
    while after < base and (chunk := log.recorded(after, min(CHUNK, base - after))):
        after = chunk[-1].position
        rows.recall_shown(chunk)


def any_shown(log: EventLog, after: int, until: int) -> bool:
    """Return whether a list was shown between two positions."""
    while after < until:
        found, after = log.recorded_of(after, min(CHUNK, until - after), EVENTS[Impressed].stored_names)
        if found:
            return True
    return False
