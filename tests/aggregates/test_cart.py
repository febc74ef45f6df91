from __future__ import annotations

from typing import Any

import pytest

from aggregates.cart import (
    AbandonCart,
    AddToCart,
    ChangeQuantity,
    CheckOutCart,
    Command,
    OpenCart,
    RemoveFromCart,
    cart,
)
from aggregates.cart_events import (
    CartAbandoned,
    CartCheckedOut,
    CartItemAdded,
    CartItemQuantityChanged,
    CartItemRemoved,
    CartOpened,
    Event,
)
from aggregates.decider import LARGEST_COUNT
from tests.aggregates.given import CONTEXT, ask, refusing

WHOSE: dict[str, Any] = {"cart": "c", "member": "m", "session": "s"}
OPENED = CartOpened(**WHOSE, at=1)
TEA = CartItemAdded(**WHOSE, product="tea", quantity=2, price=599, at=2)
MILK = CartItemAdded(**WHOSE, product="milk", quantity=1, price=None, at=3)
CHECKED_OUT = CartCheckedOut(**WHOSE, items=(("tea", 2), ("milk", 1)), at=4)
ABANDONED = CartAbandoned(**WHOSE, at=4)
UNKNOWN = cart.rebuild([])
EMPTY = cart.rebuild([OPENED])
FILLED = cart.rebuild([OPENED, TEA, MILK])


@pytest.mark.parametrize(("member", "session"), [("m", None), (None, "s"), ("m", "s")])
def test_a_cart_is_opened_for_a_member_a_session_or_both(member: str | None, session: str | None) -> None:
    assert cart.decide(OpenCart("c", 1, member, session), UNKNOWN, CONTEXT) == [
        CartOpened(cart="c", member=member, session=session, at=1)
    ]


def test_opening_twice_changes_nothing() -> None:
    assert cart.decide(OpenCart("c", 9, "m", "s"), FILLED, CONTEXT) == []


def test_a_cart_of_nobody_is_refused() -> None:
    with refusing("shopper_missing"):
        cart.decide(OpenCart("c", 1), UNKNOWN, CONTEXT)


def test_a_cart_of_somebody_else_is_refused() -> None:
    with refusing("cart_exists"):
        cart.decide(OpenCart("c", 9, "other", "s"), FILLED, CONTEXT)


@pytest.mark.parametrize("end", [CHECKED_OUT])
def test_a_cart_that_is_over_is_not_opened_again(end: Event) -> None:
    with refusing("cart_exists"):
        cart.decide(OpenCart("c", 9, "m", "s"), cart.rebuild([OPENED, TEA, MILK, end]), CONTEXT)


ANEW = OpenCart("c", 9, "m", "s", anew=True)


@pytest.mark.parametrize("end", [CHECKED_OUT])
@pytest.mark.parametrize("whose", [("m", "s"), ("other", None)])
def test_a_shoppers_one_cart_is_opened_anew_and_empty_once_it_is_over(end: Event, whose: tuple[str, str | None]) -> None:
    over = cart.rebuild([OPENED, TEA, MILK, end])
    opened = CartOpened(cart="c", member=whose[0], session=whose[1], at=9)
    assert cart.decide(OpenCart("c", 9, *whose, anew=True), over, CONTEXT) == [opened]
    assert cart.rebuild([OPENED, TEA, MILK, end, opened]) == cart.rebuild([opened])


def test_an_abandoned_cart_is_the_shoppers_still() -> None:
    assert cart.decide(ANEW, cart.rebuild([OPENED, TEA, ABANDONED]), CONTEXT) == []


def test_opening_anew_what_is_open_or_was_never_there_is_opening() -> None:
    assert cart.decide(ANEW, FILLED, CONTEXT) == []
    assert cart.decide(ANEW, UNKNOWN, CONTEXT) == [CartOpened(**WHOSE, at=9)]
    with refusing("cart_exists"):
        cart.decide(OpenCart("c", 9, "other", "s", anew=True), FILLED, CONTEXT)


def test_adding_says_what_and_whose() -> None:
    assert cart.decide(AddToCart("c", "tea", 2, quantity=2, price=599), EMPTY, CONTEXT) == [TEA]


def test_adding_more_of_a_product_adds_to_what_was_there() -> None:
    (more,) = cart.decide(AddToCart("c", "tea", 5, quantity=3), FILLED, CONTEXT)
    assert more == CartItemAdded(**WHOSE, product="tea", quantity=3, price=None, at=5)
    assert cart.rebuild([OPENED, TEA, MILK, more]).items == {"tea": 5, "milk": 1}


def test_a_cart_holds_no_more_than_can_be_counted() -> None:
    with refusing("quantity_invalid"):
        cart.decide(AddToCart("c", "tea", 5, quantity=LARGEST_COUNT - 1), FILLED, CONTEXT)


def test_changing_a_quantity_sets_it() -> None:
    changed = CartItemQuantityChanged(**WHOSE, product="tea", quantity=7, at=5)
    assert cart.decide(ChangeQuantity("c", "tea", 7, at=5), FILLED, CONTEXT) == [changed]
    assert cart.rebuild([OPENED, TEA, MILK, changed]).items == {"tea": 7, "milk": 1}


def test_changing_a_quantity_twice_changes_nothing() -> None:
    assert cart.decide(ChangeQuantity("c", "tea", 2, at=5), FILLED, CONTEXT) == []


def test_a_quantity_of_nothing_removes() -> None:
    assert cart.decide(ChangeQuantity("c", "tea", 0, at=5), FILLED, CONTEXT) == [CartItemRemoved(**WHOSE, product="tea", at=5)]


def test_a_quantity_of_what_is_not_in_the_cart_is_refused() -> None:
    with refusing("item_unknown"):
        cart.decide(ChangeQuantity("c", "rice", 1, at=5), FILLED, CONTEXT)


def test_removing_takes_the_product_out() -> None:
    removed = CartItemRemoved(**WHOSE, product="tea", at=5)
    assert cart.decide(RemoveFromCart("c", "tea", at=5), FILLED, CONTEXT) == [removed]
    assert cart.rebuild([OPENED, TEA, MILK, removed]).items == {"milk": 1}


def test_removing_twice_changes_nothing() -> None:
    assert cart.decide(RemoveFromCart("c", "rice", at=5), FILLED, CONTEXT) == []


def test_removing_some_leaves_the_rest() -> None:
    assert cart.decide(RemoveFromCart("c", "tea", 5, quantity=1), FILLED, CONTEXT) == [
        CartItemQuantityChanged(**WHOSE, product="tea", quantity=1, at=5)
    ]


@pytest.mark.parametrize("quantity", [2, 3, None])
def test_removing_as_many_as_there_are_or_more_takes_the_product_out(quantity: int | None) -> None:
    assert cart.decide(RemoveFromCart("c", "tea", 5, quantity), FILLED, CONTEXT) == [
        CartItemRemoved(**WHOSE, product="tea", at=5)
    ]
    assert cart.decide(RemoveFromCart("c", "rice", 5, quantity), FILLED, CONTEXT) == []


def test_checking_out_lists_the_items_in_the_order_they_were_first_added() -> None:
    assert cart.decide(CheckOutCart("c", at=4), FILLED, CONTEXT) == [CHECKED_OUT]


def test_checking_out_twice_changes_nothing() -> None:
    assert cart.decide(CheckOutCart("c", at=9), cart.rebuild([OPENED, TEA, MILK, CHECKED_OUT]), CONTEXT) == []


def test_an_empty_cart_is_not_checked_out() -> None:
    with refusing("cart_empty"):
        cart.decide(CheckOutCart("c", at=4), EMPTY, CONTEXT)


def test_a_cart_is_marked_as_abandoned() -> None:
    assert cart.decide(AbandonCart("c", at=4), FILLED, CONTEXT) == [ABANDONED]


def test_abandoning_twice_changes_nothing() -> None:
    assert cart.decide(AbandonCart("c", at=9), cart.rebuild([OPENED, ABANDONED]), CONTEXT) == []


STEPS: list[Command] = [AddToCart("c", "tea", 9), ChangeQuantity("c", "tea", 1, at=9), RemoveFromCart("c", "tea", at=9)]


@pytest.mark.parametrize("step", [*STEPS, CheckOutCart("c", at=9), AbandonCart("c", at=9)])
def test_a_cart_that_was_never_opened_is_refused(step: Command) -> None:
    with refusing("cart_unknown"):
        cart.decide(step, UNKNOWN, CONTEXT)


@pytest.mark.parametrize("step", [*STEPS, AbandonCart("c", at=9)])
def test_a_cart_that_was_checked_out_is_over(step: Command) -> None:
    with refusing("cart_closed"):
        cart.decide(step, cart.rebuild([OPENED, TEA, MILK, CHECKED_OUT]), CONTEXT)


@pytest.mark.parametrize("step", [*STEPS, CheckOutCart("c", at=9)])
def test_a_cart_that_was_abandoned_can_be_used_again(step: Command) -> None:
    assert cart.decide(step, cart.rebuild([OPENED, TEA, MILK, ABANDONED]), CONTEXT)


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (OpenCart("", 1, "m"), "cart_id_invalid"),
        (OpenCart("c", 1, ""), "member_id_invalid"),
        (OpenCart("c", 1, "m", ""), "session_id_invalid"),
        (OpenCart("c", 1, None, "a\nb"), "session_id_invalid"),
        (AddToCart("c", "", 1), "product_id_invalid"),
        (AddToCart("c", "tea", 1, quantity=0), "quantity_invalid"),
        (AddToCart("c", "tea", 1, price=-1), "price_invalid"),
        (ChangeQuantity("c", "tea", -1, at=1), "quantity_invalid"),
        (RemoveFromCart("c", "tea", at=1, quantity=0), "quantity_invalid"),
        (RemoveFromCart("c", "rice", at=1, quantity=-1), "quantity_invalid"),
        (OpenCart("c", 1, anew=True), "shopper_missing"),
    ],
)
def test_what_cannot_be_is_refused(command: Command, code: str) -> None:
    with refusing(code):
        ask(cart, command, FILLED)
