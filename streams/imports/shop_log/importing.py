"""Imports a shop-log: line by line in file order. A line that cannot be taken is counted and set aside; the rest goes on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import msgspec

from aggregates.constraints import EMAIL_TAKEN
from aggregates.decider import stream_id
from aggregates.order.decider import order as order_decider
from aggregates.order.events import OrderPlaced
from infra.event_log.log import EventLog
from infra.event_log.types import Outcome
from infra.rejects_file import RejectedLine
from streams.commands.request import Handles, Request
from streams.imports.shop_log.archive import Damaged
from streams.imports.shop_log.lines import FileLine, MemberLine, OrderRecord, RefundLine
from streams.imports.shop_log.planning import Planner
from streams.imports.shop_log.reading import Reader, ShopLine
from streams.imports.shop_log.rejected import Rejected

TOGETHER = 512
"""Lines of one append. Appends end at multiples of this in the file, so a resumed import appends as an undisturbed one."""

BYTES_TOGETHER = 4 << 20
"""The bytes after which an append ends before that, so that memory is bounded whatever the lines' lengths."""

WITHOUT_EMAIL = "email: Another member uses this address. The rest of the line was taken."

NOTHING_NEW = {"order", "cancel", "order_status", "session_left"}
"""Types whose line is also a duplicate if it brings no event."""

Numbered: TypeAlias = tuple[int, bytes]


@dataclass
class ImportCounts:
    """What became of a file. ``late``: accepted lines older than one above them, and refunds older than their order."""

    lines: int = 0
    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    late: int = 0
    unpriced: int = 0
    by_type: Counter[str] = field(default_factory=Counter)
    by_reason: Counter[str] = field(default_factory=Counter)

    @property
    def status(self) -> int:
        """The exit status: 0 all accepted or duplicates, 3 some rejected (or a member's e-mail), 2 all rejected."""
        if not self.by_reason:
            return 0
        return 3 if self.accepted or self.duplicates else 2


class ShopLogImport:
    """Takes the lines of one file, a batch at a time; ``counts`` says what became of them so far."""

    def __init__(self, handler: Handles, log: EventLog, reader: Reader, planner: Planner) -> None:
        self.counts = ImportCounts()
        self._handler = handler
        self._log = log
        self._reader = reader
        self._planner = planner
        self._latest = 0
        self._last_placed: OrderPlaced | None = None

    def take(self, batch: Iterable[Numbered]) -> list[RejectedLine]:
        """Append what a batch of numbered lines says, and return the rejected ones, in order."""
        rejects: list[RejectedLine] = []
        readable: list[tuple[ShopLine, bytes]] = []
        requests: list[Request] = []
        for number, raw in batch:
            self.counts.lines += 1
            try:
                line = self._reader.read(number, raw)
            except Rejected as why:
                rejects.append(RejectedLine(number, why.code, why.reason, raw))
                continue
            readable.append((line, raw))
            requests.append(self._planner.request(line))
        taken_emails = 0
        for (line, raw), outcome in zip(readable, self._handler.handle_all(requests), strict=True):
            if outcome.code == EMAIL_TAKEN.code and (without := without_email(line)):
                taken_emails += 1
                rejects.append(RejectedLine(line.number, outcome.code, WITHOUT_EMAIL, raw))
                (outcome,) = self._handler.handle_all([self._planner.request(without)])
            if outcome.accepted:
                self._count(line.line, outcome)
            else:
                rejects.append(RejectedLine(line.number, outcome.code, outcome.sentence, raw))
        rejects.sort(key=lambda reject: reject.line)
        self.counts.rejected += len(rejects) - taken_emails
        self.counts.by_reason.update(reject.code for reject in rejects)
        return rejects

    def _count(self, line: FileLine, outcome: Outcome) -> None:
        counts, latest = self.counts, self._latest
        self._latest = max(latest, line.at)
        if outcome.repeated or (line.type in NOTHING_NEW and not outcome.events):
            counts.duplicates += 1
            return
        counts.accepted += 1
        counts.by_type[line.type] += 1
        match line:
            case OrderRecord(lines=items) if any(item.total is None and item.unit_price is None for item in items):
                counts.unpriced += self._placed(line.order).unpriced
            case RefundLine():
                latest = max(latest, self._placed(line.order).at)
        counts.late += line.at < latest

    def _placed(self, order: str) -> OrderPlaced:
        """Return how an order was placed; the last one is kept, for many refunds of one order follow each other."""
        if self._last_placed is None or self._last_placed.order != order:
            events, _ = self._log.read(stream_id(order_decider.name, order))
            self._last_placed = next(event for event in events if isinstance(event, OrderPlaced))
        return self._last_placed


def without_email(line: ShopLine) -> ShopLine | None:
    """Return a member's line without its e-mail address; None of a line that has none."""
    if not isinstance(line.line, MemberLine) or line.line.email is None:
        return None
    return replace(line, line=msgspec.structs.replace(line.line, email=None))


def batches(lines: Iterable[Numbered]) -> Iterator[list[Numbered]]:
    """Return numbered lines in batches that end at multiples of :data:`TOGETHER`, or after :data:`BYTES_TOGETHER`.

    The edges depend on the file alone, not on where an import was interrupted.

    Raises :class:`Damaged` after all that was read before the damage.
    """
    batch: list[Numbered] = []
    size = 0
    damaged: Damaged | None = None
    try:
        for numbered in lines:
            if batch and (size >= BYTES_TOGETHER or numbered[0] // TOGETHER != batch[0][0] // TOGETHER):
                yield batch
                batch, size = [], 0
            batch.append(numbered)
            size += len(numbered[1])
    except Damaged as fault:
        damaged = fault
    if batch:
        yield batch
    if damaged:
        raise damaged
