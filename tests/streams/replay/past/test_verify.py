"""``regulars verify`` finds every kind of damage in Redis, by key and field, repairs it, and disturbs no live follower."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import redis

from aggregates.member import ChangeProfile, RegisterMember
from aggregates.programme import Programme
from infra.redis.checkpoints import LOG, Checkpoint, checkpoint_key
from infra.redis.digest import digests
from infra.settings import Settings
from models.learner import Learner
from streams.commands.request import Request
from streams.projecting.loaders import fold_name
from streams.registry import fold_of_part, folds
from streams.replay.past import verify as verifying
from streams.replay.past.verify import Verification, Verifier
from streams.running.app import App, running
from tests.shop import HOUR, MEMBERS, PRODUCTS, START, requests
from tests.streams.conftest import Command
from tests.streams.replay.past.late_shop import fill

LATER = START + 900 * HOUR


@pytest.fixture
def shop(tmp_path: Path, valkey_url: str, client: redis.Redis) -> Iterator[App]:
    with running(Settings(tmp_path / "home", valkey_url)) as app:
        fill(app, 25)
        app.follower().catch_up()
        yield app


def verify(app: App, **how: Any) -> Verification:
    return Verifier(app, **how).run(folds(app.terms))


def change_document(app: App, key: str, field: str, value: object) -> None:
    name = app.views.key(key)
    app.views.client.set(name, orjson.dumps(orjson.loads(app.views.client.get(name)) | {field: value}))  # type: ignore[arg-type]


def a_key(app: App, part: str) -> str:
    """Return the first key of a part, without the version."""
    return min(name for name in map(bytes.decode, app.views.client.scan_iter(match=app.views.key(f"{part}:*"))))[3:]


def test_what_a_follower_wrote_is_what_the_log_says(shop: App) -> None:
    found = verify(shop)
    assert (found.differences, found.skipped) == ([], {})
    assert set(found.compared) == {fold.name for fold in folds(shop.terms)}
    assert {name for name, count in found.compared.items() if not count} == {"programme"}, "no policy was published"


def set_field(part: str, field: str, value: object) -> Callable[[App], str]:
    def damage(app: App) -> str:
        change_document(app, key := a_key(app, part), field, value)
        return key

    return damage


def lose(part: str) -> Callable[[App], str]:
    def damage(app: App) -> str:
        app.views.client.delete(app.views.key(key := a_key(app, part)))
        return key

    return damage


def set_in_map(part: str, field: str, value: str) -> Callable[[App], str]:
    def damage(app: App) -> str:
        app.views.client.hset(app.views.key(key := a_key(app, part)), field, value)
        return key

    return damage


def extra_key(app: App) -> str:
    card = app.views.client.get(app.views.key(f"card:{MEMBERS[3]}"))
    app.views.client.set(app.views.key("card:nobody"), card or b"")
    return "card:nobody"


def extra_map(app: App) -> str:
    app.views.client.hset(app.views.key("product:nothing"), "views", "3")
    return "product:nothing"


def another_type(app: App) -> str:
    app.views.client.delete(name := app.views.key(key := f"card:{MEMBERS[4]}"))
    app.views.client.hset(name, "points", "5")
    return key


def no_json(app: App) -> str:
    app.views.client.set(app.views.key(key := f"activity:{MEMBERS[4]}"), b'{"member":')
    return key


DAMAGES: dict[str, tuple[Callable[[App], str], str, str | None]] = {
    "a field of a card": (set_field("card", "points", 999_999), "card.1", "points"),
    "a field of an order": (set_field("order", "status", "lost"), "orders.1", "status"),
    "a field of a list of orders": (set_field("orders", "orders", []), "orders.1", "orders"),
    "a field of a wallet": (set_field("wallet", "campaigns", {}), "wallet.2", "campaigns"),
    "a field of an activity": (set_field("activity", "erased", 7), "activity.1", "erased"),
    "a field of a session": (set_field("session", "member", "other"), "sessions.1", "member"),
    "a field of a price": (set_field("price", "order", "other"), "prices.1", "order"),
    "a field of an order's state": (set_field("order-state", "status", "lost"), "orderstates.2", "status"),
    "an order too many in a day's list": (set_in_map("orders-on", "nothing", "3"), "orderlists.2", "nothing"),
    "a field of a lowest price": (set_field("lowest", "price", 1), "lowest.1", "price"),
    "a lost card": (lose("card"), "card.1", None),
    "a lost product": (lose("product"), "product.1", None),
    "a lost day": (lose("sales"), "sales.1", None),
    "a count": (set_in_map("product", "views", "123456"), "product.1", "views"),
    "a text of a tally": (set_in_map("product", "name", "other"), "product.1", "name"),
    "a count that is no number": (set_in_map("product", "views", "many"), "product.1", "views"),
    "a field too many": (set_in_map("sales", "cats", "3"), "sales.1", "cats"),
    "a campaign's count": (set_in_map("campaign", "sent", "77"), "campaigns.1", "sent"),
    "a card too many": (extra_key, "card.1", None),
    "a product too many": (extra_map, "product.1", None),
    "a key of another type": (another_type, "card.1", None),
    "half a document": (no_json, "activity.1", None),
}


@pytest.mark.parametrize("what", DAMAGES)
def test_damage_is_named_by_key_and_field_and_repaired(shop: App, what: str) -> None:
    before = digests(shop.views, fold_of_part(shop.terms))
    damage, fold, field = DAMAGES[what]
    key = damage(shop)
    some = [one for one in folds(shop.terms) if one.name == fold.partition(".")[0]]
    found = Verifier(shop).run(some)
    assert {(one.fold, one.key, one.repaired) for one in found.differences} == {(fold, key, False)}
    assert field is None or [one.field for one in found.differences] == [field]
    assert {one.key for one in Verifier(shop, repair=True).run(some).differences if one.repaired} == {key}
    assert Verifier(shop).run(some).differences == []
    assert digests(shop.views, fold_of_part(shop.terms)) == before


def test_every_read_model_has_a_damage() -> None:
    covered = {fold.partition(".")[0] for _, fold, _ in DAMAGES.values()}
    assert {fold.name for fold in folds(Programme())} - covered == {"learner", "cart", "programme", "giftcards"}


def test_the_learner_is_compared_but_only_a_rebuild_mends_it(shop: App) -> None:
    key = a_key(shop, "recommend")
    change_document(shop, key, "items", [])
    found = verify(shop, repair=True)
    learner = fold_name(Learner)
    assert [(one.fold, one.key, one.field, one.repaired) for one in found.differences] == [(learner, key, "items", False)]
    shop.views.client.zincrby(shop.views.key(ranking := a_key(shop, "trending")), 64, PRODUCTS[0])
    assert {(one.key, one.field) for one in verify(shop).differences} == {(key, "items"), (ranking, PRODUCTS[0])}


def test_a_sample_finds_damage_among_its_keys_and_is_the_same_each_time(shop: App) -> None:
    change_document(shop, f"card:{MEMBERS[3]}", "points", 999_999)
    whole = verify(shop, sample=10_000)
    assert [(one.key, one.field) for one in whole.differences] == [(f"card:{MEMBERS[3]}", "points")]
    assert "learner" in whole.skipped
    first, again, other = (verify(shop, sample=20, seed=seed).compared for seed in (1, 1, 2))
    assert first == again != other
    assert sum(first.values()) == 20


def test_repairing_a_count_keeps_what_was_added_meanwhile(shop: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fold moves between the reading and the repair: then nothing is written, and the page is read again."""
    key = a_key(shop, "sales")
    shop.views.client.hincrby(shop.views.key(key), "orders", 5)
    shop.handler.handle(Request("more", (RegisterMember("meanwhile", START, "M"),)))
    make, times = verifying.repairing, [0]

    def moving(*args: Any, **more: Any) -> Any:
        times[0] += 1
        if times[0] == 1:
            shop.follower().catch_up()
        return make(*args, **more)

    monkeypatch.setattr(verifying, "repairing", moving)
    sales = [fold for fold in folds(shop.terms) if fold.name == "sales"]
    assert {one.key for one in Verifier(shop, repair=True).run(sales).differences} == {key}
    assert times[0] > 1
    assert Verifier(shop).run(sales).differences == []


def test_a_follower_that_holds_the_damage_in_memory_reads_the_repair(shop: App) -> None:
    member = MEMBERS[3]
    change_document(shop, f"card:{member}", "registered_at", 1)
    follower = shop.follower()
    shop.handler.handle(Request("touch", (ChangeProfile(member, LATER, profile={"now": "read"}),)))
    follower.catch_up()
    assert verify(shop, repair=True).differences[0].repaired
    assert shop.views.checkpoints_in(LOG, ["card.1"])["card.1"].amended == 1
    assert int(shop.views.client.get(shop.views.key(checkpoint_key("card.1", LOG))) or 0) == shop.log.head()
    shop.handler.handle(Request("after", (ChangeProfile(member, LATER, profile={"now": "written"}),)))
    follower.catch_up()
    assert verify(shop).differences == []
    assert shop.views.checkpoints_in(LOG, ["card.1"])["card.1"] == Checkpoint(shop.log.head())


def test_it_says_nothing_wrong_while_a_follower_runs(tmp_path: Path, valkey_url: str, client: redis.Redis) -> None:
    with running(Settings(tmp_path / "busy", valkey_url)) as app:
        asked = list(requests(150))
        app.handler.handle_all(asked[:100])
        follower, stopped = app.follower(), threading.Event()
        follower.catch_up()
        live = threading.Thread(target=follower.follow, args=(stopped,), daemon=True)
        live.start()
        try:
            writer = threading.Thread(target=deque, args=(map(app.handler.handle, asked[100:]), 0), daemon=True)
            writer.start()
            looks = 0
            while writer.is_alive():
                assert Verifier(app).run([fold for fold in folds(app.terms) if fold.name != "learner"]).differences == []
                looks += 1
            writer.join()
        finally:
            stopped.set()
            live.join()
        assert looks > 1


def test_the_command_shows_differences_and_ends_with_status_1(command: Command, tmp_path: Path, valkey_url: str) -> None:
    with running(Settings(tmp_path / "home", valkey_url)) as app:
        fill(app, 8)
        app.follower().catch_up()
        assert command("verify").status == 0
        change_document(app, f"card:{MEMBERS[3]}", "points", 999_999)
        said = command("verify", "card")
        assert (said.status, b"999999" in said.out, "1 differ" in said.err) == (1, True, True)
        told = command("verify", "card", "--repair", "--json")
        assert (told.status, told.json["differences"][0]["repaired"]) == (1, True)
        assert command("verify", "card", "--json").json["differences"] == []
        assert command("verify", "cats").status == 2
