"""What a relay leaves in the topics: everything, in order, whatever happened on the way."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from infra.errors import Misconfigured, Unreadable
from infra.event_log.log import EventLog
from infra.event_log.types import RelayCheckpoint
from infra.kafka.settings import KafkaSettings
from infra.settings import Settings
from streams.kafka.relay import batches, session
from streams.kafka.relay.relay import Relay
from streams.running.app import open_log
from tests.kafka.conftest import SHOPPINGS
from tests.kafka.shelf import Shelf, append, eventually, running


def test_each_topic_gets_its_events_with_their_keys_in_the_logs_order(log: EventLog, shelf: Shelf) -> None:
    with running(shelf.relay(log)) as relaying:
        relaying.reaches(log.head())
    assert shelf.found() == shelf.expected(log)
    assert all(any(values for values in found.values()) for found in shelf.expected(log).values()), "no topic is idle here"
    assert log.relayed() == {
        name: RelayCheckpoint(identifier, log.head(), shelf.ends()[name]) for name, identifier in shelf.ids().items()
    }
    assert relaying.told[-1].position == relaying.told[-1].head == log.head()


def test_relaying_again_publishes_nothing_twice_and_what_comes_later_comes_behind(
    log: EventLog, settings: Settings, shelf: Shelf
) -> None:
    with running(shelf.relay(log)) as relaying:
        relaying.reaches(log.head())
    with running(shelf.relay(log)) as relaying:
        append(settings, SHOPPINGS + 40)
        relaying.reaches(log.head())
        append(settings, SHOPPINGS + 50)
        relaying.reaches(log.head())
    assert shelf.found() == shelf.expected(log)


def test_a_topic_that_is_deleted_under_a_running_relay_is_made_anew_and_filled_again(
    log: EventLog, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "WATCH", 0.2)
    first, _, last = (topic.name for topic in shelf.topics)
    with running(shelf.relay(log)) as relaying:
        relaying.reaches(log.head())
        before = shelf.ids()
        shelf.delete(first, last)
        eventually(lambda: {*shelf.ids()} == {*before} and shelf.ids()[first] != before[first])
        eventually(lambda: log.relayed()[first].topic_id != before[first] and log.relayed()[last].topic_id != before[last])
        relaying.reaches(log.head())
    assert shelf.found() == shelf.expected(log)


def test_a_topic_made_anew_while_events_come_holds_them_from_the_first_on(
    log: EventLog, settings: Settings, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its first records are from the midst of the log: they are removed and come again."""
    monkeypatch.setattr(session, "WATCH", 0.2)
    first = shelf.topics[0].name
    with running(shelf.relay(log)) as relaying:
        relaying.reaches(log.head())
    before = shelf.ids()
    appending = threading.Thread(target=append, args=(settings, 4 * SHOPPINGS))
    with running(shelf.relay(log)) as relaying:
        appending.start()
        eventually(lambda: log.relayed()[first].position > log.head() // 2)
        shelf.delete(first)
        appending.join()
        eventually(lambda: log.relayed()[first].topic_id != before[first])
        relaying.reaches(log.head())
    assert shelf.found() == shelf.expected(log)


def test_what_a_topic_has_lost_of_its_end_is_published_again(log: EventLog, settings: Settings, shelf: Shelf) -> None:
    """As after a broker's machine lost its power: the book says more than the topic holds."""
    with running(shelf.relay(log)) as relaying:
        relaying.reaches(log.head())
    before = log.relayed()
    append(settings, SHOPPINGS + 40)
    whole = shelf.expected(log)
    assert log.take_lease("test", 60)
    for name, entry in before.items():
        ends = tuple(len(whole[name][number]) for number in range(len(entry.ends)))
        assert log.advance("test", name, entry, RelayCheckpoint(entry.topic_id, log.head(), ends))
    log.release_lease("test")
    with running(shelf.relay(log)):
        eventually(lambda: shelf.ends() == {name: entry.ends for name, entry in log.relayed().items()})
    assert shelf.found() == whole


def test_a_topic_of_another_log_is_refused(log: EventLog, shelf: Shelf, tmp_path: Path) -> None:
    with running(shelf.relay(log)) as relaying:
        relaying.reaches(log.head())
    other = Settings(tmp_path / "other")
    other.home.mkdir()
    append(other, 30)
    with (
        open_log(other) as (others, _),
        pytest.raises(Misconfigured, match="holds records that this log does not"),
        running(shelf.relay(others)) as relaying,
    ):
        relaying.ended.wait()
    assert shelf.found() == shelf.expected(log)


@pytest.mark.parametrize("days", [-4000, -1, 1, 4000])
def test_a_relay_whose_clock_is_wrong_publishes_all_the_same_and_the_broker_dates_it(
    log: EventLog, shelf: Shelf, monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    now = time.time()
    with monkeypatch.context() as patched:
        patched.setattr(batches, "time", SimpleNamespace(time=lambda: now + days * 86_400))
        with running(shelf.relay(log)) as relaying:
            relaying.reaches(log.head())
    assert shelf.found() == shelf.expected(log)
    assert all(now - 60 < record.timestamp / 1000 < now + 600 for record in shelf.records())


def test_an_event_that_no_topic_is_known_to_carry_ends_the_relay(log: EventLog, kafka: KafkaSettings, shelf: Shelf) -> None:
    """It is of a later version of this program: leaving it out would be losing it."""
    carried = {name: names - {"OrderPaid"} for name, names in shelf.carried.items()}
    relay = Relay(log, kafka, shelf.topics, carried, 1)
    with pytest.raises(Unreadable, match="an event named OrderPaid"), running(relay) as relaying:
        relaying.ended.wait()
