"""Reads documents for many coroutines at once: what is asked while a read is on its way goes together in the next.

redis-py makes the connection (password, TLS, database); then its transport is ours, since its reading costs more processor time
than all else in a question. It offers no public way to the transport: where a version of it has none, redis-py reads.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Protocol, TypeAlias

import hiredis
import redis.asyncio
from redis.exceptions import RedisError

from infra.errors import Unreachable

Values: TypeAlias = list[bytes | None]
Waiting: TypeAlias = list[tuple[Sequence[str], "asyncio.Future[Values]"]]

LOG = logging.getLogger("regulars.redis")

ANSWER_TIMEOUT = 5.0
"""Seconds that Redis may take to answer before its connection is given up."""


class BatchedReads:
    """Made within the loop that uses it. ``client`` says where Redis is."""

    def __init__(self, client: redis.asyncio.Redis) -> None:
        self._client = client
        self._pool = client.connection_pool
        self._loop = asyncio.get_running_loop()
        self._connection: _Reading | None = None
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
            await self._connection.close()

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
        if self._connection:
            await self._connection.close()
        if (transport := transport_of(made)) is None:
            await made.disconnect()
            LOG.warning("redis-py %s does not show its transport: questions cost more processor time", redis.__version__)
            self._connection = _ByClient(self._client, self._flush)
        else:
            self._connection = _Connection(made, transport, self._flush)
        self._flush()


def transport_of(connection: Any) -> asyncio.Transport | None:
    """Return the transport of a connection of redis-py, None if this version keeps it elsewhere."""
    found = getattr(getattr(connection, "_writer", None), "transport", None)
    fits = all(hasattr(found, name) for name in ("set_protocol", "is_reading", "write", "abort"))
    return found if fits else None


class _Reading(Protocol):
    """Reads for all who wait, one read at a time."""

    open: bool

    @property
    def busy(self) -> bool: ...

    def read(self, asked: Waiting) -> None: ...

    async def close(self) -> None: ...


class _ByClient:
    """Reads by redis-py's own client, in the same turns."""

    def __init__(self, client: redis.asyncio.Redis, free: Callable[[], None]) -> None:
        self._client = client
        self._free = free
        self._task: asyncio.Task[None] | None = None
        self.open = True

    @property
    def busy(self) -> bool:
        return self._task is not None

    def read(self, asked: Waiting) -> None:
        self._task = asyncio.get_running_loop().create_task(self._read(asked))

    async def _read(self, asked: Waiting) -> None:
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT):
                found: Any = await self._client.mget([key for some, _ in asked for key in some])
                _settle(asked, found)
        except (RedisError, OSError, TimeoutError) as fault:
            _fail(asked, Unreachable(f"Redis does not answer ({str(fault) or 'it took too long'})."))
        self._task = None
        self._free()

    async def close(self) -> None:
        self.open = False
        if self._task:
            self._task.cancel()


class _Connection(asyncio.Protocol):
    """A connection that has said who it is; one read is on its way at a time."""

    def __init__(self, made: Any, transport: asyncio.Transport, free: Callable[[], None]) -> None:
        self._made = made  # keeps the writer, whose end would close the transport
        self._free = free
        self._reader = hiredis.Reader()
        self._waiting: Waiting = []
        self._late: asyncio.TimerHandle | None = None
        self._transport = transport
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

    async def close(self) -> None:
        self.open = False
        if self._late:
            self._late.cancel()
        self._transport.close()
        with suppress(RedisError, OSError):
            await self._made.disconnect(nowait=True)

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
