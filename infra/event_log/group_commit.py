"""Commit many callers' requests in one transaction.

A commit waits for the disk, so requests that arrive meanwhile share the next one. Each caller gets its own result or error.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Generic, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")

GROUP = 64


class GroupCommit(Generic[Q, A]):
    """Call ``answer`` with up to 64 requests. It returns a result or an exception for each, in order."""

    def __init__(self, answer: Callable[[Sequence[Q]], Sequence[A | Exception]]) -> None:
        self._answer = answer
        self._asked: queue.SimpleQueue[tuple[Q, Future[A]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="group-commit", daemon=True)
        self._thread.start()

    def ask(self, request: Q) -> Future[A]:
        """Queue a request."""
        future: Future[A] = Future()
        self._asked.put((request, future))
        return future

    def close(self) -> None:
        """Answer what is queued, then end."""
        self._asked.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (first := self._asked.get()) is not None:
            group = [first]
            last = False
            while len(group) < GROUP and not self._asked.empty():
                more = self._asked.get()
                if more is None:
                    last = True
                    break
                group.append(more)
            self._settle(group)
            if last:
                return

    def _settle(self, group: Sequence[tuple[Q, Future[A]]]) -> None:
        try:
            answers: Sequence[A | Exception] = self._answer([request for request, _ in group])
        except Exception as fault:  # noqa: BLE001 - every caller of this group must get the error
            answers = [fault] * len(group)
        for (_, future), answer in zip(group, answers, strict=True):
            if not future.set_running_or_notify_cancel():
                continue  # the caller has given up; the request was handled nevertheless
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)
