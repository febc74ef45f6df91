from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, cast

import pytest
import redis

from aggregates import cart_events, gift_card
from aggregates.decider import Recorded
from aggregates.member import MemberClosed, MemberRegistered
from aggregates.membership import events as membership
from aggregates.programme.policy import PublishPolicy
from infra.codec import partition_fields
from infra.errors import Superseded
from infra.redis.checkpoints import Checkpoint
from infra.redis.views import Views
from projections.card import Card
from projections.projection import DocumentFold
from streams.commands.request import Request
from streams.projecting.dispatch import Dispatch
from streams.projecting.loaders import REMEMBERED, Loader, fold_name, loader_of
from streams.projecting.projector import ProjectionFailed, Projector
from streams.registry import EVENTS, LEARNING, folds, sources
from streams.running.app import App
from tests.open_shop import open_shop
from tests.redis_content import content
from tests.shop import START, TERMS, requests
from tests.streams.kafka.topic_records import Image

FOLDS = {fold.name: fold for fold in folds(TERMS)}


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory, valkey_url: str) -> Sequence[Recorded]:
    """A small shop's whole log."""
    published = Request("policy", (PublishPolicy({}, START, "ada", START),))
    asked = [published, *requests(shoppings=170)]
    with open_shop(tmp_path_factory.mktemp("history"), valkey_url, asked) as app:
        return app.log.recorded(0, 10**6)


@pytest.fixture
def views(client: redis.Redis) -> Views:
    return Views(client)


def feed(name: str, views: Views) -> Loader:
    return loader_of(FOLDS[name], TERMS.zone, views)


def dispatch_of(views: Views, *names: str) -> Dispatch:
    return Dispatch(views, [feed(name, views) for name in names or FOLDS])


def feed_all(dispatch: Dispatch, *chunks: Sequence[Recorded]) -> None:
    """Send chunks, each while the one before is on its way, and wait until they are in Redis."""
    for chunk in chunks:
        dispatch.send(chunk)
    dispatch.flush()


def chunks(history: Sequence[Recorded], size: int) -> Iterator[Sequence[Recorded]]:
    return (history[at : at + size] for at in range(0, len(history), size))


@pytest.fixture(scope="module")
def whole(history: Sequence[Recorded], valkey_url: str) -> dict[str, Any]:
    """What Redis holds once the history was folded in one chunk."""
    with redis.Redis.from_url(valkey_url) as client:
        client.flushall()
        feed_all(dispatch_of(Views(client)), history)
        return content(client, positions=False)


def test_the_history_has_every_kind_of_event_that_a_fold_reads(history: Sequence[Recorded]) -> None:
    seen = {type(recorded.event).__name__ for recorded in history}
    read = {event.__name__ for fold in FOLDS.values() for event in fold.events}
    elsewhere = {
        event.__name__ for event in (*membership.Event.__args__, *cart_events.Event.__args__, *gift_card.Event.__args__)
    }
    assert read - seen <= elsewhere | {"ProductRestocked"}, "their lives are elsewhere"
    assert {"PointsGranted", "LotActivated", "PointsRedeemed", "PointsClawedBack", "TierRaised", "PolicyPublished"} <= seen
    assert {name for name in seen if name not in {event.__name__ for event in EVENTS}} == set()


@pytest.mark.parametrize("name", FOLDS)
def test_a_chunk_applied_twice_changes_nothing(name: str, history: Sequence[Recorded], views: Views) -> None:
    first, zombie, sleeper = (dispatch_of(views, name) for _ in range(3))
    assert zombie.position == sleeper.position == 0, "they have read where they stand"
    half = len(history) // 2
    feed_all(first, history[:half])
    once = content(views.client)
    assert len(once) > 1, "the fold wrote something"
    for late in (zombie, first, dispatch_of(views, name)):
        feed_all(late, history[:half])
        assert content(views.client) == once
    feed_all(first, history)
    twice = content(views.client)
    for overtaken in (zombie, sleeper):
        with pytest.raises(Superseded, match=fold_name(FOLDS[name])):
            feed_all(overtaken, history[:-1])
    assert content(views.client) == twice


@pytest.mark.parametrize("name", FOLDS)
def test_a_fold_goes_on_from_redis_if_another_follower_applied_its_chunk(
    name: str, history: Sequence[Recorded], views: Views, whole: dict[str, Any]
) -> None:
    first, zombie = dispatch_of(views, name), dispatch_of(views, name)
    third, two_thirds = len(history) // 3, len(history) * 2 // 3
    feed_all(zombie, history[:third])
    feed_all(first, history[:two_thirds])
    feed_all(zombie, history[:two_thirds], history)  # it reads documents that have these events already
    found = content(views.client, positions=False)
    assert found == {key: whole[key] for key in found}


@pytest.mark.parametrize("name", FOLDS)
def test_a_fold_goes_on_if_another_follower_applied_the_chunk_before(
    name: str, history: Sequence[Recorded], views: Views, whole: dict[str, Any]
) -> None:
    first, cut = dispatch_of(views, name), chunks(history, 200)
    for chunk in cut:
        zombie = dispatch_of(views, name)
        assert zombie.position == chunk[0].position - 1, "it has read where it stands"
        feed_all(first, chunk)
        feed_all(zombie, chunk, *islice(cut, 1))
        first = zombie
    found = content(views.client, positions=False)
    assert found == {key: whole[key] for key in found}


@pytest.mark.parametrize("name", FOLDS)
def test_a_rollback_while_nothing_came_is_noticed(name: str, history: Sequence[Recorded], views: Views) -> None:
    first, zombie = dispatch_of(views, name), dispatch_of(views, name)
    third, two_thirds = history[: len(history) // 3], history[: len(history) * 2 // 3]
    feed_all(zombie, third)
    image = Image(views.client)
    feed_all(first, two_thirds)
    zombie.dispatch(two_thirds)
    image.restore(views.client)
    with pytest.raises(Superseded, match=fold_name(FOLDS[name])):
        zombie.dispatch(history[len(two_thirds) :])
    assert zombie.position == third[-1].position


@pytest.mark.parametrize("name", FOLDS)
def test_chunks_that_overlap_count_each_event_once(
    name: str, history: Sequence[Recorded], views: Views, whole: dict[str, Any]
) -> None:
    ends = range(100, len(history) + 100, 100)
    feed_all(dispatch_of(views, name), *(history[max(0, end - 170) : end] for end in ends))
    found = content(views.client, positions=False)
    assert found == {key: whole[key] for key in whole if key in found}
    parts = tuple(f"v1:{part}" for part in FOLDS[name].parts)
    assert {key for key in whole if key.split(":", 2)[:2] in [part.split(":") for part in parts]} <= set(found)


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_the_size_of_chunks_does_not_change_what_redis_holds(
    size: int, history: Sequence[Recorded], views: Views, whole: dict[str, Any]
) -> None:
    feed_all(dispatch_of(views), *chunks(history, size))
    assert content(views.client, positions=False) == whole


@pytest.mark.parametrize("name", FOLDS)
def test_a_fold_that_starts_anew_at_every_chunk_gives_the_same(
    name: str, history: Sequence[Recorded], views: Views, whole: dict[str, Any]
) -> None:
    for chunk in chunks(history, 60):
        feed_all(dispatch_of(views, name), chunk)
    found = content(views.client, positions=False)
    assert found == {key: whole[key] for key in found}


def test_a_fold_that_is_behind_catches_up_beside_the_others(
    history: Sequence[Recorded], views: Views, whole: dict[str, Any]
) -> None:
    half = len(history) // 2
    feed_all(dispatch_of(views, "card", "sales"), history[:half])
    everyone = dispatch_of(views)
    assert everyone.position == 0
    feed_all(everyone, history)
    assert everyone.position == len(history)
    assert content(views.client, positions=False) == whole


def test_a_document_is_written_by_events_of_one_partition_key(history: Sequence[Recorded]) -> None:
    """So that the workers who share a topic's partitions never write the same one. A topic of one partition has one worker."""
    writers: dict[str, set[str]] = {}
    for fold in FOLDS.values():
        if not isinstance(fold, DocumentFold) or LEARNING in sources(fold):
            continue
        at_hand: dict[str, Any] = {}
        for recorded in history:
            if type(recorded.event) in fold.events:
                names = (getattr(recorded.event, name) for name in partition_fields(type(recorded.event)))
                key = next(str(value) for value in names if value is not None)
                for written in fold.fold(at_hand, [recorded]).documents:
                    writers.setdefault(written, set()).add(key)
    assert {key.partition(":")[0] for key in writers} == {
        "card",
        "cart",
        "guest-cart",
        "orders",
        "order",
        "price",
        "order-state",
        "lowest",
        "gift-card",
        "store-credit",
        "wallet",
        "activity",
        "programme",
    }
    assert {key: by for key, by in writers.items() if len(by) > 1} == {}


def test_a_fold_writes_only_its_own_keys(history: Sequence[Recorded], views: Views) -> None:
    for name, fold in FOLDS.items():
        mine = [recorded for recorded in history if type(recorded.event) in fold.events]
        (write,) = Projector(views, [feed(name, views)]).project(mine, Checkpoint(len(history)))
        delta = write.delta
        written = {*delta.documents, *delta.fields, *delta.counts, *delta.scores}
        assert {key.partition(":")[0] for key in written} == set(fold.parts) - {"alarms"}, "nothing alarming happens here"
        views.apply([write])
    assert len({part for fold in FOLDS.values() for part in fold.parts}) == sum(len(fold.parts) for fold in FOLDS.values())


def test_a_document_that_left_memory_is_not_read_before_it_was_written(views: Views) -> None:
    registered = [
        MemberRegistered(member=f"m-{n}", name=f"Name {n}", email=None, birthday=None, profile={}, at=START)
        for n in range(REMEMBERED + 500)
    ]
    closed = [MemberClosed(f"m-{n}", "", START) for n in range(3)]
    history = [Recorded(position, event) for position, event in enumerate([*registered, *closed], 1)]
    feed_all(dispatch_of(views, "card"), history[: len(registered)], history[len(registered) :])
    cards = views.load([f"card:m-{n}" for n in range(3)], {"card": Card})
    assert [(card.name, card.status) for card in cards.values()] == [(f"Name {n}", "closed") for n in range(3)]


def test_a_failed_fold_goes_on_from_where_redis_stands(history: Sequence[Recorded], views: Views) -> None:
    half = len(history) // 2
    dispatch = dispatch_of(views)
    dispatch.send(history[:half])
    registered = MemberRegistered(member="m", name=None, email=None, birthday=None, profile={}, at=cast("int", None))
    with pytest.raises(ProjectionFailed, match=rf"failed over event #{half + 1}: TypeError"):
        dispatch.send([Recorded(half + 1, registered)])
    dispatch.flush()
    assert dispatch.position == half
    feed_all(dispatch, history[half:])
    found = content(views.client)
    views.client.flushall()
    feed_all(dispatch_of(views), history)
    assert content(views.client) == found


def test_an_overtaken_follower_fails_and_converges_when_it_goes_on(app: App) -> None:
    every = list(requests(shoppings=60))
    slow = app.follower()
    assert slow.dispatch.position == 0, "it has read where it stands"
    for part in (every[:40], every[40:]):
        app.handler.handle_all(part)
        fast = app.follower()
        if part[0] is every[0]:
            fast.catch_up()
    with pytest.raises(Superseded):
        slow.catch_up()
    assert slow.catch_up() == app.log.head()
    found = content(app.views.client)
    app.views.client.flushall()
    app.announce()
    app.follower().catch_up()
    assert content(app.views.client) == found
