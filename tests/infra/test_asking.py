"""Asking side by side: one exchange for all, each with its own outcome."""

from __future__ import annotations

import pytest

from infra.redis.asking import Answer, Ask, Asking, answered, together


class Library:
    """``asks``: how often it was gone to, and for what."""

    def __init__(self) -> None:
        self.asks: list[tuple[str, ...]] = []

    def exchange(self, ask: Ask) -> Answer:
        self.asks.append(ask.documents)
        if "burning" in ask.documents:
            raise ConnectionError("the library burns")
        return Answer({name: name.upper() for name in ask.documents})


def reading(*names: str) -> Asking[list[str]]:
    """One after the other."""
    read = []
    for name in names:
        answer = yield Ask(documents=(name,))
        read.append(answer.read[name])
    return read


def failing_after(name: str) -> Asking[list[str]]:
    yield Ask(documents=(name,))
    raise ValueError(name)


@pytest.fixture
def library() -> Library:
    return Library()


def test_what_several_ask_at_the_same_time_is_one_exchange(library: Library) -> None:
    outcomes = answered(together([reading("a", "b"), reading(), reading("c"), reading("d", "e", "f")]), library.exchange)
    assert outcomes == [["A", "B"], [], ["C"], ["D", "E", "F"]]
    assert library.asks == [("a", "c", "d"), ("b", "e"), ("f",)]


def test_one_that_fails_is_none_of_the_others_business(library: Library) -> None:
    first, failed, last = answered(together([reading("a", "b"), failing_after("x"), reading("c")]), library.exchange)
    assert (first, last) == (["A", "B"], ["C"])
    assert isinstance(failed, ValueError)


def test_a_failed_exchange_is_heard_of_by_each_that_waits_for_it(library: Library) -> None:
    def mending() -> Asking[str]:
        try:
            yield Ask(documents=("burning",))
        except ConnectionError:
            return "mended"
        return "never"

    outcomes = answered(together([reading("a", "b"), reading(), mending()]), library.exchange)
    assert isinstance(outcomes[0], ConnectionError)
    assert outcomes[1:] == [[], "mended"]


def test_alone_it_hears_of_the_failure_and_lets_it_through(library: Library) -> None:
    with pytest.raises(ConnectionError, match="burns"):
        answered(reading("a", "burning"), library.exchange)
    assert answered(reading("a", "b"), library.exchange) == ["A", "B"]
