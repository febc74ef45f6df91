"""What blocks, done beside an event loop: on one thread of its own, in order. It never keeps the program from ending."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeAlias, TypeVar

A = TypeVar("A")

Asked: TypeAlias = tuple[asyncio.AbstractEventLoop, "asyncio.Future[Any]", Callable[[], object]]


class Aside:
    """A broker that does not answer can hold a call for ten seconds; whoever stops does not wait for it."""

    def __init__(self, name: str) -> None:
        self._asked: queue.SimpleQueue[Asked | None] = queue.SimpleQueue()
        threading.Thread(target=self._run, name=name, daemon=True).start()

    async def do(self, ask: Callable[[], A]) -> A:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[A] = loop.create_future()
        self._asked.put((loop, future, ask))
        return await future

    def end(self) -> None:
        """After what was asked."""
        self._asked.put(None)

    def _run(self) -> None:
        while (asked := self._asked.get()) is not None:
            loop, future, ask = asked
            if future.cancelled():
                continue
            answer: object = None
            failure: BaseException | None = None
            try:
                answer = ask()
            except BaseException as fault:  # noqa: BLE001 - it is the asker's
                failure = fault
            with suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(settle, future, answer, failure)


def settle(future: asyncio.Future[Any], answer: object, failure: BaseException | None) -> None:
    if future.done():
        return  # nobody waits any more
    if failure is None:
        future.set_result(answer)
    else:
        future.set_exception(failure)
