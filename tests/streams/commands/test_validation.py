"""What is no command, or names what cannot be named, is refused before anything is read by it, and nobody else pays for it."""

from __future__ import annotations

from typing import Any

import pytest

from aggregates.behaviour import Viewed
from aggregates.cart import AddToCart, OpenCart
from aggregates.coupon import SendCoupon
from aggregates.member import CloseMember, RegisterMember
from aggregates.membership.commands import GrantPoints, RedeemPoints
from aggregates.order.decider import PayOrder
from aggregates.order.placing import PlaceOrder
from aggregates.product import ListProduct
from aggregates.review import ReviewProduct
from aggregates.value import replace
from streams.commands.request import LONGEST_REQUEST_ID, Request
from streams.running.app import App
from tests.databases import in_both_databases
from tests.shop import START, line, place

pytestmark = in_both_databases

NO: Any = object()
NO_IDS: tuple[Any, ...] = ("\0", "\ud800", "x" * 10_000, 5, 10**5000, None, ["a"])
UNREADABLE: tuple[object, ...] = (
    ListProduct("p", START, name=NO),
    ListProduct("p", START, price=10**30),
    ListProduct("p", START, embedding=(float("nan"),)),
    ListProduct("p", START, attributes={"a": NO}),
    RegisterMember("m", START, name="\ud800"),
    CloseMember("m", START, reason=NO),
    RedeemPoints("m", "r", 1.0, START),  # type: ignore[arg-type]
    RedeemPoints("m", "r", True, START),
    Viewed(product="p", member="m", session=None, at=START, place=float("inf")),  # type: ignore[arg-type]
    place("o", "m", NO),
    place("o", "m", replace(line("p"), total=NO)),
    PlaceOrder("o", [line("p")], "USD", START),  # type: ignore[arg-type]
)


def test_an_id_that_is_none_is_refused_and_its_neighbours_are_answered(app: App) -> None:
    asked = [
        command
        for wrong in NO_IDS
        for command in (
            RedeemPoints(wrong, "r", 1, START),
            SendCoupon(wrong, "m", START),
            SendCoupon("c", wrong, START),
            ReviewProduct(wrong, START, 9, "m"),
            PayOrder(wrong, START),
            Viewed(product=wrong, member="m", session=None, at=START),
        )
    ]
    fine = [Request(f"list {n}", (ListProduct(f"p{n}", START),)) for n in range(2)]
    bad = [Request(f"{n}", (command,)) for n, command in enumerate(asked)]
    first, *outcomes, last = app.handler.handle_all([fine[0], *bad, fine[1]])
    assert first.accepted
    assert last.accepted
    assert app.log.head() == 2
    for outcome in outcomes:
        assert outcome.code == "command_invalid" or outcome.code.endswith("_id_invalid")


def test_a_value_that_could_not_be_read_again_is_refused_with_all_that_was_asked_beside_it(app: App) -> None:
    asked = [Request(f"{n}", (RegisterMember("ada", START), command)) for n, command in enumerate(UNREADABLE)]
    assert {outcome.code for outcome in app.handler.handle_all(asked)} == {"command_invalid"}
    assert app.log.head() == 0


def test_only_commands_are_asked_for_and_not_those_that_follow(app: App) -> None:
    follows = GrantPoints("m", "o", 10**9, START)
    outcomes = app.handler.handle_all([Request("1", ("hello",)), Request("2", (follows,))])
    assert [outcome.code for outcome in outcomes] == ["command_unknown", "reaction_only"]


def test_a_sentence_cites_nothing_that_no_database_can_keep(app: App) -> None:
    request = Request("r", (PlaceOrder("o", (line("tea"),), "\0", START),))
    first = app.handler.handle(request)
    assert first.code == "currency_unknown"
    assert app.handler.handle(request).sentence == first.sentence


def test_what_a_plan_asks_for_is_looked_at_as_well(app: App) -> None:
    outcome = app.handler.handle(Request("r", lambda _: iter([OpenCart("c", START, "m"), AddToCart(NO, "tea", START)])))
    assert (outcome.code, app.log.head()) == ("command_invalid", 0)


def test_a_request_has_an_id_that_can_be_kept(app: App) -> None:
    for name in ("", "a\0", "a\ud800", "x" * (LONGEST_REQUEST_ID + 1)):
        with pytest.raises(ValueError, match="A request's id is"):
            app.handler.handle(Request(name, ()))


def test_the_longest_ids_fit(app: App) -> None:
    longest = "🂡" * 200
    review = ReviewProduct(longest, START, 9, member=longest, order=longest)
    assert app.handler.handle(Request("🂡" * LONGEST_REQUEST_ID, (review, ReviewProduct("%" * 200, START, 9, "m")))).accepted
    assert app.log.head() == 2
