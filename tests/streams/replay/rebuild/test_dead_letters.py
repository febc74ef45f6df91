"""A rebuild where dead letters stand for events: it leaves out what it cannot take, and a retry reaches every kept version."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from faust.types import TP

from aggregates.order.events import OrderPaid, OrderPlaced
from infra.errors import Unreadable
from infra.redis.checkpoints import checkpoint_key, missing_event
from projections.projection import Projection
from streams.kafka.dead_letters.letters import DeadLetter, letter_of
from streams.kafka.dead_letters.retrying import Retry
from streams.kafka.worker import wiring
from streams.kafka.worker.partition import Record
from streams.projecting.loaders import Fold
from streams.projecting.projector import ProjectionFailed
from streams.replay.rebuild.version import VersionRebuild
from streams.running.app import App
from tests.redis_content import digests_of
from tests.shop import requests
from tests.streams.kafka.topic_records import failing_over
from tests.streams.replay.rebuild.test_with_workers import FOLDS, Workers, quiet


@dataclass
class Letters:
    """A shop whose workers could not take some events. ``broken``: every fold, as the workers had it."""

    app: App
    broken: list[Fold]
    written: dict[str, DeadLetter]

    def retry(self) -> list[str]:
        return [said for letter in self.written.values() for said in Retry(self.app.refreshed(), letter, lambda *_: None).run()]

    def has_note(self, version: str, letter: DeadLetter) -> bool:
        key = checkpoint_key(letter.fold, missing_event(letter.position or 0))
        return self.app.views.client.get(f"{version}:{key}") == str(letter.position).encode()


@pytest.fixture
def shop(app: App, monkeypatch: pytest.MonkeyPatch) -> Letters:
    app.handler.handle_all(list(requests(shoppings=40)))
    recorded = app.log.recorded(0, 10**6)
    placed = next(one.position for one in recorded if type(one.event) is OrderPlaced)
    paid = [one.event.at for one in recorded if type(one.event) is OrderPaid][3]
    over = {"orders": placed, "sales": paid}
    broken: list[Fold] = [
        failing_over(fold, over[fold.name]) if isinstance(fold, Projection) and fold.name in over else fold for fold in FOLDS
    ]
    written: dict[str, DeadLetter] = {}
    with monkeypatch.context() as patched:
        patched.setattr(wiring, "folds", lambda _: broken)
        workers = Workers(app)

        def write(tp: TP, record: Record, fold: str, reason: str) -> None:
            letter = letter_of(record, tp.topic, tp.partition, fold, reason)
            written[letter.id] = letter

        patched.setattr(workers._partitions, "_dead_letter", write)
        workers.finish()
    assert {letter.fold for letter in written.values()} == {"orders.1", "sales.1"}
    return Letters(app, broken, written)


def test_what_cannot_be_taken_is_left_out_until_a_retry_puts_it_into_both_versions(shop: Letters) -> None:
    done = VersionRebuild(shop.app, shop.broken).run()
    assert digests_of(shop.app.refreshed()) == digests_of(shop.app.under("v1"))
    assert all(shop.has_note(done.version, letter) for letter in shop.written.values())
    said = shop.retry()
    assert len(said) == 2 * len(shop.written)
    assert not any("already" in one for one in said)
    assert not any(shop.has_note(version, letter) for version in ("v1", done.version) for letter in shop.written.values())
    assert digests_of(shop.app.refreshed()) == digests_of(shop.app.under("v1")) == quiet(shop.app)


def test_a_mended_program_takes_it_in_a_rebuild_and_a_retry_puts_it_into_the_old_version(shop: Letters) -> None:
    done = VersionRebuild(shop.app, FOLDS).run()
    assert not any(shop.has_note(done.version, letter) for letter in shop.written.values())
    said = shop.retry()
    assert sum("already" in one for one in said) == len(shop.written)
    assert digests_of(shop.app.refreshed()) == digests_of(shop.app.under("v1")) == quiet(shop.app)


def test_an_event_for_which_no_dead_letter_stands_still_stops_a_rebuild(shop: Letters) -> None:
    shop.retry()
    with pytest.raises(ProjectionFailed, match="failed over event"):
        VersionRebuild(shop.app, shop.broken).run()
    assert shop.app.refreshed().views.versions.all == ["v1"]


def test_an_event_that_cannot_be_read_is_left_out_if_every_fold_lacks_it(
    shop: Letters, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = shop.app
    letter = next(letter for letter in shop.written.values() if letter.fold == "orders.1")
    row = app.log.since((letter.position or 0) - 1, 1)[0]
    genuine, all_genuine = app.log.codec.decode, app.log.codec.decode_all

    def decode(name: str, state: bytes) -> object:
        if state == row.state:
            raise Unreadable("a value does not open with its key")
        return genuine(name, state)

    def decode_all(rows: list[tuple[int, str, bytes]]) -> object:
        if any(state == row.state for _, _, state in rows):
            raise Unreadable("a value does not open with its key")
        return all_genuine(rows)

    monkeypatch.setattr(app.log.codec, "decode", decode)
    monkeypatch.setattr(app.log.codec, "decode_all", decode_all)
    some = [fold for fold in FOLDS if fold.name == "orders"]
    done = VersionRebuild(app, some).run()
    assert shop.has_note(done.version, letter)
    other = next(fold for fold in FOLDS if OrderPlaced in fold.events and fold.name != "orders")
    with pytest.raises(Unreadable, match=f"Event #{row.position}: a value does not open"):
        VersionRebuild(app, [other]).run()
