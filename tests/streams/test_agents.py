from __future__ import annotations

import time

from faust.types import TP

from streams.kafka.worker.agents import Unmonitored


def test_faust_is_told_when_a_partition_was_last_read_or_it_says_that_the_worker_has_stopped() -> None:
    monitor, place, before = Unmonitored(), TP("regulars.events", 3), time.monotonic()
    monitor.on_stream_event_in(place, 17, None, None)
    assert list(monitor.stream_inbound_time) == [place]
    assert before <= monitor.stream_inbound_time[place] <= time.monotonic()
