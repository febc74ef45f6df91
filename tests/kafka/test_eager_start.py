"""A coroutine that was begun is gone on with as if it had been awaited from the start."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from infra.kafka.chunks import Continuation, start_eagerly


def whole(coroutine: Coroutine[Any, Any, object]) -> object:
    """What it returns, begun here and gone on with by another task."""

    async def run() -> object:
        async def rest(left: Continuation) -> object:
            return await left

        left = start_eagerly(coroutine)
        return await asyncio.create_task(rest(left)) if left else None

    return asyncio.run(run())


def test_what_has_nothing_to_wait_for_is_done_at_once() -> None:
    done: list[int] = []

    async def act() -> None:
        done.append(1)

    assert start_eagerly(act()) is None
    assert done == [1]


def test_what_it_raises_at_its_first_step_is_raised() -> None:
    async def act() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        start_eagerly(act())


def test_what_waits_for_several_things_gets_all_of_them() -> None:
    async def act() -> list[object]:
        loop = asyncio.get_running_loop()
        later: asyncio.Future[str] = loop.create_future()
        loop.call_later(0.01, later.set_result, "a future's result")
        await asyncio.sleep(0)
        return [await later, await asyncio.wait_for(asyncio.sleep(0.01, "a task's"), 5)]

    assert whole(act()) == ["a future's result", "a task's"]


def test_a_failure_of_what_it_waits_for_is_its_own_to_catch() -> None:
    async def act() -> str:
        failing: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        failing.set_exception(OSError("gone"))
        await asyncio.sleep(0)
        try:
            await failing
        except OSError as fault:
            return str(fault)
        return "nothing failed"

    assert whole(act()) == "gone"


def test_a_failure_of_its_own_reaches_whoever_goes_on_with_it() -> None:
    async def act() -> None:
        await asyncio.sleep(0)
        raise ValueError("late")

    with pytest.raises(ValueError, match="late"):
        whole(act())


def test_whoever_is_cancelled_while_going_on_cancels_it() -> None:
    heard: list[str] = []

    async def act() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            heard.append("cancelled")
            raise

    async def run() -> None:
        async def rest(left: Continuation) -> None:
            await left

        left = start_eagerly(act())
        assert left
        task = asyncio.create_task(rest(left))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()

    asyncio.run(run())
    assert heard == ["cancelled"]
