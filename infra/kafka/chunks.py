"""Chunks for Faust: each message it sees is many records of one partition, acknowledged together.

Stock Faust spends most of its time on four tasks for each message; a chunk costs as much as one message. The committed offset
is the end of the longest run of acknowledged chunks. Reading begins where the effects are (``resume``), not where the group
committed.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Collection, Coroutine, Generator, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import faust
from faust.transport.drivers import aiokafka as driver
from faust.transport.utils import DefaultSchedulingStrategy
from faust.types import TP
from mode.services import WaitResults

Resume: TypeAlias = Callable[[Collection[TP]], Awaitable[Mapping[TP, int]]]
"""Return the offsets to read from. A partition that is left out is read from where the group committed."""


class Chunk:
    """Several records that look like one to Faust. ``offset``: of the last one. ``value``: all of them."""

    __slots__ = ("first", "offset", "partition", "timestamp", "topic", "value")
    headers = key = checksum = None
    timestamp_type = serialized_key_size = serialized_value_size = 0

    def __init__(self, records: Sequence[Any]) -> None:
        last = records[-1]
        self.topic, self.partition, self.first, self.offset = last.topic, last.partition, records[0].offset, last.offset
        self.timestamp = last.timestamp
        self.value = records


class ChunkSchema(faust.Schema[Any, Any]):
    """Passes records on without decoding them."""

    def compile(self, app: Any, **_: Any) -> Any:
        async def decode(message: Any, **_: Any) -> Any:
            return app.create_event(None, message.value, None, message)

        return decode


class ChunkConsumer(driver.Consumer):
    """Delivers the transport's ``topics`` in chunks. They have no gaps: nothing compacts them, nobody uses transactions."""

    transport: ChunkTransport

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._delivered: defaultdict[TP, deque[int]] = defaultdict(deque)  # last offsets of chunks not yet committed
        self._rewound: dict[TP, int] = {}
        super().__init__(*args, **kwargs)

    async def rewind(self, partition: TP, offset: int) -> None:
        """Deliver a partition again from ``offset``. Chunks already under way come first, and must not be acknowledged."""
        self._rewound[partition] = offset
        await self._thread.seek_wait({partition: offset})

    async def wait_first(self, *awaited: Any, timeout: Any = None) -> Any:
        """Avoid Faust's four tasks for each message: handing it over rarely has to wait."""
        if len(awaited) == 1:  # waiting for its flow to resume, not for a message
            return await super().wait_first(*awaited, timeout=timeout)
        handing_over, suspended = awaited
        rest = None
        try:
            if rest := start_eagerly(handing_over):
                return await super().wait_first(rest, suspended, timeout=timeout)
        finally:
            if rest is None:
                suspended.close()
        return WaitResults([], [], stopped=False)

    async def sleep(self, n: Any) -> None:
        """Yield to the event loop after a fetch without the task that Faust creates and cancels."""
        await (super().sleep(n) if n else asyncio.sleep(0))

    async def seek_to_committed(self) -> Mapping[TP, int]:
        committed = dict(await super().seek_to_committed())
        ours = [partition for partition in self.assignment() if partition.topic in self.transport.topics]
        resumed = dict(await self.transport.resume(ours))
        if resumed:
            await self._thread.seek_wait(resumed)
        return {**committed, **resumed}

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        for partition in revoked:
            self._delivered.pop(partition, None)
            self._rewound.pop(partition, None)
        await super().on_partitions_revoked(revoked)

    def on_buffer_full(self, tp: TP) -> None:
        """Do nothing: stock Faust pauses for a second, but a queue of chunks is short, so the reader just waits."""
        if tp.topic not in self.transport.topics:
            super().on_buffer_full(tp)

    def _to_message(self, tp: TP, record: Any) -> Any:
        if isinstance(record, Chunk):
            if record.first <= self._rewound.get(tp, -1):
                del self._rewound[tp]
                self._read_offset[tp] = record.first
            if (read := self._read_offset[tp]) is None or record.offset >= read:
                self._deliver(tp, record)
        return super()._to_message(tp, record)

    def _deliver(self, partition: TP, chunk: Chunk) -> None:
        """Record a chunk. If it overlaps chunks that were delivered before, it replaces them."""
        delivered = self._delivered[partition]
        while delivered and delivered[-1] >= chunk.first:
            self._acked_index[partition].discard(delivered.pop())
        self._acked[partition] = sorted(self._acked_index[partition])
        self._committed_offset[partition] = None  # otherwise a committed offset could not be acknowledged again
        delivered.append(chunk.offset)

    async def _commit_offsets(self, offsets: Mapping[TP, int], start_new_transaction: bool = True) -> bool:
        """Commit, and forget the committed offset, since a rewind may have come meanwhile."""
        done = await super()._commit_offsets(offsets, start_new_transaction)
        for partition in offsets:
            if partition.topic in self.transport.topics:
                self._committed_offset[partition] = None
        return bool(done)

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        if tp.topic not in self.transport.topics:
            await super()._add_gap(tp, offset_from, offset_to)

    def _new_offset(self, tp: TP) -> int | None:
        """Return the offset after the longest run of acknowledged chunks, None if the first chunk is not acknowledged."""
        if tp.topic not in self.transport.topics:
            return super()._new_offset(tp)
        delivered, acked, reached = self._delivered[tp], self._acked_index[tp], None
        while delivered and delivered[0] in acked:
            reached = delivered.popleft()
            acked.discard(reached)
        if reached is None:
            return None
        self._acked[tp] = sorted(acked)
        return reached + 1


class ChunkTransport(driver.Transport):
    Consumer = ChunkConsumer
    topics: frozenset[str] = frozenset()
    resume: Resume


def deliver_in_chunks(app: faust.App, topics: Collection[str], size: int, resume: Resume) -> None:
    """Make an app's consumer deliver these topics in chunks of up to ``size`` records."""
    wanted = frozenset(topics)

    class ChunkScheduler(DefaultSchedulingStrategy):
        def iterate(self, records: Mapping[TP, list[Any]]) -> Iterator[tuple[TP, Any]]:
            cut = {
                partition: list(chunks(some, size)) if partition.topic in wanted else some
                for partition, some in records.items()
            }
            return super().iterate(cut)

    def transport() -> ChunkTransport:
        made = ChunkTransport(app.conf.broker_consumer, app, loop=app._loop)  # app.loop would create one now
        made.topics, made.resume = wanted, resume
        return made

    app.conf.ConsumerScheduler = ChunkScheduler  # type: ignore[assignment]
    app._new_transport = transport  # type: ignore[method-assign]


def chunks(records: Sequence[Any], size: int) -> Iterator[Chunk]:
    return (Chunk(records[at : at + size]) for at in range(0, len(records), size))


class Continuation:
    """The rest of a coroutine that has begun and waits for something. Await it once.

    Running the first step without a task is cheaper: many coroutines are done after it.
    """

    def __init__(self, coroutine: Coroutine[Any, Any, object], awaited: Any) -> None:
        self._coroutine = coroutine
        self._awaited = awaited

    def __await__(self) -> Generator[Any, Any, object]:
        awaited = self._awaited
        try:
            while True:
                try:
                    answer = yield awaited
                except BaseException as fault:  # noqa: BLE001 - the coroutine handles it, a cancellation too
                    awaited = self._coroutine.throw(fault)
                else:
                    awaited = self._coroutine.send(answer)
        except StopIteration as end:
            return end.value


def start_eagerly(coroutine: Coroutine[Any, Any, object]) -> Continuation | None:
    """Run a coroutine until it has to wait, and return the rest; None if it is done. Raises what it raises."""
    try:
        return Continuation(coroutine, coroutine.send(None))
    except StopIteration:
        return None
