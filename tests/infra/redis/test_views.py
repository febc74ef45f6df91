from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import redis

from aggregates.delta import Delta
from infra.embedded.valkey import connect
from infra.errors import Misconfigured, Superseded, Unreachable, Unreadable
from infra.redis.checkpoints import Checkpoint
from infra.redis.commit import CheckpointedWrite
from infra.redis.views import Views
from tests.redis_content import content

EXACT = 2**53


@dataclass(frozen=True)
class Page:
    title: str
    visits: int = 0


@pytest.fixture
def views(client: redis.Redis) -> Views:
    return Views(client)


def everything() -> Delta:
    delta = Delta(documents={"page:a": Page("A", EXACT), "page:gone": None})
    delta.fields["map"].update(text="t", number=EXACT, nothing=None)
    delta.count("map", "count", 2)
    delta.score("ranking", "a", 3)
    return delta


def count(by: int = 1) -> Delta:
    delta = Delta()
    delta.count("map", "count", by)
    return delta


def test_a_commit_writes_every_kind_of_view_and_moves_the_checkpoint(views: Views) -> None:
    views.client.set("v1:page:gone", "{}")
    views.client.hset("v1:map", "nothing", "was here")
    views.apply([CheckpointedWrite("fold.1", Checkpoint(0), Checkpoint(7), everything())])
    assert content(views.client) == {
        "v1:page:a": {"title": "A", "visits": EXACT},
        "v1:map": {"text": "t", "number": str(EXACT), "count": "2"},
        "v1:ranking": {"a": 3.0},
        "v1:checkpoint:fold.1:log:0": 7,
        "v1:checkpoint:copy:fold.1:log:0": 7,
    }
    assert views.positions(["fold.1", "other.1"]) == {"fold.1": 7, "other.1": 0}


def test_a_write_applied_twice_changes_nothing(views: Views) -> None:
    step = CheckpointedWrite("fold.1", Checkpoint(0), Checkpoint(7), everything())
    assert views.apply([step])
    before = content(views.client)
    assert not views.apply([step]), "what it was folded from may have had it already"
    assert content(views.client) == before


@pytest.mark.parametrize(("held", "before"), [(5, 0), (5, 4), (5, 6)], ids=["begun", "moved on", "restored"])
def test_a_write_from_another_checkpoint_is_refused_and_changes_nothing(views: Views, held: int, before: int) -> None:
    views.apply([CheckpointedWrite("fold.1", Checkpoint(0), Checkpoint(held), count())])
    known = content(views.client)
    with pytest.raises(Superseded, match=rf"fold\.1 stands at {held} in Redis, not at {before}"):
        views.apply([CheckpointedWrite("fold.1", Checkpoint(before), Checkpoint(9), everything())])
    assert content(views.client) == known


def test_each_fold_has_a_checkpoint_of_its_own(views: Views) -> None:
    views.apply(
        [
            CheckpointedWrite("one.1", Checkpoint(0), Checkpoint(3), count()),
            CheckpointedWrite("two.1", Checkpoint(0), Checkpoint(5), count(10)),
        ]
    )
    views.apply([CheckpointedWrite("two.1", Checkpoint(5), Checkpoint(6), count(100))])
    assert views.positions(["one.1", "two.1"]) == {"one.1": 3, "two.1": 6}
    assert views.hashes(["map", "none"]) == {"map": {"count": "111"}, "none": {}}


def test_versions_of_the_views_do_not_touch_each_other(views: Views) -> None:
    second = Views(views.client, "v2")
    views.apply([CheckpointedWrite("one.1", Checkpoint(0), Checkpoint(3), count())])
    second.apply([CheckpointedWrite("one.1", Checkpoint(0), Checkpoint(1), count(5))])
    assert (views.hashes(["map"]), second.hashes(["map"])) == ({"map": {"count": "1"}}, {"map": {"count": "5"}})
    views.announce("log-1")
    second.announce("log-1")
    assert views.client.get("regulars:version") == b"v1"


def test_a_redis_holds_the_read_models_of_one_log(views: Views) -> None:
    views.announce("log-1")
    assert views.client.get("regulars:log") == b"log-1"
    before = content(views.client)
    for version in ("v1", "v2"):
        with pytest.raises(Misconfigured, match="read models of another log"):
            Views(views.client, version).announce("log-2")
    assert content(views.client) == before
    views.client.flushall()
    views.announce("log-2")
    assert views.client.get("regulars:log") == b"log-2"


def test_the_script_is_loaded_again_when_the_server_has_lost_it(views: Views) -> None:
    views.apply([CheckpointedWrite("one.1", Checkpoint(0), Checkpoint(1), count())])
    views.client.script_flush()
    views.apply(
        [
            CheckpointedWrite("one.1", Checkpoint(1), Checkpoint(2), count()),
            CheckpointedWrite("two.1", Checkpoint(0), Checkpoint(2), count()),
        ]
    )
    assert views.hashes(["map"]) == {"map": {"count": "3"}}


def test_no_writes_and_no_keys_are_allowed(views: Views) -> None:
    views.apply([])
    assert (views.load([], {}), views.hashes([]), views.positions([])) == ({}, {}, {})
    assert content(views.client) == {}


def test_more_arguments_than_the_script_may_unpack_are_sent_in_parts(views: Views) -> None:
    many = 9001
    delta = Delta(documents={f"page:{n}": Page("p") for n in range(many)})
    delta.fields["map"].update({f"f{n}": n for n in range(many)})
    views.apply([CheckpointedWrite("one.1", Checkpoint(0), Checkpoint(1), delta)])
    assert views.client.hlen("v1:map") == many
    assert len(views.load([f"page:{n}" for n in range(many)], {"page": Page})) == many
    gone = Delta(documents={f"page:{n}": None for n in range(many)})
    gone.fields["map"].update({f"f{n}": None for n in range(1, many)})
    views.apply([CheckpointedWrite("one.1", Checkpoint(1), Checkpoint(2), gone)])
    assert content(views.client) == {
        "v1:map": {"f0": "0"},
        "v1:checkpoint:one.1:log:0": 2,
        "v1:checkpoint:copy:one.1:log:0": 2,
    }


@pytest.mark.parametrize("number", [EXACT, EXACT - 1, -EXACT, 10**15 + 1, 0, -1])
def test_numbers_are_exact_up_to_two_to_the_53rd(views: Views, number: int) -> None:
    delta = Delta(documents={"page:n": Page("n", number)})
    delta.fields["map"]["set"] = number
    delta.count("map", "counted", number)
    delta.score("ranking", "scored", number)
    views.apply([CheckpointedWrite("one.1", Checkpoint(0), Checkpoint(EXACT - 1), delta)])
    assert views.load(["page:n"], {"page": Page}) == {"page:n": Page("n", number)}
    expected = {"set": str(number)} | ({"counted": str(number)} if number else {})
    assert views.hashes(["map"]) == {"map": expected}
    assert views.client.zscore("v1:ranking", "scored") == (float(number) if number else None)
    assert views.positions(["one.1"]) == {"one.1": EXACT - 1}


@pytest.mark.parametrize("text", ["", "x" * 100_000, "ü漢\u2028", '"\\n"', "nul\x00inside"])
def test_text_comes_back_as_it_was(views: Views, text: str) -> None:
    delta = Delta(documents={"page:t": Page(text)})
    delta.fields["map"]["t"] = text
    views.apply([CheckpointedWrite("one.1", Checkpoint(0), Checkpoint(1), delta)])
    assert views.load(["page:t", "page:none"], {"page": Page}) == {"page:t": Page(text), "page:none": None}
    assert views.hashes(["map"]) == {"map": {"t": text}}


@pytest.mark.parametrize("raw", ["{", "[]", '{"title": 1}'])
def test_a_view_that_its_fold_did_not_write_is_unreadable(views: Views, raw: Any) -> None:
    views.client.set("v1:page:a", raw)
    with pytest.raises(Unreadable, match=r"v1:page:a.*rebuild"):
        views.load(["page:a"], {"page": Page})


def test_a_server_that_does_not_answer_is_named(tmp_path_factory: pytest.TempPathFactory) -> None:
    url = f"unix://{tmp_path_factory.mktemp('nobody')}/redis.sock"
    with pytest.raises(Unreachable, match=f"does not answer at {url}.*REDIS_URL"):
        connect(url)
