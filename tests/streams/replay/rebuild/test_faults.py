"""What goes wrong in a rebuild is said in a sentence, switches nothing, and can be gone on from."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisGone
from redis.exceptions import ResponseError
from redis.retry import Retry

from aggregates.member import EraseMember
from aggregates.value import replace
from infra.embedded.valkey import EmbeddedRedis
from infra.errors import Misconfigured, Newer, Unreadable
from infra.redis.generations import Generations
from infra.redis.loading import KeyLoader
from infra.settings import Settings
from streams.commands.request import Request
from streams.projecting.projector import ProjectionFailed
from streams.registry import folds, projections
from streams.replay.in_memory import in_memory
from streams.replay.rebuild.filling import Fill, VersionDiffers
from streams.replay.rebuild.needs import needs_of
from streams.replay.rebuild.old_versions import roll_back
from streams.replay.rebuild.part import RebuiltPart
from streams.replay.rebuild.served import raised_folds
from streams.replay.rebuild.version import VersionRebuild
from streams.running.app import App, running
from tests.redis_content import content, digests_of
from tests.shop import START, TERMS, requests
from tests.streams.kafka.topic_records import failing_over

FOLDS = folds(TERMS)
BY_NAME = {fold.name: fold for fold in FOLDS}


@pytest.fixture
def shop(app: App) -> App:
    app.handler.handle_all(list(requests(shoppings=30)))
    app.follower().catch_up()
    return app


def eventually(true: Callable[[], object]) -> None:
    until = time.monotonic() + 10
    while not true():
        assert time.monotonic() < until
        time.sleep(0.01)


def nothing_switched(app: App) -> bool:
    return app.refreshed().views.versions.all == ["v1"]


@pytest.mark.parametrize(
    ("column", "value", "fault"),
    [("state", b'{"key":"m-3","member":', Unreadable), ("topic", "MemberTeleported", Newer)],
    ids=["a corrupted row", "an event of the future"],
)
def test_an_event_that_cannot_be_read_stops_the_rebuild(
    column: str, value: object, fault: type[Exception], shop: App, settings: Settings
) -> None:
    with sqlite3.connect(settings.log) as database:
        (at,) = database.execute("SELECT MIN(rowid) FROM stored_events WHERE topic = 'OrderPaid'").fetchone()
        for (trigger,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {trigger}")
        database.execute(f"UPDATE stored_events SET {column} = ? WHERE rowid = ?", (value, at))
    with pytest.raises(fault, match="MemberTeleported" if column == "topic" else f"Event #{at}: "):
        VersionRebuild(shop, [BY_NAME["card"], BY_NAME["orders"]]).run()
    assert nothing_switched(shop)


def test_an_event_that_a_fold_cannot_take_is_named_and_stops_the_rebuild(shop: App) -> None:
    def fails(*_: object) -> None:
        raise ValueError("no such tier")

    broken = replace(BY_NAME["sales"], project=fails)
    with pytest.raises(ProjectionFailed, match=r"The fold sales\.1 failed over event #\d+: ValueError\('no such tier'\)"):
        VersionRebuild(shop, [broken]).run()
    assert nothing_switched(shop)
    assert VersionRebuild(shop, [BY_NAME["sales"]]).run().resumed


@pytest.mark.parametrize("name", ["card", "orders"])
def test_a_fold_in_memory_names_the_event_of_a_chunk_that_it_cannot_take(name: str, shop: App) -> None:
    fold = next(fold for fold in projections(TERMS) if fold.name == name)
    chunk = [recorded for recorded in shop.log.recorded(0, 10**6) if type(recorded.event) in fold.events]
    for at in (chunk[0].position, chunk[len(chunk) // 2].position, chunk[-1].position):
        with pytest.raises(ProjectionFailed, match=f"failed over event #{at}: ZeroDivisionError"):
            in_memory(failing_over(fold, at), TERMS.zone).take(chunk)


def test_a_redis_that_goes_away_in_the_midst_is_gone_on_with(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = EmbeddedRedis(tmp_path / "valkey")
    server.start()
    try:
        with running(replace(settings, redis_url=server.url)) as shop:
            shop.handler.handle_all(list(requests(shoppings=10)))
            shop.follower().catch_up()
            before = digests_of(shop)
            shop.views.client.set_retry(Retry(NoBackoff(), 0))
            load = Fill.load

            def gone(self: Fill, *given: object) -> object:
                server.stop()
                return load(self, *given)  # type: ignore[arg-type]

            monkeypatch.setattr(Fill, "load", gone)
            with pytest.raises(RedisGone):
                VersionRebuild(shop, FOLDS).run()
            monkeypatch.undo()
        server.start()
        with running(replace(settings, redis_url=server.url)) as shop:
            assert nothing_switched(shop)
            for lease in shop.views.client.scan_iter(match="regulars:replay:*"):
                shop.views.client.delete(lease)
            done = VersionRebuild(shop, FOLDS).run()
            assert (done.resumed, done.version) == (True, "v2")
            assert digests_of(shop.refreshed()) == before
    finally:
        server.stop()


def test_a_key_that_redis_lost_while_it_was_written_is_found(shop: App, monkeypatch: pytest.MonkeyPatch) -> None:
    check = Fill.check_loaded

    def lossy(self: Fill, *given: object) -> None:
        shop.views.client.delete("v2:card:m-3")
        check(self, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(Fill, "check_loaded", lossy)
    with pytest.raises(VersionDiffers, match="nothing was switched"):
        VersionRebuild(shop, [BY_NAME["card"]]).run()
    assert nothing_switched(shop)


def test_a_document_that_was_changed_after_the_fill_is_found(shop: App, monkeypatch: pytest.MonkeyPatch) -> None:
    verify = RebuiltPart.verify

    def changed(self: RebuiltPart, fill: Fill) -> object:
        shop.views.client.set("v2:card:m-3", "{}")
        return verify(self, fill)

    monkeypatch.setattr(RebuiltPart, "verify", changed)
    with pytest.raises(VersionDiffers, match=r"v2:card:m-3 is not what the log says"):
        VersionRebuild(shop, [BY_NAME["card"]]).run()
    assert nothing_switched(shop)


def holding(app: App, word: str) -> list[str]:
    """Return the keys and the files of a Redis in which a word stands."""
    folder = Path(str(app.views.client.config_get("dir")["dir"]))
    keys = [key for key, value in content(app.views.client).items() if word in str(value)]
    return keys + [str(path) for path in folder.rglob("*") if path.is_file() and word.encode() in path.read_bytes()]


def test_a_member_erased_while_a_version_is_filled_is_nowhere_once_the_erasure_is_complete(shop: App) -> None:
    rebuild = VersionRebuild(shop, [BY_NAME["card"], BY_NAME["activity"]])
    with rebuild.leased():
        records, _ = rebuild.reserve()
        (part,) = rebuild.parts(records)
        fill = part.fill()
        shop.handler.handle(Request("erase", (EraseMember("m-3", START + 10**12),)))
        shop.follower().catch_up()
        assert shop.log.incomplete_erasures(), "what was read before is in the memory of the rebuild"
        part.load(fill)
        assert "v2:card:m-3" in holding(shop, "Name of m-3")
        shop.follower().catch_up()
        part.follow()
        part.verify(fill)
        rebuild.switch(part.records)
    shop.follower().catch_up()
    assert shop.log.incomplete_erasures() == {}
    assert holding(shop, "Name of m-3") == holding(shop, "m-3@example.org") == []


def test_a_raised_fold_is_served_as_it_was_until_its_rebuild_has_switched(
    shop: App, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    raised = [replace(fold, version=2) if fold.name == "sales" else fold for fold in FOLDS]
    before, older = digests_of(shop), shop.follower()
    with monkeypatch.context() as newer:
        newer.setattr("streams.running.app.folds", lambda _: raised)
        with caplog.at_level(logging.WARNING):
            follower = shop.follower()
        assert "this program has sales.2" in caplog.text
        assert "run `regulars replay sales`" in caplog.text
        follower.catch_up()
        assert digests_of(shop.refreshed()) == before
        (sales,) = raised_folds(shop.views, raised)
        VersionRebuild(shop, [sales]).run()
        assert digests_of(shop.refreshed()) == before
        shop.handler.handle_all(list(requests(shoppings=60))[-40:])
        follower.catch_up()
        assert shop.refreshed().views.positions(["sales.2", "card.1"]) == dict.fromkeys(("sales.2", "card.1"), shop.log.head())
    with caplog.at_level(logging.WARNING):
        older.catch_up()
    assert "made by sales.2; this program has sales.1" in caplog.text
    with pytest.raises(Misconfigured, match=r"holds sales\.2 .* this program knows sales\.1 only"):
        VersionRebuild(shop, [BY_NAME["sales"]]).run()
    roll_back(shop, [BY_NAME["sales"]])
    after = digests_of(shop.refreshed())
    shop.views.client.flushdb()
    shop.announce()
    shop.follower().catch_up()
    assert digests_of(shop) == after, "the older program had kept its own version up"


def test_a_rebuild_that_needs_more_memory_than_redis_may_take_does_not_begin(shop: App) -> None:
    client = shop.views.client
    found = needs_of(shop, FOLDS)
    assert (found.problem, found.free) == ("", None)
    assert found.keys == sum(made["entries"] for made in digests_of(shop).values())  # type: ignore[misc]
    used = int(client.info("memory")["used_memory"])
    try:
        client.config_set("maxmemory", used + found.size // 2)
        assert "raise maxmemory, drop old versions, or rebuild fold by fold" in needs_of(shop, FOLDS).problem
    finally:
        client.config_set("maxmemory", 0)


def fill_disk(client: redis.Redis, folder: Path) -> None:
    """Have Redis write its next file to a device that is always full."""
    log = next(folder.rglob("*.incr.aof"))
    name, number, *rest = log.name.rsplit(".", 3)
    log.with_name(".".join([name, str(int(number) + 1), *rest])).symlink_to("/dev/full")
    client.bgrewriteaof()
    eventually(lambda: client.info("persistence")["aof_rewrite_in_progress"] == 0)


def test_a_redis_whose_disk_is_full_stops_the_rebuild_and_the_next_one_goes_on(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = EmbeddedRedis(tmp_path / "valkey")
    server.start()
    try:
        with running(replace(settings, redis_url=server.url)) as shop:
            shop.handler.handle_all(list(requests(shoppings=10)))
            shop.follower().catch_up()
            before, client = digests_of(shop), shop.views.client
            client.set_retry(Retry(NoBackoff(), 0))
            load = Fill.load

            def on_a_full_disk(self: Fill, *given: Any) -> Any:
                fill_disk(client, tmp_path / "valkey")
                return load(self, *given)

            with monkeypatch.context() as patched:
                patched.setattr(Fill, "load", on_a_full_disk)
                with pytest.raises(ResponseError, match="MISCONF"):
                    VersionRebuild(shop, FOLDS).run()
            assert nothing_switched(shop)
            client.config_set("appendonly", "no")  # as if there were room again
            for lease in client.scan_iter(match="regulars:replay:*"):
                client.delete(lease)
            done = VersionRebuild(shop, FOLDS).run()
            assert (done.resumed, digests_of(shop.refreshed())) == (True, before)
    finally:
        server.stop()


def test_a_redis_that_runs_out_of_memory_stops_the_rebuild_and_the_next_one_goes_on(
    shop: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, before, load = shop.views.client, digests_of(shop), Fill.load

    def cramped(self: Fill, loader: KeyLoader, *given: Any) -> Any:
        client.config_set("maxmemory", 1)
        try:
            return load(self, loader, *given)
        finally:
            client.config_set("maxmemory", 0)

    with monkeypatch.context() as patched:
        patched.setattr(Fill, "load", cramped)
        with pytest.raises(ResponseError, match="maxmemory"):
            VersionRebuild(shop, FOLDS).run()
    assert nothing_switched(shop)
    done = VersionRebuild(shop, FOLDS).run()
    assert (done.resumed, digests_of(shop.refreshed())) == (True, before)


def test_what_another_program_has_begun_is_not_gone_on_with(shop: App, monkeypatch: pytest.MonkeyPatch) -> None:
    rebuild = VersionRebuild(shop, [BY_NAME["card"]])
    with monkeypatch.context() as older:
        older.setattr("streams.replay.rebuild.version.version_of", lambda _: "0.0.1")
        with rebuild.leased():
            rebuild.fill(rebuild.reserve()[0])
    done = VersionRebuild(shop, [BY_NAME["card"]]).run()
    assert (done.resumed, done.version) == (False, "v3")
    assert not [key for key in shop.views.client.scan_iter(match="v2:*") if b":checkpoint:" not in key]


def test_an_unfinished_rebuild_holds_back_no_erasure_once_its_lease_has_ended(shop: App) -> None:
    rebuild = VersionRebuild(shop, [BY_NAME["card"]])
    with rebuild.leased():
        rebuild.reserve()
    assert [one.state for one in Generations(shop.views.client).all()] == ["filling"]
    shop.handler.handle(Request("erase", (EraseMember("m-3", START + 10**12),)))
    shop.follower().catch_up()
    assert shop.log.incomplete_erasures() == {}
