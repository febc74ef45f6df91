"""Blocking calls beside an event loop: on one daemon thread, in order."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeAlias, TypeVar

A = TypeVar("A")

Task: TypeAlias = tuple[asyncio.AbstractEventLoop, "asyncio.Future[Any]", Callable[[], object]]


class BackgroundThread:
    """Runs calls in order on one thread. It does not keep the program alive: a call to a dead broker can take ten seconds."""

    def __init__(self, name: str) -> None:
        self._tasks: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        threading.Thread(target=self._run, name=name, daemon=True).start()

    async def run(self, call: Callable[[], A]) -> A:
        """Run a blocking call on the thread, and return what it returns or raise what it raises."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[A] = loop.create_future()
        self._tasks.put((loop, future, call))
        return await future

    def end(self) -> None:
        """End the thread after the calls that are queued."""
        self._tasks.put(None)

    def _run(self) -> None:
        while (task := self._tasks.get()) is not None:
            loop, future, call = task
            if future.cancelled():
                continue
            answer: object = None
            error: BaseException | None = None
            try:
                answer = call()
            except BaseException as fault:  # noqa: BLE001 - the caller handles it
                error = fault
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(set_outcome, future, answer, error)


def set_outcome(future: asyncio.Future[Any], answer: object, error: BaseException | None) -> None:
    if future.done():
        return  # the caller was cancelled
    if error is None:
        future.set_result(answer)
    else:
        future.set_exception(error)
