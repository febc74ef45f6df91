"""Retrying a dead letter gives the read models that the event would have given at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
import redis

from aggregates.decider import Recorded
from aggregates.delta import Delta
from aggregates.member import MemberErased
from aggregates.order.events import OrderPaid, OrderPlaced
from aggregates.product import ProductListed
from aggregates.value import replace
from infra.codec import Codec
from infra.errors import Unreadable
from infra.event_log.types import Row
from infra.redis.commit import CheckpointedWrite
from infra.redis.views import Views
from models.learner import Learner
from projections.orders import orders
from projections.product import product
from projections.projection import DocumentFold, Projection
from projections.sales import sales
from projections.sessions import sessions
from streams.kafka.dead_letters import retrying
from streams.kafka.dead_letters.letters import DeadLetter, letter_of
from streams.kafka.dead_letters.rebuild import RetryFailed
from streams.kafka.dead_letters.retrying import NotSettled, Retry
from streams.kafka.worker.partition import Record
from streams.registry import DOMAIN, LEARNING, folds
from streams.running.app import App
from tests.open_shop import open_shop
from tests.shop import TERMS, requests
from tests.streams.kafka.topic_records import Image, StoredRecord, WorkerOfTopic, failing_over, read_models, records, take_all

FOLDS = {fold.name: fold for fold in folds(TERMS)}


@dataclass
class Shop:
    """A shop whose history was folded, but for what folds in ``broken`` could not take."""

    app: App
    rows: Sequence[Row]
    letters: dict[str, DeadLetter] = field(default_factory=dict)

    def worker(self, topic: str = DOMAIN, /, **broken: Projection) -> WorkerOfTopic:
        shop = self

        class Writing(WorkerOfTopic):
            def dead_letter(self, record: Record, fold: str, reason: str) -> None:
                letter = letter_of(record, topic, 0, fold, reason)
                shop.letters[letter.id] = letter

        return Writing(self.app.views, self.app.log.codec, topic, broken=broken)

    def positions(self, *events: type) -> list[int]:
        recorded = self.app.log.recorded(0, 10**6)
        return [r.position for r in recorded if type(r.event) in events]

    def retry(self, letter: str) -> list[str]:
        return Retry(self.app, self.letters[letter], lambda at, of: None).run()

    @property
    def held(self) -> dict[str, Any]:
        return read_models(self.app.views.client)


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory, valkey_url: str) -> Iterator[App]:
    with open_shop(tmp_path_factory.mktemp("history"), valkey_url, requests(shoppings=70)) as app:
        yield app


@pytest.fixture
def shop(opened: App, client: redis.Redis) -> Shop:
    return Shop(replace(opened, views=Views(client)), opened.log.since(0, 10**6))


def exact(shop: Shop, topic: str = DOMAIN) -> dict[str, Any]:
    """What Redis would hold if nothing had failed; it is emptied."""
    client = shop.app.views.client
    image = Image(client)
    client.flushall()
    take_all(shop.worker(topic).partition(), records(shop.rows, topic))
    found = shop.held
    image.restore(client)
    return found


@pytest.mark.parametrize("name", ["card", "cart", "orders", "wallet"])
def test_a_keys_documents_are_made_anew_from_the_log(name: str, shop: Shop) -> None:
    fold = FOLDS[name]
    assert isinstance(fold, DocumentFold)
    bad = shop.positions(*fold.events)[::3]  # often enough to meet members who are not erased later
    broken: dict[str, Projection] = {name: failing_over(fold, *bad)}
    take_all(shop.worker(**broken).partition(), records(shop.rows), 50)
    whole = exact(shop)
    assert shop.held != whole
    letters = [letter for position in bad if (letter := f"{position}/{name}.{fold.version}") in shop.letters]
    assert len(letters) > 1
    for letter in letters:
        assert "anew" in shop.retry(letter)[0]
    assert shop.held == whole
    assert shop.retry(letters[0]) == [f"{name}.{fold.version}: had event #{letters[0].split('/')[0]} already."]


def test_documents_in_a_workers_memory_do_not_undo_a_retry(shop: Shop) -> None:
    topic = records(shop.rows)
    placed = shop.positions(OrderPlaced)[2]
    at = next(n for n, record in enumerate(topic) if b'"position":%d,' % placed in (record.value or b"")) + 1
    partition = shop.worker(orders=failing_over(orders, placed)).partition()
    partition.take(topic[:at])
    shop.retry(f"{placed}/orders.1")
    take_all(partition, topic[at:], 20)
    assert shop.held == exact(shop)


def test_documents_that_a_key_no_longer_has_are_removed(shop: Shop) -> None:
    erased = shop.positions(MemberErased)[0]
    take_all(shop.worker(orders=failing_over(orders, erased)).partition(), records(shop.rows))
    whole = exact(shop)
    gone = set(shop.held) - set(whole)
    assert len([key for key in gone if key.startswith("v1:order:")]) >= 1
    shop.retry(f"{erased}/orders.1")
    assert shop.held == whole


def test_a_tallys_event_is_added_once_however_often_it_is_tried(shop: Shop) -> None:
    fold = sales(TERMS.zone)
    paid = [r for r in shop.app.log.recorded(0, 10**6) if type(r.event) in fold.events]
    bad = {r.event.at for r in paid[::7]}  # type: ignore[attr-defined]
    take_all(shop.worker(sales=failing_over(fold, *bad)).partition(), records(shop.rows), 40)
    whole = exact(shop)
    assert shop.held != whole
    for letter in list(shop.letters) * 2:
        shop.retry(letter)
    assert shop.held == whole


def test_two_letters_of_one_record_are_retried_one_by_one(shop: Shop) -> None:
    paid = next(r for r in shop.app.log.recorded(400, 10**6) if type(r.event) in orders.events & sales(TERMS.zone).events)
    broken: dict[str, Projection] = {
        "orders": failing_over(orders, paid.position),
        "sales": failing_over(sales(TERMS.zone), paid.event.at),  # type: ignore[attr-defined]
    }
    take_all(shop.worker(**broken).partition(), records(shop.rows))
    whole = exact(shop)
    for letter in shop.letters:
        assert len(shop.retry(letter)) == 1
    assert shop.held == whole


def test_a_late_event_does_not_overwrite_newer_fields_of_a_tally(shop: Shop) -> None:
    listed = [r for r in shop.app.log.recorded(0, 10**6) if type(r.event) is ProductListed]

    def project(delta: Delta, event: Any) -> None:
        if type(event) is ProductListed:
            raise ZeroDivisionError("a fault of the fold")
        product.project(delta, event)

    take_all(shop.worker(product=replace(product, project=project)).partition(), records(shop.rows))
    whole = exact(shop)
    assert {letter.position for letter in shop.letters.values()} == {r.position for r in listed}
    for letter in shop.letters:
        assert shop.retry(letter)[0].startswith("product.1: added event")
    assert shop.held == whole, "the price of a product that was priced anew later, and the status of a retired one, stayed"


def test_a_document_of_several_keys_is_folded_from_the_events_of_all_of_them(shop: Shop) -> None:
    bad = shop.positions(*sessions.events)[1::3]
    take_all(shop.worker(LEARNING, sessions=failing_over(sessions, *bad)).partition(), records(shop.rows, LEARNING), 40)
    whole = exact(shop, LEARNING)
    for letter in shop.letters:
        shop.retry(letter)
    assert shop.held == whole


class Unable(Codec):
    """Cannot read some events, as with a wrong key file: whoever reads must ask for each."""

    unreadable: frozenset[bytes]

    def decode_all(self, rows: Sequence[tuple[int, str, bytes]]) -> list[Recorded]:
        return [Recorded(number, self.decode(name, state)) for number, name, state in rows]

    def decode(self, name: str, state: bytes) -> object:
        if state in self.unreadable:
            raise Unreadable("a value does not open with its key")
        return super().decode(name, state)


@pytest.mark.parametrize("size", [1, 30, 10_000])
def test_a_record_that_can_be_read_now_is_put_in_for_every_fold(size: int, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = shop.positions(OrderPlaced, OrderPaid, MemberErased)[::3]
    unable = object.__new__(Unable)
    unreadable = frozenset(row.state for row in shop.rows if row.position in bad)
    vars(unable).update(vars(shop.app.log.codec), unreadable=unreadable, plain=dict.fromkeys(shop.app.log.codec.plain))
    take_all(replace(shop.worker(), codec=unable).partition(), records(shop.rows), size)
    whole = exact(shop)
    assert shop.held != whole
    assert sorted(shop.letters) == sorted(f"{position}/{DOMAIN}" for position in bad)
    with monkeypatch.context() as patch:
        patch.setattr(shop.app.log, "codec", unable)
        with pytest.raises(RetryFailed, match="still cannot be read: a value does not open"):
            shop.retry(f"{bad[0]}/{DOMAIN}")
    for letter in list(shop.letters) * 2:
        shop.retry(letter)
    assert shop.held == whole


def test_a_letter_that_still_fails_stays_and_says_why(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = shop.positions(OrderPlaced)[3]
    broken = failing_over(orders, bad)
    take_all(shop.worker(orders=broken).partition(), records(shop.rows))
    held = shop.held
    monkeypatch.setattr(retrying, "folds", lambda terms: [broken])
    with pytest.raises(RetryFailed, match=rf"Event #{bad} .* still cannot be taken: ZeroDivisionError"):
        shop.retry(f"{bad}/orders.1")
    assert shop.held == held


def test_other_events_of_the_key_that_still_fail_are_left_out(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    whose = next(r.event.member for r in shop.app.log.recorded(0, 10**6) if type(r.event) is OrderPlaced and r.event.member)
    placed = [r.position for r in shop.app.log.recorded(0, 10**6) if getattr(r.event, "member", "") == whose]
    mine = [position for position in placed if position in shop.positions(OrderPlaced)]
    take_all(shop.worker(orders=failing_over(orders, *mine[:2])).partition(), records(shop.rows))
    monkeypatch.setattr(retrying, "folds", lambda terms: [failing_over(orders, mine[1])])
    shop.retry(f"{mine[0]}/orders.1")
    monkeypatch.undo()
    whole = exact(shop)
    assert shop.held != whole
    shop.retry(f"{mine[1]}/orders.1")
    assert shop.held == whole


def test_a_retry_catches_up_with_a_worker_that_moves_on(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    topic = records(shop.rows)
    bad = shop.positions(OrderPlaced)[1]
    at = next(n for n, record in enumerate(topic) if b'"position":%d,' % bad in (record.value or b"")) + 1
    partition = shop.worker(orders=failing_over(orders, bad)).partition()
    partition.take(topic[:at])
    ends = iter((at + 10, at + 90))

    class Moving(Views):
        """Between what was read and what is written."""

        def apply(self, steps: Sequence[CheckpointedWrite]) -> bool:
            nonlocal at
            for end in ends:
                partition.take(topic[at:end])
                at = end
                break
            return super().apply(steps)

    meanwhile = replace(shop, app=replace(shop.app, views=Moving(shop.app.views.client)))
    meanwhile.letters = shop.letters
    meanwhile.retry(f"{bad}/orders.1")
    assert next(ends, None) is None
    take_all(partition, topic[at:])
    assert shop.held == exact(shop)


def test_a_retry_leaves_events_that_the_worker_has_yet_to_take(shop: Shop) -> None:
    topic = records(shop.rows)
    bad = shop.positions(OrderPlaced)[3]
    take_all(shop.worker(orders=failing_over(orders, bad)).partition(), topic)
    shop.app.views.client.flushall()
    take_all(shop.worker().partition(), topic[:20])
    with pytest.raises(NotSettled, match=rf"has not come to event #{bad} yet"):
        shop.retry(f"{bad}/orders.1")
    take_all(shop.worker().partition(), topic[20:])
    held = shop.held
    assert shop.retry(f"{bad}/orders.1") == [f"orders.1: had event #{bad} already."]
    assert shop.held == held


def test_the_learner_takes_nothing_late(shop: Shop) -> None:
    take_all(shop.worker(LEARNING).partition(), records(shop.rows, LEARNING))
    position = shop.positions(*Learner.events)[5]
    shop.app.views.client.set(f"v1:checkpoint:learner.4:event:{position}", position)
    record = next(r for r in records(shop.rows, LEARNING) if b'"position":%d,' % position in (r.value or b""))
    letter = letter_of(record, LEARNING, 0, "learner.4", "")
    shop.letters[letter.id] = letter
    held = shop.held
    with pytest.raises(NotSettled, match=r"in the order of the log.*drop this letter.*or run `regulars replay learner`"):
        shop.retry(letter.id)
    assert shop.held == held


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (b"\xff\x00", "still cannot be read"),
        (b'{"position":3,"name":"MemberClosed","event":{"key":"m","member":"m","reason":"","at":1}}', "another program's"),
        (b'{"position":999999,"name":"MemberClosed","event":{"key":"m","member":"m","reason":"","at":1}}', "another program's"),
        (b'{"position":-3,"name":"MemberClosed","event":{"key":"m","member":"m","reason":"","at":1}}', "another program's"),
    ],
)
def test_a_record_that_is_not_in_the_log_is_never_put_in(value: bytes, sentence: str, shop: Shop) -> None:
    letter = letter_of(StoredRecord(9, None, value), DOMAIN, 0, "*", "")
    with pytest.raises((NotSettled, RetryFailed), match=sentence):
        Retry(shop.app, letter, lambda at, of: None).run()
