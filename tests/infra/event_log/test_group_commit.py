from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future

import pytest

from infra.event_log.group_commit import GROUP, GroupCommit

DISASTER = 10**6


class Desk:
    """Doubles numbers and fails those below zero; while it is shut, whoever asks waits for the next group."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.open = threading.Event()

    def answer(self, numbers: Sequence[int]) -> list[int | Exception]:
        self.open.wait(10)
        self.groups.append(list(numbers))
        if DISASTER in numbers:
            raise OSError("the disk is full")
        return [2 * number if number >= 0 else ValueError(str(number)) for number in numbers]


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def group(desk: Desk) -> Iterator[GroupCommit[int, int]]:
    group = GroupCommit(desk.answer)
    yield group
    desk.open.set()
    group.close()


def ask_all(desk: Desk, group: GroupCommit[int, int], numbers: Sequence[int]) -> list[Future[int]]:
    """Ask while the desk is shut, then open it."""
    asked = [group.ask(number) for number in numbers]
    desk.open.set()
    return asked


def test_each_caller_gets_its_own_answer(desk: Desk, group: GroupCommit[int, int]) -> None:
    answers = ask_all(desk, group, range(200))
    assert [answer.result(5) for answer in answers] == [2 * number for number in range(200)]


def test_those_who_wait_share_a_group_of_bounded_size(desk: Desk, group: GroupCommit[int, int]) -> None:
    for answer in ask_all(desk, group, range(200)):
        answer.result(5)
    assert [number for numbers in desk.groups for number in numbers] == list(range(200)), "in the order they asked"
    assert max(map(len, desk.groups)) == GROUP
    assert len(desk.groups) <= 5


def test_one_bad_request_does_not_fail_the_others(desk: Desk, group: GroupCommit[int, int]) -> None:
    first, bad, last = ask_all(desk, group, (1, -2, 3))
    assert (first.result(5), last.result(5)) == (2, 6)
    with pytest.raises(ValueError, match="-2"):
        bad.result(5)


def test_a_group_that_cannot_be_written_fails_all_of_its_callers_and_no_later_one(
    desk: Desk, group: GroupCommit[int, int]
) -> None:
    first = group.ask(0)
    failed = ask_all(desk, group, (1, DISASTER))
    for answer in failed:
        with pytest.raises(OSError, match="disk is full"):
            answer.result(5)
    assert group.ask(4).result(5) == 8
    assert first.done()


def test_a_caller_that_gave_up_does_not_stop_the_others(desk: Desk, group: GroupCommit[int, int]) -> None:
    group.ask(0)
    gone, staying = group.ask(1), group.ask(2)
    gone.cancel()
    desk.open.set()
    assert staying.result(1) == 4


def test_closing_answers_what_was_asked(desk: Desk, group: GroupCommit[int, int]) -> None:
    answers = ask_all(desk, group, range(100))
    group.close()
    assert [answer.done() for answer in answers] == [True] * 100
    group.close()
