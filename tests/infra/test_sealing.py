from __future__ import annotations

import time
from base64 import b64decode, b64encode
from collections.abc import Callable
from pathlib import Path
from sqlite3 import connect
from typing import Any

import orjson
import pytest
import redis

from aggregates.cart_events import CartCodeEntered
from aggregates.gift_card import GiftCardBlocked
from aggregates.member import ChangeProfile, EraseMember, MemberProfileChanged, MemberRegistered, RegisterMember
from aggregates.order.fulfilment import OrderReturned
from aggregates.value import replace
from infra.codec import Codec
from infra.embedded.valkey import EmbeddedRedis
from infra.errors import Unreadable
from infra.keys.ring import KeyRing, session_key_name
from infra.settings import Settings
from streams.commands.request import Request
from streams.registry import EVENTS
from streams.running.app import running
from tests.infra.ticks import Place, open_keys

PLANTED: dict[str, Any] = {
    "name": "Xanthippe",
    "email": "xanthippe@example.org",
    "birthday": "1971-07-17",
    "profile": {"hobby": "Xylophone"},
}
WORDS = (b"xanthippe", b"1971-07-17", b"xylophone")
ADA = MemberRegistered(member="ada", **PLANTED, at=1)


@pytest.fixture
def codec(keys: KeyRing) -> Codec:
    return Codec(EVENTS.values(), keys)


def plain(directory: Path) -> dict[str, list[bytes]]:
    """The files below a directory in which a planted word stands."""
    found = {}
    for path in filter(Path.is_file, directory.rglob("*")):
        content = path.read_bytes().lower()
        found[path.name] = [word for word in WORDS if word in content]
    return {name: words for name, words in found.items() if words}


def raw_key(path: Path, member: str) -> bytes:
    with connect(path) as db:
        (key,) = db.execute("SELECT key FROM keys WHERE member = ?", (member,)).fetchone()
    db.close()
    assert isinstance(key, bytes)
    return key


def wait_for_the_file_to_be_written_anew(client: redis.Redis) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        told = client.info("persistence")
        if not told["aof_rewrite_in_progress"] and not told["aof_rewrite_scheduled"]:
            return
        time.sleep(0.01)


def test_no_personal_value_is_readable_in_the_log_or_the_keys(settings: Settings) -> None:
    with running(settings) as app:
        assert app.handler.handle(Request("1", (RegisterMember("ada", 1, **PLANTED),))).accepted
        assert app.handler.handle(Request("2", (ChangeProfile("ada", 2, profile={"hobby": "xylophone"}),))).accepted
        assert not app.handler.handle(Request("3", (RegisterMember("eve", 3, email=PLANTED["email"]),))).accepted
        assert (settings.home / "events.db-wal").stat().st_size, "the write-ahead log is searched as well"
        assert plain(settings.home) == {}
    assert plain(settings.home) == {}


def test_after_an_erasure_nothing_that_is_kept_holds_a_personal_value(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "home")
    server = EmbeddedRedis(settings.valkey)
    try:
        with running(settings) as app:
            app.handler.handle(Request("1", (RegisterMember("ada", 1, **PLANTED),)))
            app.handler.handle(Request("2", (RegisterMember("bob", 1, "Bob"),)))
            follower = app.follower()
            follower.catch_up()
            key = raw_key(settings.keys, "ada")
            app.handler.handle(Request("3", (EraseMember("ada", 2),)))
            follower.catch_up()
            wait_for_the_file_to_be_written_anew(app.views.client)
            assert app.log.read("member-ada")[0][0] == MemberRegistered(
                member="ada", name=None, email=None, birthday=None, profile={}, at=1
            )
            assert app.log.read("member-bob")[0] == [
                MemberRegistered(member="bob", name="Bob", email=None, birthday=None, profile={}, at=1)
            ]
    finally:
        server.stop()
    assert not [path.name for path in settings.home.glob("keys.db*") if key in path.read_bytes()]
    assert plain(settings.home) == {}


def test_with_its_key_destroyed_each_sealed_field_is_blank(codec: Codec, keys: KeyRing) -> None:
    stored = codec.encode(ADA)
    assert codec.decode(*stored) == ADA
    keys.destroy("ada")
    assert codec.decode(*stored) == MemberRegistered(member="ada", name=None, email=None, birthday=None, profile={}, at=1)


def test_in_place_of_a_destroyed_key_no_other_is_made_and_nothing_more_is_kept(codec: Codec, keys: KeyRing) -> None:
    before = codec.encode(ADA)
    for gone in ("ada", "never seen"):
        keys.destroy(gone)
        name, state = codec.encode(replace(ADA, member=gone))
        assert codec.decode(name, state) == MemberRegistered(
            member=gone, name=None, email=None, birthday=None, profile={}, at=1
        )
        assert not any(word in state.lower() for word in WORDS)
    assert codec.decode(*before) == MemberRegistered(member="ada", name=None, email=None, birthday=None, profile={}, at=1), (
        "not damaged: blank"
    )


def test_a_destroyed_key_is_gone_for_whoever_opens_the_file(codec: Codec, keys: KeyRing, place: Place) -> None:
    stored = codec.encode(ADA)
    keys.destroy("ada")
    with open_keys(place) as again:
        assert Codec(EVENTS.values(), again).decode(*stored) == MemberRegistered(
            member="ada", name=None, email=None, birthday=None, profile={}, at=1
        )


def test_a_key_destroyed_by_another_process_is_not_used_from_memory(codec: Codec, keys: KeyRing, place: Place) -> None:
    stored = codec.encode(ADA)
    with open_keys(place) as other:
        other.destroy("ada")
    assert codec.decode(*stored) == MemberRegistered(member="ada", name=None, email=None, birthday=None, profile={}, at=1)


def test_values_that_are_blank_are_not_sealed(codec: Codec) -> None:
    _, state = codec.encode(MemberRegistered(member="ada", name=None, email=None, birthday=None, profile={}, at=1))
    assert orjson.loads(state) == {
        "key": "ada", "member": "ada", "name": None, "email": None, "birthday": None, "profile": {}, "at": 1,
    }  # fmt: skip


def test_the_same_value_is_sealed_differently_each_time(codec: Codec) -> None:
    assert codec.encode(ADA)[1] != codec.encode(ADA)[1]


def test_equal_values_can_be_found_equal_after_reopening(keys: KeyRing, place: Place) -> None:
    with open_keys(place) as again:
        assert again.blind("a@b.example") == keys.blind("a@b.example") != keys.blind("b@b.example")


@pytest.mark.parametrize(
    "moved",
    [
        lambda ada, eve: ("MemberRegistered", ada | {"email": ada["name"]}),
        lambda ada, eve: ("MemberRegistered", eve | {"name": ada["name"]}),
        lambda ada, eve: ("MemberProfileChanged", ada),
    ],
    ids=["to another field", "to another member", "to another event"],
)
def test_a_sealed_value_does_not_open_where_it_was_moved(
    codec: Codec, moved: Callable[[dict[str, object], dict[str, object]], tuple[str, dict[str, object]]]
) -> None:
    ada, eve = (orjson.loads(codec.encode(MemberRegistered(member=member, **PLANTED, at=1))[1]) for member in ("ada", "eve"))
    name, raw = moved(ada, eve)
    with pytest.raises(Unreadable):
        codec.decode(name, orjson.dumps(raw))


@pytest.mark.parametrize(
    "damage",
    [
        lambda sealed: b64encode(b64decode(sealed)[:-1]).decode(),
        lambda sealed: b64encode(b64decode(sealed)[:5]).decode(),
        lambda sealed: sealed[:-1],
        lambda sealed: "Xanthippe",
        lambda sealed: "",
        lambda sealed: 7,
    ],
    ids=["cut", "shorter than its nonce", "no base64", "plain text", "empty", "a number"],
)
def test_a_damaged_sealed_value_is_said_to_be_unreadable(codec: Codec, damage: Callable[[str], object]) -> None:
    raw = orjson.loads(codec.encode(ADA)[1])
    with pytest.raises(Unreadable):
        codec.decode("MemberRegistered", orjson.dumps(raw | {"name": damage(raw["name"])}))


def test_ids_that_look_alike_do_not_share_a_context(codec: Codec) -> None:
    for member in ("a/b", "a", "ä", "a/name", "é\u0301"):
        event = MemberProfileChanged(member=member, **PLANTED, at=1)
        assert codec.decode(*codec.encode(event)) == event


def test_the_reasons_of_returns_and_of_blocked_cards_are_sealed_where_they_are_about_somebody(
    keys: KeyRing, codec: Codec
) -> None:
    back = OrderReturned(
        order="o", member="ada", session=None, returned="r", parts=(), restock=True, complete=True, reason="Xylophone", at=1
    )
    blocked = GiftCardBlocked(card="ada-card", member="ada", actor="kim", reason="Xylophone", at=1)
    for event in (back, blocked):
        name, stored = codec.encode(event)
        assert b"Xylophone" not in stored
        assert codec.decode(name, stored) == event
    nobodys = replace(blocked, member=None)
    name, stored = codec.encode(nobodys)
    assert b"Xylophone" in stored
    assert codec.decode(name, stored) == nobodys
    keys.destroy("ada")
    assert codec.decode(*codec.encode(nobodys)) == nobodys


def test_a_code_of_a_guests_cart_is_sealed_with_the_session(keys: KeyRing, codec: Codec) -> None:
    entered = CartCodeEntered(cart="c", member=None, session="s", code="XYLOPHONE", at=1)
    name, stored = codec.encode(entered)
    assert b"XYLOPHONE" not in stored
    assert codec.decode(name, stored) == entered
    keys.destroy(session_key_name("s"))
    assert codec.decode(name, stored) == replace(entered, code="")
