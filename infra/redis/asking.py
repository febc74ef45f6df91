"""What a fold wants of Redis, asked for without going there: a generator yields an :class:`Ask`, and an answer is sent to it.

So folding stays free of any client, and what several ask for at the same time goes in one round trip for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias, TypeVar

from infra.redis.checkpoints import Checkpoint
from infra.redis.commit import CheckpointedWrite

T = TypeVar("T")

EMPTY: Mapping[Any, Any] = MappingProxyType({})


class Ask(NamedTuple):
    """Documents and whole maps to be read, by key; steps to be applied; checkpoints to be told of, by fold and source."""

    documents: tuple[str, ...] = ()
    maps: tuple[str, ...] = ()
    steps: tuple[CheckpointedWrite, ...] = ()
    checkpoints: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of_all(cls, asks: Iterable[Ask]) -> Ask:
        documents, maps, steps, checkpoints = zip(*asks, strict=True)
        return cls(*(tuple(one for some in part for one in some) for part in (documents, maps, steps, checkpoints)))


class Answer(NamedTuple):
    """``read``: documents as they are stored, None where there is none, and maps, by key.

    ``held``: by fold and source, where a checkpoint stood that was not where its step begins; empty if the step was made.
    ``stood``: where those stood that were asked for, before all was read and after it.
    """

    read: Mapping[str, Any] = EMPTY
    held: Mapping[tuple[str, str], str] = EMPTY
    stood: Mapping[tuple[str, str], tuple[Checkpoint, Checkpoint]] = EMPTY


Asking: TypeAlias = Generator[Ask, Answer, T]


def together(askings: Sequence[Asking[T]]) -> Asking[list[T | Exception]]:
    """Go on with all of them side by side; what one of them raises is its outcome, and the others' business is not.

    A fault of the exchange itself is raised in each that waits for it.
    """
    outcomes: dict[Asking[T], T | Exception] = {}

    def go_on(asking: Asking[T], act: Callable[[], Ask]) -> Ask | None:
        try:
            return act()
        except StopIteration as end:
            outcomes[asking] = end.value
        except Exception as fault:  # noqa: BLE001 - whoever asked for all of them hears of it
            outcomes[asking] = fault
        return None

    asks = {asking: ask for asking in askings if (ask := go_on(asking, asking.__next__))}
    while asks:
        try:
            answer = yield Ask.of_all(asks.values())
        except Exception as fault:  # noqa: BLE001
            acts = {asking: _throwing(asking, fault) for asking in asks}
        else:
            acts = {asking: _sending(asking, answer) for asking in asks}
        asks = {asking: ask for asking, act in acts.items() if (ask := go_on(asking, act))}
    return [outcomes[asking] for asking in askings]


def answered(asking: Asking[T], exchange: Callable[[Ask], Answer]) -> T:
    """Bring every answer until it is done."""
    act: Callable[[], Ask] = asking.__next__
    while True:
        try:
            ask = act()
        except StopIteration as end:
            outcome: T = end.value
            return outcome
        try:
            act = _sending(asking, exchange(ask))
        except Exception as fault:  # noqa: BLE001 - it cleans up, and lets it through
            act = _throwing(asking, fault)


def _sending(asking: Asking[T], answer: Answer) -> Callable[[], Ask]:
    return lambda: asking.send(answer)


def _throwing(asking: Asking[T], fault: Exception) -> Callable[[], Ask]:
    return lambda: asking.throw(fault)
