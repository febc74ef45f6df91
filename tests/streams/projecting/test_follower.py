from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from aggregates.behaviour import Searched, Viewed
from aggregates.member import EraseMember, RegisterMember
from aggregates.order.decider import PayOrder
from aggregates.order.fulfilment import DeliverOrder
from aggregates.product import ListProduct
from aggregates.value import replace
from infra.errors import Misconfigured
from infra.settings import CHUNK, Settings
from projections.activity import Activity
from projections.card import Card
from streams.commands.request import Request
from streams.kafka.worker.wiring import complete_seen_erasures
from streams.projecting.follower import Followed, Follower
from streams.projecting.loaders import fold_name
from streams.registry import folds
from streams.running.app import App, running
from tests.redis_content import content
from tests.shop import MEMBERS, START, line, place, requests

FORGOTTEN = MEMBERS[0]


def naming(app: App, word: str) -> list[str]:
    """Keys in whose name or content a word stands."""
    return [key for key, value in content(app.views.client).items() if word in key.split(":") or word in repr(value)]


def assert_nothing_is_left(app: App, member: str) -> None:
    """Nothing but a card, an activity, and a note of the learner's, that say no more than that their member was erased."""
    assert sorted(naming(app, member)) == [f"v1:activity:{member}", f"v1:card:{member}", f"v1:repeat:{member}"]
    assert app.views.hashes([f"repeat:{member}"]) == {f"repeat:{member}": {".erased": "1"}}
    card = app.views.load([f"card:{member}"], {"card": Card})[f"card:{member}"]
    assert replace(card, as_of=0, position=0) == Card(member, "erased")
    activity = app.views.load([f"activity:{member}"], {"activity": Activity})[f"activity:{member}"]
    assert replace(activity, as_of=0, position=0) == Activity(member, erased=True)


def test_erasing_a_member_purges_every_view_of_theirs(app: App) -> None:
    every = list(requests(shoppings=120))
    at = next(n for n, request in enumerate(every) if any(isinstance(command, EraseMember) for command in request.known))
    follower = app.follower()
    app.handler.handle_all(every[:at])
    follower.catch_up()
    views = {key.split(":")[1] for key in naming(app, FORGOTTEN)}
    assert views >= {"activity", "card", "orders", "order", "wallet", "recommend", "repeat"}
    assert naming(app, f"Name of {FORGOTTEN}")
    app.handler.handle_all(every[at:])
    follower.catch_up()
    assert_nothing_is_left(app, FORGOTTEN)
    assert naming(app, f"Name of {FORGOTTEN}") == naming(app, f"{FORGOTTEN}@example.org") == []


def test_an_erased_member_is_in_no_view_that_is_built_later(app: App) -> None:
    app.handler.handle_all(list(requests(shoppings=120)))
    app.follower().catch_up()
    assert_nothing_is_left(app, FORGOTTEN)
    assert naming(app, MEMBERS[-1])


def test_later_events_of_an_erased_members_order_bring_no_view_back(app: App) -> None:
    app.handler.handle(Request("1", (RegisterMember("ada", START), place("o", "ada", line("tea")), PayOrder("o", START))))
    app.handler.handle(Request("2", (EraseMember("ada", START),)))
    app.handler.handle(Request("3", (DeliverOrder("o", START),)))
    app.follower().catch_up()
    assert_nothing_is_left(app, "ada")


@pytest.mark.parametrize("name", ["two\x1fparts", "", ".dot", "a\nb\x00c", "漢 字", "s"])
def test_the_next_process_goes_on_from_redis_with_any_product_id(app: App, name: str) -> None:
    products = (".p", ".baskets", ".shown", "p p")
    app.handler.handle(Request("list", tuple(ListProduct(product, START, name, name) for product in products)))
    for n in range(3):
        order = place(f"o{n}", "ada", *map(line, products), at=START + n)
        app.handler.handle(Request(f"o{n}", (order, PayOrder(f"o{n}", START + n))))
        app.follower().catch_up()
    found = content(app.views.client, positions=False)
    app.views.client.flushall()
    app.announce()
    app.follower().catch_up()
    assert content(app.views.client, positions=False) == found


def test_without_models_the_learner_waits_where_it_is(app: App) -> None:
    app.handler.handle_all(list(requests(shoppings=10)))
    assert app.follower(models=False).catch_up() == app.log.head()
    positions = app.views.positions([fold_name(fold) for fold in folds(app.terms)])
    assert {name for name, at in positions.items() if at != app.log.head()} == {"learner.4"}
    assert app.follower().catch_up() == app.log.head()
    assert set(app.views.positions(list(positions)).values()) == {app.log.head()}


def test_a_follower_reports_how_far_it_has_come(app: App) -> None:
    app.handler.handle_all(list(requests(shoppings=240)))
    told: list[int] = []
    head = app.follower().catch_up(told.append)
    assert told == [*range(CHUNK, head, CHUNK), head]


def test_keeping_up_projects_whole_chunks_and_leaves_the_rest(app: App) -> None:
    follower = app.follower()
    assert follower.keep_up() == 0
    app.handler.handle_all(list(requests(shoppings=240)))
    head = app.log.head()
    assert follower.keep_up() == head // CHUNK * CHUNK > 0
    assert follower.keep_up() == follower.position, "nothing new, nothing sent"
    assert follower.catch_up() == reached(app) == head


def reached(app: App) -> int:
    """How far every fold has come in Redis."""
    return min(app.views.positions([fold_name(fold) for fold in folds(app.terms)]).values())


def test_a_follower_keeps_the_views_up_as_events_come(app: App) -> None:
    done = threading.Event()
    thread = threading.Thread(target=app.follower().follow, args=(done,))
    thread.start()
    try:
        app.handler.handle_all(list(requests(shoppings=10)))
        deadline = time.monotonic() + 20
        while reached(app) < app.log.head() and time.monotonic() < deadline:
            time.sleep(0.005)
        assert reached(app) == app.log.head()
    finally:
        done.set()
        thread.join(20)
    assert not thread.is_alive()


def listed(*products: str) -> Request:
    return Request(f"list {products}", tuple(ListProduct(product, START) for product in products))


def copied(source: Path, target: Path) -> None:
    """A copy of a log as a backup makes it."""
    for path in target.parent.glob(f"{target.name}*"):
        path.unlink()
    with closing(sqlite3.connect(source)) as log, closing(sqlite3.connect(target)) as copy:
        log.backup(copy)


def test_a_log_older_than_its_read_models_is_refused(settings: Settings, tmp_path: Path) -> None:
    with running(settings) as app:
        app.handler.handle(listed("tea"))
        app.follower().catch_up()
        copied(settings.log, tmp_path / "backup.db")
        app.handler.handle(listed("milk", "rice"))
        app.follower(models=False).catch_up()
    copied(tmp_path / "backup.db", settings.log)
    with running(settings) as app:
        before = content(app.views.client)
        with pytest.raises(Misconfigured, match="read models stand at 3, the log ends at 1: an older log was restored"):
            app.follower().catch_up()
        assert content(app.views.client) == before
        app.views.client.flushall()
        assert app.follower().catch_up() == 1


def test_a_redis_filled_from_another_log_is_refused(settings: Settings, tmp_path: Path) -> None:
    with running(settings) as app:
        app.handler.handle(listed("tea"))
        app.follower().catch_up()
        before = content(app.views.client)
        other = replace(settings, home=tmp_path / "other")
        with pytest.raises(Misconfigured, match="read models of another log"), running(other):
            pass
        assert content(app.views.client) == before
    with running(settings) as again:
        assert again.follower().catch_up() == 1


def test_an_erasure_is_complete_once_every_fold_has_passed_it(app: App) -> None:
    app.handler.handle_all(list(requests(shoppings=20)))
    erased = app.log.incomplete_erasures()
    assert erased, "a member is erased in the midst"
    complete_seen_erasures(app)
    assert app.log.incomplete_erasures() == erased, "no fold has come so far"
    Follower(app.log, lambda: Followed(app.follower().dispatch), complete=False).catch_up()
    assert app.log.incomplete_erasures() == erased, "this follower completes none"
    complete_seen_erasures(app)
    assert app.log.incomplete_erasures() == {}


def in_files(folder: Path, word: str) -> list[Path]:
    """Return the files of a Redis in which a word stands."""
    return [path for path in folder.rglob("*") if path.is_file() and word.encode() in path.read_bytes()]


def test_an_erasure_reaches_what_the_members_sessions_did_as_guests(app: App) -> None:
    app.handler.handle(listed("p1"))
    searched = Searched(query="QMARKGUEST1", member=None, session="gs", shown=("p1",), at=START)
    seen = Viewed(product="p1", member="vic", session="gs", at=START + 1)
    app.handler.handle(Request("guest", (searched, Viewed(product="p1", member=None, session="gs", at=START))))
    app.handler.handle(Request("member", (seen,)))
    follower = app.follower()
    follower.catch_up()
    files = Path(str(app.views.client.config_get("dir")["dir"]))
    assert "v1:visit:gs" in naming(app, "QMARKGUEST1")
    assert in_files(files, "QMARKGUEST1")
    app.handler.handle(Request("erase", (RegisterMember("vic", START), EraseMember("vic", START + 2))))
    follower.catch_up()
    assert app.log.incomplete_erasures() == {}
    assert naming(app, "QMARKGUEST1") == [key for key in naming(app, "gs") if "checkpoint" not in key] == []
    assert not in_files(files, "QMARKGUEST1")
    found = content(app.views.client, positions=False)
    app.views.client.flushall()
    app.announce()
    app.follower().catch_up()
    assert content(app.views.client, positions=False) == found
