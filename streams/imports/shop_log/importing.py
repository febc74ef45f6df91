"""A shop-log into the log: line by line in file order, what cannot be taken said and set aside, the rest untouched by it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from aggregates.decider import stream_id
from aggregates.order.decider import order as order_decider
from aggregates.order.events import OrderPlaced
from infra.event_log.log import EventLog
from infra.event_log.types import Outcome
from streams.commands.handler import Handler
from streams.commands.request import Request
from streams.imports.shop_log.archive import Damaged
from streams.imports.shop_log.lines import OrderRecord, RefundLine, ShopLine
from streams.imports.shop_log.plans.planning import Planner
from streams.imports.shop_log.reading import Reader
from streams.imports.shop_log.rejected import Rejected
from streams.imports.shop_log.rejects import Reject

TOGETHER = 512
"""Lines of one append. Its edges are multiples of this in the file, so a resumed import appends as an undisturbed one."""

NOTHING_NEW = {"order", "cancel", "order_status"}
"""Types whose line is a duplicate, too, if the order stands there already."""

Numbered: TypeAlias = tuple[int, bytes]


@dataclass
class Taken:
    """What came of a file. ``late``: accepted lines older than one taken above them, and refunds older than their order."""

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
        """The exit status: 0 all taken or known before, 3 some rejected, 2 nothing but rejected lines."""
        if not self.rejected:
            return 0
        return 3 if self.accepted or self.duplicates else 2


class ShopLogImport:
    """Takes the lines of one file, a batch at a time; ``taken`` says what came of them so far."""

    def __init__(self, handler: Handler, log: EventLog, reader: Reader, planner: Planner) -> None:
        self.taken = Taken()
        self._handler = handler
        self._log = log
        self._reader = reader
        self._planner = planner
        self._latest = 0

    def take(self, batch: Iterable[Numbered]) -> list[Reject]:
        """Append what a batch of numbered lines says, and return those that were not accepted, in order."""
        rejects: list[Reject] = []
        readable: list[tuple[ShopLine, bytes]] = []
        requests: list[Request] = []
        for number, raw in batch:
            self.taken.lines += 1
            try:
                line = self._reader.read(number, raw)
            except Rejected as why:
                rejects.append(Reject(number, why.code, why.reason, raw))
                continue
            readable.append((line, raw))
            requests.append(self._planner.request(line))
        for (line, raw), outcome in zip(readable, self._handler.handle_all(requests), strict=True):
            if not outcome.accepted:
                rejects.append(Reject(line.number, outcome.code, outcome.sentence, raw))
            else:
                self._count(line, outcome)
        rejects.sort(key=lambda reject: reject.line)
        self.taken.rejected += len(rejects)
        self.taken.by_reason.update(reject.code for reject in rejects)
        return rejects

    def _count(self, line: ShopLine, outcome: Outcome) -> None:
        taken, above = self.taken, self._latest
        self._latest = max(above, line.at)
        if outcome.repeated or (line.type in NOTHING_NEW and not outcome.events):
            taken.duplicates += 1
            return
        taken.accepted += 1
        taken.by_type[line.type] += 1
        match line.body:
            case OrderRecord(lines=items) if any(item.total is None and item.unit_price is None for item in items):
                taken.unpriced += self._placed(line.body.order).unpriced
            case RefundLine():
                above = max(above, self._placed(line.body.order).at)
        taken.late += line.at < above

    def _placed(self, order: str) -> OrderPlaced:
        events, _ = self._log.read(stream_id(order_decider.name, order))
        return next(event for event in events if isinstance(event, OrderPlaced))


def batches(lines: Iterable[Numbered]) -> Iterator[list[Numbered]]:
    """Numbered lines by the :data:`TOGETHER` of the file that they stand in.

    Raises :class:`Damaged` after all that was read before the damage.
    """
    batch: list[Numbered] = []
    damaged: Damaged | None = None
    try:
        for numbered in lines:
            if batch and numbered[0] // TOGETHER != batch[0][0] // TOGETHER:
                yield batch
                batch = []
            batch.append(numbered)
    except Damaged as fault:
        damaged = fault
    if batch:
        yield batch
    if damaged:
        raise damaged
