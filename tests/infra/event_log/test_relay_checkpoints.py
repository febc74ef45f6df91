from __future__ import annotations

import time
from dataclasses import replace

import pytest

from infra.event_log.log import EventLog
from infra.event_log.types import RelayCheckpoint

FIRST = RelayCheckpoint("topic-1", 10, (4, 6))
LATER = RelayCheckpoint("topic-1", 25, (10, 15))
HOUR = 3600.0


def test_nothing_is_relayed_at_first(log: EventLog) -> None:
    assert log.relayed() == {}


def test_one_at_a_time_holds_the_lease_and_may_renew_it(log: EventLog) -> None:
    assert log.take_lease("one", HOUR)
    assert log.take_lease("one", HOUR)
    assert not log.take_lease("two", HOUR)
    log.release_lease("two")
    assert not log.take_lease("two", HOUR), "what is another's cannot be given back"
    log.release_lease("one")
    assert log.take_lease("two", HOUR)


def test_a_lease_that_has_run_out_is_anybodys(log: EventLog) -> None:
    assert log.take_lease("one", 0.01)
    time.sleep(0.02)
    assert not log.advance("one", "events", None, FIRST)
    assert log.take_lease("two", HOUR)
    assert not log.take_lease("one", HOUR)


def test_a_topic_moves_on_from_what_it_was(log: EventLog) -> None:
    log.take_lease("one", HOUR)
    assert log.advance("one", "events", None, FIRST)
    assert not log.advance("one", "events", None, FIRST), "it is there already"
    assert log.relayed() == {"events": FIRST}
    assert log.advance("one", "events", FIRST, LATER)
    assert not log.advance("one", "events", FIRST, LATER), "it was moved already"
    assert log.advance("one", "behaviour", None, FIRST)
    assert log.relayed() == {"events": LATER, "behaviour": FIRST}


@pytest.mark.parametrize("believed", [replace(FIRST, topic_id="x"), replace(FIRST, position=9), replace(FIRST, ends=(5, 5))])
def test_who_believes_otherwise_moves_nothing(log: EventLog, believed: RelayCheckpoint) -> None:
    log.take_lease("one", HOUR)
    log.advance("one", "events", None, FIRST)
    assert not log.advance("one", "events", believed, LATER)
    assert log.relayed() == {"events": FIRST}


def test_only_who_holds_the_lease_moves_anything(log: EventLog) -> None:
    assert not log.advance("one", "events", None, FIRST)
    log.take_lease("one", HOUR)
    assert not log.advance("two", "events", None, FIRST)
    assert log.advance("one", "events", None, FIRST)
    assert not log.advance("two", "events", FIRST, LATER)
    log.release_lease("one")
    assert not log.advance("one", "events", FIRST, LATER)


def test_a_topic_never_goes_back_unless_it_was_made_anew(log: EventLog) -> None:
    log.take_lease("one", HOUR)
    log.advance("one", "events", None, LATER)
    assert not log.advance("one", "events", LATER, FIRST)
    assert log.advance("one", "events", LATER, LATER), "standing still is no way back"
    anew = RelayCheckpoint("topic-2", 0, (0, 0))
    assert log.advance("one", "events", LATER, anew)
    assert log.relayed() == {"events": anew}
