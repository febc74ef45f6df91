from __future__ import annotations

import threading

from infra.event_log.log import EventLog
from tests.infra.ticks import Place, tick, ticking


def positions(log: EventLog, behind: int, until: int) -> list[int]:
    """Positions as a subscriber sees them, up to one."""
    subscription = log.subscribe(behind)
    guard = threading.Timer(600, subscription.stop)
    guard.start()
    seen: list[int] = []
    for chunk in subscription:
        seen += [row.position for row in chunk]
        if seen[-1] >= until:
            subscription.stop()
    guard.cancel()
    return seen


def test_a_subscriber_sees_the_rows_of_other_processes_in_order_and_misses_none(log: EventLog, place: Place) -> None:
    others = [ticking(place, product, appends=60, times=5) for product in ("a", "b", "c", "c")]
    assert positions(log, behind=0, until=1200) == list(range(1, 1201))
    assert [other.wait(600) for other in others] == [0] * 4


def test_a_subscriber_sees_what_its_own_process_writes_while_it_waits(log: EventLog) -> None:
    later = threading.Timer(0.05, tick, (log, "a", 3))
    later.start()
    assert positions(log, behind=0, until=3) == [1, 2, 3]
    later.join()


def test_a_subscriber_sees_nothing_of_what_lies_before_its_position(log: EventLog) -> None:
    tick(log, "a", 1500)
    assert positions(log, behind=400, until=1500) == list(range(401, 1501))


def test_many_subscribers_can_be_stopped_by_one_event(log: EventLog) -> None:
    stopped = threading.Event()
    waiting = [threading.Thread(target=list, args=(log.subscribe(0, stopped, poll=60),)) for _ in range(3)]
    for thread in waiting:
        thread.start()
    stopped.set()
    for thread in waiting:
        thread.join(5)
    assert not any(thread.is_alive() for thread in waiting), "none waits for its next look"
    assert list(log.subscribe(0, stopped)) == []


def test_a_subscriber_that_waits_can_be_stopped(log: EventLog) -> None:
    subscription = log.subscribe(0)
    waiting = threading.Thread(target=list, args=(subscription,))
    waiting.start()
    subscription.stop()
    waiting.join(5)
    assert not waiting.is_alive()


def test_whoever_has_read_on_by_other_means_moves_a_subscription_of_rows_on(log: EventLog) -> None:
    tick(log, "a", 5)
    subscription = log.subscribe_rows(0, threading.Event())
    chunks = iter(subscription)
    assert next(chunks) == log.since(0, 5)
    tick(log, "a", 4)
    subscription.position = 7
    assert next(chunks) == log.since(7, 2)
    subscription.stop()
    assert next(chunks, None) is None
