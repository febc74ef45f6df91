"""``regulars replay --from-topics``: read models that are made from the topics alone are what the log makes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import orjson
import pytest
import redis
from click.testing import CliRunner, Result
from kafka import TopicPartition

from aggregates.delta import Delta
from aggregates.order.events import OrderPaid
from infra.errors import Misconfigured
from infra.event_log.log import EventLog
from infra.kafka.clients import admin_client
from infra.kafka.settings import KafkaSettings
from infra.redis.checkpoints import checkpoint_key, missing_event
from infra.redis.generations import Generations
from infra.redis.views import Views
from infra.settings import Settings
from projections.projection import Tally
from streams.cli.main import regulars
from streams.registry import folds
from streams.replay.rebuild import from_topics
from streams.replay.rebuild.from_topics import CannotBeTaken, Since, TopicRebuild
from streams.running.app import open_codec
from streams.running.app import running as open_app
from tests.kafka.conftest import SHOPPINGS
from tests.kafka.shelf import Shelf, append, eventually, running
from tests.redis_content import digests_of
from tests.shop import TERMS
from tests.streams.kafka.topic_records import read_models


@pytest.fixture
def relayed(log: EventLog, kafka: KafkaSettings) -> Shelf:
    """The topics that the commands know, with the log in them."""
    shelf = Shelf(kafka)
    if there := list(shelf.ids()):
        shelf.delete(*there)
        eventually(lambda: not shelf.ids())
    with running(shelf.relay(log)) as relaying:
        relaying.reaches(log.head())
    return shelf


@pytest.fixture
def client(settings: Settings, valkey_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(f"{valkey_url}?db=4") as client:
        client.flushdb()
        yield client


@pytest.fixture
def ours(settings: Settings, valkey_url: str, client: redis.Redis) -> Settings:
    return replace(settings, redis_url=f"{valkey_url}?db=4")


def quiet(settings: Settings, valkey_url: str) -> Any:
    """Return what the embedded follower makes of the log."""
    other = replace(settings, redis_url=f"{valkey_url}?db=5")
    with redis.Redis.from_url(str(other.redis_url)) as client:
        client.flushdb()
        with open_app(other) as app:
            app.follower().catch_up()
            return digests_of(app)


def served(settings: Settings) -> Any:
    with open_app(settings) as app:
        return digests_of(app.refreshed())


def replay(ours: Settings, kafka: KafkaSettings, *words: str) -> Result:
    environment = {
        "REGULARS_HOME": str(ours.home),
        "REDIS_URL": str(ours.redis_url),
        "KAFKA_BOOTSTRAP": kafka.bootstrap,
        "REGULARS_ZONE": ours.zone,
    }
    return CliRunner().invoke(regulars, ["replay", "--from-topics", *words], env=environment)


def rebuild(ours: Settings, kafka: KafkaSettings, client: redis.Redis, since: Since | None = None) -> None:
    with open_codec(ours) as codec:
        TopicRebuild(Views.served(client), codec, ours.zone, kafka, folds(TERMS), since).run()


def test_the_topics_alone_make_what_the_log_makes(ours: Settings, relayed: Shelf, client: redis.Redis, valkey_url: str) -> None:
    hidden = ours.log.rename(ours.log.with_suffix(".hidden"))
    told = replay(ours, relayed.kafka, "--all", "--json")
    assert told.exit_code == 0, told.exception
    assert not ours.log.exists(), "the log was not opened"
    hidden.rename(ours.log)
    assert orjson.loads(told.stdout)["version"] == "v2"
    assert served(ours) == quiet(ours, valkey_url)


def test_another_zone_than_that_of_the_log_is_refused(ours: Settings, relayed: Shelf, client: redis.Redis) -> None:
    with open_app(ours):
        pass  # a program with the log notes the shop
    told = replay(replace(ours, zone="Asia/Tokyo"), relayed.kafka, "--all")
    assert told.exit_code == 1
    assert f"REGULARS_ZONE={ours.zone} and REGULARS_CURRENCY=USD, not Asia/Tokyo" in told.stderr
    assert Generations(client).all() == []


def test_a_redis_that_knows_no_shop_takes_the_one_of_the_settings_and_says_so(
    ours: Settings, relayed: Shelf, client: redis.Redis
) -> None:
    told = replay(ours, relayed.kafka, "sales")
    assert told.exit_code == 0, told.exception
    assert f"does not say of which shop it is: {ours.zone} and USD were taken" in told.stderr


def test_one_that_was_killed_goes_on_and_since_only_skips(
    ours: Settings, log: EventLog, relayed: Shelf, client: redis.Redis, valkey_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(from_topics, "switch", killed)
        with pytest.raises(KeyboardInterrupt):
            rebuild(ours, relayed.kafka, client)
    assert {one.state for one in Generations(client).all()} == {"following"}
    before = read_models(client)
    append(ours, SHOPPINGS + 20)
    with running(relayed.relay(log)) as relaying:
        relaying.reaches(log.head())
    with pytest.raises(Misconfigured, match="records would be missing"):
        rebuild(ours, relayed.kafka, client, Since(offset=10**6))
    assert read_models(client) == before
    rebuild(ours, relayed.kafka, client, Since(at=0))
    assert {one.version for one in Generations(client).all()} == {"v2"}
    assert served(ours) == quiet(ours, valkey_url)


def test_a_topic_without_its_beginning_is_refused_before_anything_is_done(
    ours: Settings, relayed: Shelf, client: redis.Redis
) -> None:
    with admin_client(relayed.kafka) as admin:
        admin.delete_records({TopicPartition(name, 0): 1 for name, ends in relayed.ends().items() if ends[0]})
    told = replay(ours, relayed.kafka, "--all")
    assert isinstance(told.exception, Misconfigured)
    assert "would be read from offset 1, and the new version has what is before offset 0 only" in str(told.exception)
    assert Generations(client).all() == []


def test_its_places_are_those_of_workers(ours: Settings, relayed: Shelf, client: redis.Redis) -> None:
    rebuild(ours, relayed.kafka, client)
    ids, ends = relayed.ids(), relayed.ends()
    views = Views.served(client)
    for topic, name in ((topic, fold) for topic in ids for fold in ("card.1", "learner.4")):
        for number, end in enumerate(ends[topic]):
            place = views.checkpoints_in(f"{topic}:{number}", [name])[name]
            assert not place.topic or place.next_offset(ids[topic]) == end
    assert any(views.checkpoints_in(f"regulars.events:{number}", ["card.1"])["card.1"].offset for number in range(16))


def test_an_event_that_a_fold_cannot_take_stops_it_unless_the_served_version_lacks_it(
    ours: Settings, relayed: Shelf, client: redis.Redis, log: EventLog
) -> None:
    (genuine,) = (fold for fold in folds(TERMS) if isinstance(fold, Tally) and fold.name == "product")
    paid = next(recorded for recorded in log.recorded(0, 10**6) if isinstance(recorded.event, OrderPaid))

    def project(delta: Delta, event: Any) -> None:
        if event == paid.event:
            raise ZeroDivisionError
        genuine.project(delta, event)

    with open_codec(ours) as codec:
        TopicRebuild(Views.served(client), codec, ours.zone, relayed.kafka, [genuine]).run()
        broken = [replace(genuine, project=project)]
        with pytest.raises(CannotBeTaken, match=rf"product\.1 cannot take event #{paid.position} \(OrderPaid\)"):
            TopicRebuild(Views.served(client), codec, ours.zone, relayed.kafka, broken).run()
        note = checkpoint_key("product.1", missing_event(paid.position))
        client.set(f"v2:{note}", paid.position)
        done = TopicRebuild(Views.served(client), codec, ours.zone, relayed.kafka, broken).run()
    assert done.resumed
    assert client.get(f"{done.version}:{note}") == b"%d" % paid.position
