"""The stock of a reward over all members: what is claimed is gone, what is returned is there again, once."""

from __future__ import annotations

from aggregates.membership.commands import AdjustPoints, ClaimReward, ReturnPoints
from aggregates.programme.policy import PublishPolicy
from streams.commands.request import Request
from streams.running.app import App
from tests.databases import in_both_databases
from tests.shop import START

pytestmark = in_both_databases


def asked(app: App, name: str, *commands: object) -> str:
    return app.handler.handle(Request(name, commands)).code


def offering(app: App, stock: str | None, at: int = START) -> None:
    mug = {"id": "mug", "gives": "product", "item": "mug-01", "price": "10"}
    rewards = [mug if stock is None else {**mug, "stock": stock}]
    assert asked(app, f"policy {at}", PublishPolicy({"rewards": rewards}, at, "kim", at)) == ""


def rich(app: App, *members: str) -> None:
    for member in members:
        assert asked(app, f"points of {member}", AdjustPoints(member, "opening", 100, "to spend", "kim", START)) == ""


def claim(app: App, member: str, name: str, at: int = START) -> str:
    return asked(app, name, ClaimReward(member, name, "mug", at))


def test_a_piece_that_comes_back_is_the_next_ones(app: App) -> None:
    offering(app, "1")
    rich(app, "ada", "eve")
    assert claim(app, "ada", "1") == ""
    assert claim(app, "eve", "2") == "reward_exhausted"
    assert asked(app, "back", ReturnPoints("ada", "1", "broken", START)) == ""
    assert claim(app, "eve", "3") == ""
    assert claim(app, "ada", "4") == "reward_exhausted"


def test_a_piece_comes_back_once_however_often_that_is_asked(app: App) -> None:
    offering(app, "2")
    rich(app, "ada")
    assert [claim(app, "ada", name) for name in ("1", "2")] == ["", ""]
    back = ReturnPoints("ada", "1", "broken", START)
    assert [asked(app, name, back) for name in ("a", "b")] == ["", ""]
    assert asked(app, "c", ReturnPoints("ada", "1", "again", START)) == "nothing_left"
    assert [claim(app, "ada", name) for name in ("3", "4")] == ["", "reward_exhausted"]


def test_what_was_refused_has_given_nothing_back(app: App) -> None:
    offering(app, "1")
    rich(app, "ada")
    assert claim(app, "ada", "1") == ""
    back = ReturnPoints("ada", "1", "broken", START)
    assert asked(app, "both", back, ReturnPoints("ada", "unknown", "broken", START)) == "redemption_unknown"
    assert claim(app, "ada", "2") == "reward_exhausted"


def test_a_claim_made_before_there_was_a_bound_gives_none_of_the_bounded_back(app: App) -> None:
    offering(app, None)
    rich(app, "ada")
    assert claim(app, "ada", "1") == ""
    offering(app, "1", START + 1)
    assert claim(app, "ada", "2", START + 1) == ""
    assert asked(app, "back", ReturnPoints("ada", "1", "broken", START + 1)) == ""
    assert claim(app, "ada", "3", START + 1) == "reward_exhausted"
