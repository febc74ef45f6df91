"""A rebuild beside the live version: the same content, one switch, a way back, and nothing lost or doubled."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from infra.errors import Misconfigured, VersionsChanged
from infra.redis.checkpoints import LOG
from infra.redis.generations import BehindServed, Generations, RebuildOvertaken, RebuildRuns
from infra.redis.versions import VERSIONS
from streams.projecting.loaders import fold_name
from streams.registry import fold_of_part, folds
from streams.replay.rebuild.old_versions import drop, droppable, roll_back
from streams.replay.rebuild.served import served_records
from streams.replay.rebuild.version import VersionRebuild
from streams.running.app import App
from tests.redis_content import digests_of
from tests.shop import TERMS, requests

FOLDS = folds(TERMS)
BY_NAME = {fold.name: fold for fold in FOLDS}


@pytest.fixture
def shop(app: App) -> App:
    """A shop whose read models are at the head of its log."""
    app.handler.handle_all(list(requests(shoppings=40)))
    app.follower().catch_up()
    return app


def shopping(app: App, number: int) -> None:
    """Have more happen in a shop."""
    every = list(requests(shoppings=60))
    app.handler.handle_all(every[-number:])


def served(app: App) -> App:
    return app.refreshed()


def test_a_rebuild_makes_the_same_content_in_every_fold(shop: App) -> None:
    before = digests_of(shop)
    done = VersionRebuild(shop, FOLDS).run()
    assert done.version == "v2"
    assert served(shop).views.versions.all == ["v2"]
    assert shop.views.client.get("regulars:version") == b"v2"
    assert digests_of(served(shop)) == before == digests_of(shop)
    assert {one.fold for one in done.compared} == {fold_name(fold) for fold in FOLDS}
    assert all(one.differ_from_served == 0 for one in done.compared)
    assert sum(one.sampled for one in done.compared) > 100


def test_one_fold_switches_alone(shop: App) -> None:
    before = digests_of(shop)
    VersionRebuild(shop, [BY_NAME["card"]]).run()
    versions = served(shop).views.versions
    assert (versions.version_of("card:m"), versions.version_of("cart:m")) == ("v2", "v1")
    assert versions.version_of("checkpoint:card.1:log:0") == "v2"
    assert shop.views.client.get("regulars:version") == b"v1", "old readers keep what is kept up"
    assert digests_of(served(shop)) == before
    assert Generations(shop.views.client).all()[0].state == "old"


def test_a_follower_keeps_up_both_versions_and_changes_over_by_itself(shop: App) -> None:
    follower = shop.follower()
    shopping(shop, 5)
    follower.catch_up()
    VersionRebuild(shop, [BY_NAME["card"], BY_NAME["sales"]]).run()
    shopping(shop, 30)
    assert follower.catch_up() == shop.log.head()
    new, old = served(shop), shop
    assert new.views.versions.version_of("card:m") == "v2"
    assert digests_of(new) == digests_of(old), "the old version is kept up"
    kept = digests_of(new)
    shop.views.client.flushdb()
    shop.announce()
    shop.follower().catch_up()
    assert digests_of(shop) == kept


def test_a_rollback_serves_the_version_before_and_it_has_missed_nothing(shop: App) -> None:
    VersionRebuild(shop, FOLDS).run()
    shopping(shop, 30)
    assert [one.version for one in roll_back(shop, FOLDS)] == ["v1"] * len(FOLDS)
    assert served(shop).views.versions.all == ["v1"]
    back = digests_of(served(shop))
    shop.follower().catch_up()
    assert digests_of(served(shop)) == back, "it was at the head when it was switched to"
    again = VersionRebuild(shop, FOLDS).run()
    assert again.version == "v3", "no number is given out twice"
    assert digests_of(served(shop)) == back


def test_a_dropped_version_is_gone_and_its_zombie_writes_nothing(shop: App) -> None:
    zombie = shop.follower()
    shopping(shop, 10)
    zombie.catch_up()
    VersionRebuild(shop, FOLDS).run()
    records = droppable(shop, FOLDS, unfinished=False)
    assert {one.version for one in records} == {"v1"}
    drop(shop, records)
    left = {raw.decode() for raw in shop.views.client.scan_iter(match="v1:*")}
    assert all(key.startswith("v1:checkpoint:") for key in left)
    dispatch = zombie.dispatch
    shopping(shop, 30)
    with pytest.raises(VersionsChanged):
        dispatch.dispatch(shop.log.recorded(dispatch.position, 10))
    assert {raw.decode() for raw in shop.views.client.scan_iter(match="v1:*")} == left
    assert zombie.catch_up() == shop.log.head(), "it goes on with what is served"
    assert droppable(shop, FOLDS, unfinished=True) == []


def test_two_rebuilds_of_one_fold_cannot_run_at_once(shop: App) -> None:
    first, second = VersionRebuild(shop, [BY_NAME["card"], BY_NAME["sales"]]), VersionRebuild(shop, [BY_NAME["sales"]])
    with first.leased():
        with pytest.raises(RebuildRuns, match="Another rebuild of sales runs"):
            second.run()
        VersionRebuild(shop, [BY_NAME["cart"]]).run()
    second.run()


def test_a_rebuild_that_lost_its_lease_writes_nothing_more(shop: App) -> None:
    halted = VersionRebuild(shop, [BY_NAME["card"]])
    with halted.leased():
        records, _ = halted.reserve()
        (part,) = halted.parts(records)
        fill = part.fill()
        shop.views.client.delete("regulars:replay:card")  # as if it had been halted for half a minute
        other = VersionRebuild(shop, [BY_NAME["card"]])
        other.run()
        before = digests_of(served(shop))
        with pytest.raises(RebuildOvertaken):
            part.load(fill)
        with pytest.raises(RebuildOvertaken):
            halted.switch(records)
    assert digests_of(served(shop)) == before


def test_a_version_that_is_behind_is_not_switched_to(shop: App) -> None:
    rebuild = VersionRebuild(shop, [BY_NAME["card"]])
    with rebuild.leased():
        records, _ = rebuild.reserve()
        (part,) = rebuild.parts(records)
        part.load(part.fill())
        shopping(shop, 30)
        shop.views.client.set("v1:checkpoint:card.1:log:0", shop.log.head())  # its follower ended before it fed the new version
        held = served_records(shop.views, rebuild.folds, rebuild.generations.all())
        with pytest.raises(BehindServed, match="card is behind"):
            rebuild.generations.switch([(part.records[0], held["card"])], {"card": [LOG]})
    assert served(shop).views.versions.version_of("card:1") == "v1"


def test_a_newer_version_in_redis_is_refused(shop: App) -> None:
    VersionRebuild(shop, [BY_NAME["card"]]).run()
    records = Generations(shop.views.client)
    record = next(one for one in records.all() if one.state == "serving")
    newer = msgspec.structs.replace(record, fold="card.9")
    shop.views.client.hset("regulars:generations", newer.field, msgspec.json.encode(newer))
    with pytest.raises(Misconfigured, match=r"holds card\.9 .* knows card\.1 only"):
        VersionRebuild(shop, [BY_NAME["card"]]).run()


def test_every_part_of_every_fold_is_in_the_hash_of_versions(app: App) -> None:
    held: Any = app.views.client.hgetall(VERSIONS)
    assert {name.decode() for name in held} >= set(fold_of_part(TERMS))
    assert set(held.values()) == {b"v1"}
