"""A partition's records, folded: whatever is delivered twice, cut anew, lost with its Redis or unreadable."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest
import redis

from aggregates.kernel import Recorded
from aggregates.value import replace
from infra.asking import Answer, Ask
from infra.codec import Codec
from infra.event_log.shapes import Row
from infra.faults import Newer
from infra.places import Place, lacking
from infra.settings import Settings
from infra.views import Views
from projections.kernel import Documents, Tally
from projections.orders import orders
from projections.trending import trending
from streams.bootstrap import App, running
from streams.dispatch import Dispatch
from streams.feeds import fed, fold_name
from streams.registry import BEHAVED, DOMAIN, LEARNING, folds, sources
from streams.workers.partition import Behind, Partition
from tests.shop import TERMS, requests
from tests.streams.shelved import Image, Lying, Worker, laid, of, read_models, records, without

JUNK = (b"\xff\x00junk", b'{"id":7,"type":"click"}', b"", b'{"position":1,"name":"OrderPaid","event":{"key":"m-1","order":7}}')


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, valkey_url: str) -> Iterator[App]:
    """A small shop with a history, for its log and its codec; its Redis is emptied by every test."""
    home: Path = tmp_path_factory.mktemp("history")
    with redis.Redis.from_url(valkey_url) as client:
        client.flushall()
    with running(Settings(home, valkey_url)) as app:
        app.handler.handle_all(list(requests(shoppings=70)))
        yield app


@pytest.fixture(scope="module")
def rows(shop: App) -> Sequence[Row]:
    return shop.log.since(0, 10**6)


@pytest.fixture(scope="module")
def whole(shop: App, valkey_url: str) -> dict[str, Any]:
    """What the embedded dispatch makes of what this topic carries."""
    with redis.Redis.from_url(valkey_url) as client:
        client.flushall()
        dispatch(Views(client), DOMAIN, shop.log.recorded(0, 10**6))
        return read_models(client)


def dispatch(views: Views, topic: str, history: Sequence[Recorded]) -> None:
    every = folds(TERMS)
    feeds = [fed(fold, TERMS.zone, views, sources(fold)[topic]) for fold in every if topic in sources(fold)]
    Dispatch(views, feeds).dispatch(history)


@pytest.fixture
def worker(client: redis.Redis, codec: Codec) -> Worker:
    return Worker(Views(client), codec)


@pytest.fixture(scope="module")
def codec(shop: App) -> Codec:
    return shop.log.codec


@pytest.fixture(scope="module")
def topic(rows: Sequence[Row]) -> list[Lying]:
    return records(rows)


def take_all(partition: Partition, lying: Sequence[Lying], size: int = 200) -> None:
    for at in range(0, len(lying), size):
        partition.take(lying[at : at + size])


every_topic = pytest.mark.parametrize("name", [DOMAIN, BEHAVED, LEARNING])


@every_topic
def test_a_topic_gives_the_read_models_that_the_log_gives(
    name: str, shop: App, rows: Sequence[Row], client: redis.Redis
) -> None:
    dispatch(Views(client), name, shop.log.recorded(0, 10**6))
    expected = read_models(client)
    client.flushall()
    worker = Worker(Views(client), shop.log.codec, name)
    take_all(worker.partition(), records(rows, name), 60)
    assert read_models(client) == expected
    assert worker.buried == []


@pytest.mark.parametrize("seed", range(8))
def test_no_cut_and_no_kill_changes_what_redis_holds(
    seed: int, worker: Worker, topic: Sequence[Lying], whole: dict[str, Any]
) -> None:
    random = Random(seed)
    partitions = [worker.partition()]
    at = 0
    while at < len(topic):
        end = min(len(topic), at + random.choice((1, 3, 40, 150)))
        partition = random.choice(partitions)  # the present one, or one that was thought dead
        try:
            partition.take(topic[at:end])
            at = end
        except Behind as behind:
            at = behind.offset
        match random.randrange(4):
            case 0:
                partitions.append(worker.partition())  # killed: another starts with what was last acknowledged
                at = max(0, at - random.randrange(80))
            case 1:
                partitions.append(worker.partition())
            case _:
                pass
    assert read_models(worker.views.client) == whole
    assert worker.partition().resume() == len(topic)


def test_a_chunk_taken_twice_counts_once_and_says_so(worker: Worker, topic: Sequence[Lying]) -> None:
    partition = worker.partition()
    first = partition.take(topic[:100])
    held = read_models(worker.views.client)
    again = partition.take(topic[:100])
    assert (first.records, first.applied, again.records, again.applied) == (100, 100, 100, 0)
    assert partition.take(topic[50:150]).applied == 50
    assert worker.partition().take(topic[:150]).applied == 0
    worker.views.client.flushall()
    worker.partition().take(topic[:100])
    assert read_models(worker.views.client) == held


def test_a_hole_is_noticed_and_nothing_behind_it_is_taken(worker: Worker, topic: Sequence[Lying]) -> None:
    partition = worker.partition()
    with pytest.raises(Behind) as from_nothing:
        partition.take(topic[1:50])
    partition.take(topic[:50])
    held = read_models(worker.views.client)
    for unready in (partition, worker.partition()):
        with pytest.raises(Behind, match=r"goes on at offset 60: reading again from offset 50") as behind:
            unready.take(topic[60:70])
        assert (from_nothing.value.offset, behind.value.offset) == (0, 50)
    assert read_models(worker.views.client) == held


def test_what_a_redis_that_was_set_back_has_lost_is_read_again(
    worker: Worker, topic: Sequence[Lying], whole: dict[str, Any]
) -> None:
    partition, client = worker.partition(), worker.views.client
    partition.take(topic[:100])
    image = Image(client)
    partition.take(topic[100:200])
    assert partition.set_back() is None
    image.restore(client)
    with pytest.raises(Behind, match="was set back in Redis: reading again from offset 100"):
        partition.take(topic[200:250])
    partition.take(topic[100:250])
    image.restore(client)
    assert partition.set_back() == 100, "also where nothing comes"
    assert partition.set_back() is None, "once"
    client.flushall()
    assert partition.resume() == 0
    take_all(partition, topic)
    assert read_models(client) == whole


def test_a_topic_that_was_made_anew_is_skipped_as_far_as_it_is_known(
    worker: Worker, topic: Sequence[Lying], whole: dict[str, Any]
) -> None:
    take_all(worker.partition(), topic[:150])
    anew = replace(worker, topic_id="BBBB").partition()
    assert anew.resume() == 0
    assert anew.take(topic[:140]).applied == 0
    assert anew.resume() == 140, "its own offsets count now"
    take_all(anew, topic[140:], 37)
    assert read_models(worker.views.client) == whole


def test_what_is_published_twice_counts_once(worker: Worker, topic: Sequence[Lying], whole: dict[str, Any]) -> None:
    twice = laid(topic[:150], topic[90:150], topic[90:])
    for size in (1, 64, 10_000):
        worker.views.client.flushall()
        take_all(worker.partition(), twice, size)
        assert read_models(worker.views.client) == whole
        assert worker.partition().resume() == len(twice)


def test_a_topic_that_lost_its_end_and_got_it_again_elsewhere_counts_once(
    worker: Worker, topic: Sequence[Lying], whole: dict[str, Any]
) -> None:
    take_all(worker.partition(), laid(topic[:90], topic[60:150]))  # up to offset 180
    shorter = laid(topic[:100], topic[100:])  # and 150 events are in 150 records now
    partition = worker.partition()
    take_all(partition, shorter[90:], 33)  # new events are at offsets that were seen
    assert read_models(worker.views.client) == whole
    assert partition.resume() == len(shorter)


def test_two_who_believe_that_a_partition_is_theirs_do_no_harm(
    worker: Worker, topic: Sequence[Lying], whole: dict[str, Any]
) -> None:
    mine, zombie = worker.partition(), worker.partition()
    mine.take(topic[:50])
    zombie.take(topic[:80])
    mine.take(topic[50:120])
    mine.take(topic[120:200])
    assert zombie.take(topic[80:200]).applied == 0 or zombie.resume() == 200
    take_all(zombie, topic[200:])
    take_all(mine, topic[200:])
    assert read_models(worker.views.client) == whole


def test_records_that_cannot_be_read_are_buried_and_the_rest_is_exact(
    worker: Worker, topic: Sequence[Lying], whole: dict[str, Any]
) -> None:
    poisoned: list[Lying] = []
    for n, record in enumerate(topic):
        poisoned += [replace(record, value=JUNK[n // 40 % len(JUNK)])] if n % 40 == 0 else []
        poisoned.append(record)
    poisoned = laid(poisoned, [Lying(0, None, None)])
    where = [at for at, record in enumerate(poisoned) if record.value is None or record.value in JUNK]
    for size in (1, 30, 10_000):
        worker.views.client.flushall()
        worker.buried.clear()
        take_all(worker.partition(), poisoned, size)
        assert read_models(worker.views.client) == whole
        assert [(letter.offset, letter.fold) for letter in worker.buried] == [(at, "*") for at in where]
        take_all(worker.partition(), poisoned, size)
        assert len(worker.buried) == len(where), "what was passed is not buried again"
        assert worker.partition().resume() == len(poisoned)


def refusing(fold: Documents | Tally, *positions: int) -> Documents | Tally:
    """A fold that fails over some events; a tally does not see positions, so it fails over their kind's payload."""
    if isinstance(fold, Documents):
        genuine = fold.project

        def project(documents: Any, event: Any, position: int) -> Any:
            if position in positions:
                raise ZeroDivisionError("a fault of the fold")
            return genuine(documents, event, position)

        return replace(fold, project=project)
    counted = fold.project

    def add(delta: Any, event: Any) -> None:
        if event.at in positions:
            raise ZeroDivisionError("a fault of the fold")
        counted(delta, event)

    return replace(fold, project=add)


@pytest.mark.parametrize("size", [1, 30, 10_000])
def test_an_event_that_one_fold_fails_over_is_buried_for_that_fold_alone(
    size: int, shop: App, worker: Worker, topic: Sequence[Lying], whole: dict[str, Any]
) -> None:
    history = shop.log.recorded(0, 10**6)
    mine = [recorded.position for recorded in history if type(recorded.event) in orders.events]
    bad = [mine[30], mine[31], mine[60]]
    broken = replace(worker, broken={"orders": refusing(orders, *bad)})
    take_all(broken.partition(), topic, size)
    held, client = read_models(worker.views.client), worker.views.client
    assert without(held, orders) == without(whole, orders)
    assert [(letter.fold, letter.reason.split(":")[0]) for letter in worker.buried] == [
        (fold_name(orders), f"The fold orders.1 failed over event #{position}") for position in bad
    ]
    assert [worker.views.places([fold_name(orders)], lacking(at))["orders.1"] for at in bad] == [Place(at) for at in bad]
    client.flushall()
    Dispatch(Views(client), [fed(orders, TERMS.zone, Views(client))]).dispatch([r for r in history if r.position not in bad])
    assert of(held, orders) == read_models(client)


def test_two_folds_may_fail_over_one_event(shop: App, worker: Worker, topic: Sequence[Lying], whole: dict[str, Any]) -> None:
    paid = next(r for r in shop.log.recorded(400, 10**6) if type(r.event) in orders.events & trending.events)
    at = paid.event.at  # type: ignore[attr-defined]
    broken = replace(worker, broken={"orders": refusing(orders, paid.position), "trending": refusing(trending, at)})
    take_all(broken.partition(), topic)
    letters = {(letter.fold) for letter in worker.buried if f"#{paid.position}:" in letter.reason}
    assert letters == {"orders.1", "trending.1"}
    assert without(read_models(worker.views.client), orders, trending) == without(whole, orders, trending)


def test_an_event_of_a_later_version_stops_it_and_moves_nothing(worker: Worker, topic: Sequence[Lying]) -> None:
    later = Lying(0, b"m-1", b'{"position":9999,"name":"OrderGifted","event":{"key":"m-1","order":"1"}}')
    shape = Lying(0, b"m-1", b'{"position":9999,"name":"OrderPlaced.9","event":{"key":"m-1","order":"1"}}')
    junk = Lying(0, None, b"junk")
    partition = worker.partition()
    partition.take(topic[:20])
    held = read_models(worker.views.client)
    for newer in (later, shape):
        for chunk in ([*topic[20:30], newer], [newer, *topic[20:30]], [junk, newer, *topic[20:30]]):
            with pytest.raises(Newer, match="upgrade it"):
                partition.take(laid(chunk, start=20))
            assert partition.resume() == 20
            assert read_models(worker.views.client) == held


class Failing(Views):
    """A Redis whose answer does not come; ``applied``: whether it did what it was asked to."""

    applied: bool
    failing: bool = False

    def exchange(self, ask: Ask) -> Answer:
        if self.failing and not self.applied:
            raise redis.ConnectionError("no answer")
        answer = super().exchange(ask)
        if self.failing and ask.steps:
            raise redis.ConnectionError("the answer is lost")
        return answer


@pytest.mark.parametrize("applied", [True, False])
def test_a_chunk_whose_answer_was_lost_is_taken_again_and_counts_once(
    applied: bool, worker: Worker, topic: Sequence[Lying], whole: dict[str, Any]
) -> None:
    views = Failing(worker.views.client)
    views.applied = applied
    partition = replace(worker, views=views).partition()
    for at in range(0, len(topic), 50):
        views.failing = True
        with pytest.raises(redis.ConnectionError):
            partition.take(topic[at : at + 50])
        views.failing = False
        partition.take(topic[at : at + 50])
    assert read_models(worker.views.client) == whole
    assert worker.buried == [], "Redis's fault is none of the events'"


class AnswerLost(Views):
    """Its client asks again silently, and ``then`` takes place."""

    then: Callable[[], object] | None = None

    def exchange(self, ask: Ask) -> Answer:
        answer = super().exchange(ask)
        if self.then and ask.steps:
            answer = super().exchange(ask)
            self.then()
            self.then = None
        return answer


def test_a_redis_that_is_set_back_once_a_chunk_was_in_it_is_noticed(
    worker: Worker, topic: Sequence[Lying], whole: dict[str, Any]
) -> None:
    views = AnswerLost(worker.views.client)
    partition = replace(worker, views=views).partition()
    partition.take(topic[:100])
    image = Image(views.client)
    partition.take(topic[100:200])
    views.then = partial(image.restore, views.client)
    with pytest.raises(Behind, match="was set back in Redis: reading again from offset 100"):
        partition.take(topic[200:250])
    take_all(partition, topic[100:])
    assert read_models(views.client) == whole


def test_a_redis_that_is_set_back_while_a_letter_is_buried_is_noticed(
    shop: App, worker: Worker, topic: Sequence[Lying], whole: dict[str, Any]
) -> None:
    bad = [recorded.position for recorded in shop.log.recorded(0, 10**6) if type(recorded.event) in orders.events][-1]

    class Slow(Worker):
        def bury(self, record: Any, fold: str, reason: str) -> None:
            super().bury(record, fold, reason)
            if len(self.buried) == 1:
                image.restore(self.views.client)

    slow = Slow(worker.views, worker.codec, broken={"orders": refusing(orders, bad)})
    partition = slow.partition()
    partition.take(topic[:100])
    image = Image(worker.views.client)
    partition.take(topic[100:200])
    with pytest.raises(Behind, match="was set back in Redis: reading again from offset 100"):
        partition.take(topic[200:])
    take_all(partition, topic[100:])
    assert [letter.fold for letter in slow.buried] == [fold_name(orders)] * 2
    assert without(read_models(worker.views.client), orders) == without(whole, orders)


class Overtaken(Views):
    """While it reads, ``meanwhile`` takes place, and is lost again before it writes: Redis fails over to what it was."""

    meanwhile: Callable[[], object] | None = None

    def exchange(self, ask: Ask) -> Answer:
        if not self.meanwhile or not (ask.documents or ask.maps):
            return super().exchange(ask)
        image = Image(self.client)
        self.meanwhile()
        self.meanwhile = None
        answer = super().exchange(ask)
        image.restore(self.client)
        return answer


@every_topic
def test_what_was_read_of_effects_that_are_lost_again_is_not_believed(
    name: str, shop: App, rows: Sequence[Row], client: redis.Redis
) -> None:
    dispatch(Views(client), name, shop.log.recorded(0, 10**6))
    expected, lying = read_models(client), records(rows, name)
    client.flushall()
    views = Overtaken(client)
    worker, other = Worker(views, shop.log.codec, name), Worker(Views(client), shop.log.codec, name)
    overtaken = 0
    for at in range(0, len(lying), 150):
        chunk = lying[at : at + 150]
        partition = worker.partition()
        assert partition.resume() == at, "it knows where Redis stands"
        views.meanwhile = partial(other.partition().take, chunk)
        partition.take(chunk)
        overtaken += views.meanwhile is None
    assert overtaken, "somebody read"
    assert read_models(client) == expected


class Torn(Views):
    """A Redis that holds nothing as long as it is read, and then what it should."""

    torn: bool = False

    def exchange(self, ask: Ask) -> Answer:
        answer = super().exchange(ask)
        if not ask.documents or self.torn:
            return answer
        self.torn = True
        return answer._replace(
            read=dict.fromkeys(answer.read), stood={one: ("0", after) for one, (_, after) in answer.stood.items()}
        )


def test_what_was_read_while_redis_changed_is_not_believed(
    worker: Worker, topic: Sequence[Lying], whole: dict[str, Any]
) -> None:
    worker.partition().take(topic[:150])
    views = Torn(worker.views.client)
    take_all(replace(worker, views=views).partition(), topic[150:])
    assert views.torn
    assert read_models(worker.views.client) == whole


def test_letters_that_cannot_be_confirmed_keep_their_chunk_from_being_taken(
    worker: Worker, topic: Sequence[Lying], whole: dict[str, Any]
) -> None:
    class Away(Worker):
        away = True

        def bury(self, record: Any, fold: str, reason: str) -> None:
            if self.away:
                raise ConnectionError("Kafka is away")
            super().bury(record, fold, reason)

    away = Away(worker.views, worker.codec)
    poisoned = laid(topic[:10], [Lying(0, None, b"junk")], topic[10:])
    partition = away.partition()
    with pytest.raises(ConnectionError):
        partition.take(poisoned[:20])
    assert partition.resume() == 0
    away.away = False
    take_all(partition, poisoned)
    assert [letter.offset for letter in away.buried] == [10]
    assert read_models(worker.views.client) == whole
