"""A coroutine begun without a task of its own: many are done at their first step; what is left of others goes on anywhere.

A task costs more than most of what Faust has done by one for each message.
"""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from typing import Any


class Rest:
    """What is left of a coroutine that waits for something; to be awaited once."""

    def __init__(self, coroutine: Coroutine[Any, Any, object], awaited: Any) -> None:
        self._coroutine = coroutine
        self._awaited = awaited

    def __await__(self) -> Generator[Any, Any, object]:
        awaited = self._awaited
        try:
            while True:
                try:
                    answer = yield awaited
                except BaseException as fault:  # noqa: BLE001 - it is the coroutine's, a cancellation too
                    awaited = self._coroutine.throw(fault)
                else:
                    awaited = self._coroutine.send(answer)
        except StopIteration as end:
            return end.value


def begin(coroutine: Coroutine[Any, Any, object]) -> Rest | None:
    """Do as much of it as there is nothing to wait for; None if that was all. Raises what it raises."""
    try:
        return Rest(coroutine, coroutine.send(None))
    except StopIteration:
        return None
