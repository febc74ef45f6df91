"""How far a process is behind, and for how long without a move, by a clock that the test holds."""

from __future__ import annotations

from infra.telemetry.metrics import PartitionProgress, RelayMetrics
from infra.telemetry.probes import Heartbeat

A, B = ("t", 0), ("t", 1)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_lag_is_what_is_there_and_not_applied() -> None:
    progress = PartitionProgress()
    progress.assign([A, B])
    progress.reached(A, 10, position=70)
    progress.ends({A: 25, B: 5, ("other", 0): 9})
    assert {place: one.lag for place, one in progress.statuses().items()} == {A: 15, B: None}
    assert progress.statuses()[A].position == 70


def test_what_was_given_away_is_not_told_any_more_and_late_news_of_it_is_no_matter() -> None:
    progress = PartitionProgress()
    progress.assign([A, B])
    progress.assign([B])
    progress.reached(A, 10)
    assert set(progress.statuses()) == {B}


def test_standing_by_is_to_be_assigned_nothing() -> None:
    progress = PartitionProgress()
    assert not progress.assigned
    progress.assign([])
    assert progress.assigned


def test_time_without_a_move_counts_only_while_there_is_more() -> None:
    clock = Clock()
    progress = PartitionProgress(clock)
    progress.assign([A])
    progress.reached(A, 10)
    progress.ends({A: 10})
    clock.now += 500  # idle for long
    progress.ends({A: 10})
    assert progress.waiting() == {A: 0}
    progress.ends({A: 12})
    clock.now += 7
    progress.ends({A: 13})
    assert progress.waiting() == {A: 7}
    progress.reached(A, 12)
    assert progress.waiting() == {A: 0}


def test_reading_the_same_again_and_again_is_no_progress() -> None:
    clock = Clock()
    progress = PartitionProgress(clock)
    progress.assign([A])
    progress.reached(A, 10)
    progress.ends({A: 20})
    clock.now += 9
    progress.set_back(A, 4)
    assert progress.waiting() == {A: 9}
    assert progress.statuses()[A].lag == 16


def test_a_server_that_is_silent_for_too_long_is_an_ailment() -> None:
    clock = Clock()
    heard = Heartbeat("Redis", clock)
    assert not heard.up
    heard.record()
    clock.now += 30
    heard.record_failure()
    assert not heard.up
    assert heard.health_problems(30) == []
    clock.now += 1
    assert heard.health_problems(30) == ["Redis has been silent for 31 s."]


def test_a_relay_is_ill_only_if_it_leads_and_does_not_move_though_there_is_more() -> None:
    clock = Clock()
    metrics = RelayMetrics(clock)
    assert metrics.not_ready_reasons() == ["The log has not answered."]
    metrics.set_leader(False)
    metrics.grown(10)
    clock.now += 100
    assert metrics.health_problems(30) == metrics.not_ready_reasons() == []
    metrics.set_leader(True)
    assert metrics.not_ready_reasons() == ["Kafka has not answered."]
    metrics.session_began()
    clock.now += 31
    assert metrics.health_problems(30) == ["Nothing was published for 31 s although there is more."]
    metrics.reached(10)
    clock.now += 31
    metrics.grown(10)
    assert metrics.health_problems(30) == metrics.not_ready_reasons() == []
