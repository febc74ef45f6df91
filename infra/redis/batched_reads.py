"""Reads documents for many coroutines at once: what is asked while a read is on its way goes together in the next.

redis-py makes the connection (password, TLS, database); then its transport is ours, since its reading costs more processor time
than all else in a question.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, TypeAlias, cast

import hiredis
import redis.asyncio
from redis.exceptions import RedisError

from infra.errors import Unreachable

Values: TypeAlias = list[bytes | None]
Waiting: TypeAlias = list[tuple[Sequence[str], "asyncio.Future[Values]"]]

ANSWER_TIMEOUT = 5.0
"""Seconds that Redis may take to answer before its connection is given up."""


class BatchedReads:
    """Made within the loop that uses it. ``client`` says where Redis is."""

    def __init__(self, client: redis.asyncio.Redis) -> None:
        self._pool = client.connection_pool
        self._loop = asyncio.get_running_loop()
        self._connection: _Connection | None = None
        self._asked: Waiting = []
        self._turn: asyncio.Task[None] | None = None

    def get(self, keys: Sequence[str]) -> asyncio.Future[Values]:
        """Return the value of each key, None for a key without one. Fails with :class:`Unreachable`."""
        future: asyncio.Future[Values] = self._loop.create_future()
        if not self._asked and not (self._connection and self._connection.busy):
            self._loop.call_soon(self._flush)
        self._asked.append((keys, future))
        return future

    async def close(self) -> None:
        if self._connection:
            self._connection.close()

    def _flush(self) -> None:
        if self._connection and self._connection.open:
            if not self._connection.busy and self._asked:
                asked, self._asked = self._asked, []
                self._connection.read(asked)
        elif self._turn is None or self._turn.done():
            self._turn = self._loop.create_task(self._connect())

    async def _connect(self) -> None:
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT):
                made: Any = self._pool.make_connection()  # type: ignore[no-untyped-call]
                await made.connect()
        except (RedisError, OSError, TimeoutError) as fault:
            asked, self._asked = self._asked, []
            _fail(asked, Unreachable(f"Redis does not answer ({str(fault) or 'it took too long'})."))
            return
        self._connection = _Connection(made, self._flush)
        self._flush()


class _Connection(asyncio.Protocol):
    """A connection that has said who it is; one read is on its way at a time."""

    def __init__(self, made: Any, free: Any) -> None:
        self._made = made  # keeps the writer, whose end would close the transport
        self._free = free
        self._reader = hiredis.Reader()
        self._waiting: Waiting = []
        self._late: asyncio.TimerHandle | None = None
        self._transport = cast(asyncio.Transport, made._writer.transport)  # redis-py offers no other way to it
        self._transport.set_protocol(self)
        if not self._transport.is_reading():
            self._transport.resume_reading()
        self.open = not self._transport.is_closing()

    @property
    def busy(self) -> bool:
        return bool(self._waiting)

    def read(self, asked: Waiting) -> None:
        self._waiting = asked
        keys: Any = asked[0][0] if len(asked) == 1 else [key for some, _ in asked for key in some]
        self._transport.write(hiredis.pack_command(("MGET", *keys)))
        if self._late is None:
            self._late = asyncio.get_running_loop().call_later(ANSWER_TIMEOUT, self._check, asked)

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        while (found := self._reader.gets()) is not False:
            if isinstance(found, hiredis.PushNotification):
                continue
            asked, self._waiting = self._waiting, []
            if isinstance(found, Exception):
                _fail(asked, Unreachable(f"Redis does not answer ({found})."))
            else:
                _settle(asked, found)
            self._free()

    def connection_lost(self, exc: Exception | None) -> None:
        self.open = False
        asked, self._waiting = self._waiting, []
        _fail(asked, Unreachable(f"Redis does not answer ({exc or 'it closed the connection'})."))
        self._free()

    def close(self) -> None:
        self.open = False
        if self._late:
            self._late.cancel()
        with suppress(RuntimeError):  # the loop has ended
            self._transport.close()

    def _check(self, then: Waiting) -> None:
        """Give the connection up if a read of that time is still waiting; else look again if there is one."""
        self._late = None
        if self._waiting is then and then:
            self._transport.abort()
        elif self._waiting:
            self._late = asyncio.get_running_loop().call_later(ANSWER_TIMEOUT, self._check, self._waiting)


def _settle(asked: Waiting, found: Values) -> None:
    if len(asked) == 1:
        if not asked[0][1].done():
            asked[0][1].set_result(found)
        return
    first = 0
    for keys, future in asked:
        if not future.done():
            future.set_result(found[first : first + len(keys)])
        first += len(keys)


def _fail(asked: Waiting, fault: Exception) -> None:
    for _, future in asked:
        if not future.done():
            future.set_exception(fault)
