from __future__ import annotations

import pytest

from infra.event_log.log import EventLog
from infra.event_log.types import Shop


def schedule(log: EventLog, **instants: int | None) -> None:
    with log.append() as append:
        append.schedule(instants)


def test_what_is_due_is_found_by_its_instant_the_longest_due_first(log: EventLog) -> None:
    schedule(log, a=30, b=10, c=20, d=40)
    assert list(log.due_index.due(30, 10).items()) == [("b", 10), ("c", 20), ("a", 30)]
    assert list(log.due_index.due(30, 2)) == ["b", "c"]
    assert log.due_index.due(9, 10) == {}


def test_a_stream_has_one_instant_the_latest_told_or_none(log: EventLog) -> None:
    schedule(log, a=30, b=10)
    schedule(log, a=50, b=None, c=None)
    assert log.due_index.all() == {"a": 50}


def fail(log: EventLog) -> None:
    with log.append() as append:
        append.schedule({"a": 40})
        raise RuntimeError("the power is gone")


def test_an_append_that_fails_leaves_the_index_as_it_was(log: EventLog) -> None:
    schedule(log, a=30)
    with pytest.raises(RuntimeError, match="power"):
        fail(log)
    assert log.due_index.all() == {"a": 30}


def test_the_index_of_a_new_log_is_complete_that_of_one_with_events_is_not(log: EventLog) -> None:
    assert not log.due_index.is_complete
    log.shop(Shop("UTC", "USD"), chosen=False)
    assert log.due_index.is_complete
