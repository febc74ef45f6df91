"""Carts that are merged at login, put aside, abandoned by the time of events, and resumed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregates.cart import (
    AddToCart,
    Cart,
    MergeCart,
    MoveToCart,
    OpenCart,
    ReceiveCart,
    RecordCartDue,
    RemoveFromCart,
    SaveForLater,
    cart,
    merged,
)
from aggregates.cart_events import (
    CartAbandoned,
    CartContent,
    CartItemAdded,
    CartItemRestored,
    CartItemSavedForLater,
    CartMerged,
    CartOpened,
    CartReceived,
    CartResumed,
)
from aggregates.decider import Context, Refusal
from aggregates.programme import Policies, Programme
from aggregates.programme.selling import Selling
from aggregates.reactions import react
from aggregates.value import replace

HOUR = 3_600_000


def context(**selling: Any) -> Context:
    return Context(Policies().with_version(replace(Programme(), selling=Selling(**selling)), 0))


class History:
    def __init__(self, *commands: Any, by: Context | None = None) -> None:
        self.events: list[Any] = []
        self.by = by or context()
        self.give(*commands)

    @property
    def cart(self) -> Cart:
        return cart.rebuild(self.events)

    def give(self, *commands: Any) -> list[Any]:
        decided: list[Any] = []
        for command in commands:
            events = cart.decide(command, self.cart, self.by)
            self.events += events
            decided += events
        return decided

    def refused(self, command: Any) -> str:
        with pytest.raises(Refusal) as refusal:
            self.give(command)
        return refusal.value.code


GUEST = (OpenCart("g", 1, session="s"), AddToCart("g", "tea", 2, 2, price=500), AddToCart("g", "cup", 3))
MEMBERS = (OpenCart("c", 1, "ada"), AddToCart("c", "tea", 1, 3, price=450))
MERGE = MergeCart("g", "c", "ada", 9)


def login(strategy: str, *members: Any) -> list[tuple[str, int]]:
    """Return the units in the member's cart after the guest's was merged into it."""
    by = context(cart_merge=strategy)
    (left,) = History(*GUEST, by=by).give(MERGE)
    (received,) = react(left, by)
    return list(History(*members, received, by=by).cart.items.items())


def test_a_login_takes_the_guests_cart_as_the_policy_says() -> None:
    assert login("sum", *MEMBERS) == [("tea", 5), ("cup", 1)]
    assert login("max", *MEMBERS) == [("tea", 3), ("cup", 1)]
    assert login("keep", *MEMBERS) == [("tea", 3)]
    assert login("replace", *MEMBERS) == [("tea", 2), ("cup", 1)]


def test_a_member_without_a_cart_gets_the_guests() -> None:
    for strategy in ("sum", "max", "keep", "replace"):
        assert login(strategy) == [("tea", 2), ("cup", 1)]


def test_the_price_that_was_shown_last_stays() -> None:
    (left,) = History(*GUEST).give(MERGE)
    member = History(*MEMBERS, *react(left, context()))
    assert member.cart.shown == {"tea": (500, 2)}


def test_a_merged_cart_is_over_and_merging_again_changes_nothing() -> None:
    guest = History(*GUEST, MERGE)
    assert guest.give(MERGE) == []
    assert guest.refused(AddToCart("g", "tea", 10)) == "cart_closed"
    assert History(*GUEST).refused(replace(MERGE, into="g")) == "cart_itself"
    assert History(*MEMBERS).refused(MergeCart("c", "d", "eve", 9)) == "cart_anothers"


def test_nothing_is_merged_into_another_members_cart() -> None:
    assert History(*MEMBERS).refused(ReceiveCart("c", "eve", "g", (), (), 9)) == "cart_anothers"


def test_a_cart_that_was_checked_out_is_opened_again_for_what_it_receives() -> None:
    received = ReceiveCart("c", "ada", "g", (CartContent("tea", 1),), (), 9)
    events = History(by=context()).give(received)
    assert [type(event) for event in events] == [CartOpened, CartReceived]


def test_what_is_saved_for_later_is_not_bought_and_comes_back() -> None:
    history = History(*GUEST)
    assert [type(event) for event in history.give(SaveForLater("g", "tea", 5))] == [CartItemSavedForLater]
    assert (dict(history.cart.items), dict(history.cart.saved)) == ({"cup": 1}, {"tea": 2})
    assert history.give(SaveForLater("g", "tea", 5)) == []
    assert history.refused(SaveForLater("g", "milk", 5)) == "item_unknown"
    history.give(AddToCart("g", "tea", 6))
    assert [type(event) for event in history.give(MoveToCart("g", "tea", 7))] == [CartItemRestored]
    assert (dict(history.cart.items), dict(history.cart.saved)) == ({"cup": 1, "tea": 3}, {})
    assert history.give(MoveToCart("g", "tea", 8)) == []
    assert history.refused(MoveToCart("g", "milk", 8)) == "item_unknown"


def test_a_cart_is_abandoned_by_the_time_of_its_events_and_resumed_by_the_next_change() -> None:
    history = History(*GUEST, by=context(abandoned_after_hours=2))
    assert cart.due is not None
    assert cart.due(history.cart, history.by) == 3 + 2 * HOUR
    assert history.give(RecordCartDue("g", 2 + 2 * HOUR)) == []
    assert history.give(RecordCartDue("g", 99 * HOUR)) == [CartAbandoned(cart="g", member=None, session="s", at=3 + 2 * HOUR)]
    assert cart.due(history.cart, history.by) is None
    events = history.give(RemoveFromCart("g", "milk", 100 * HOUR), AddToCart("g", "tea", 100 * HOUR))
    assert [type(event) for event in events] == [CartResumed, CartItemAdded]
    assert cart.due(history.cart, history.by) == 102 * HOUR


def test_an_empty_cart_and_a_shop_that_does_not_care_abandon_nothing() -> None:
    assert cart.due is not None
    assert cart.due(History(*GUEST[:1]).cart, context()) is None
    assert cart.due(History(*GUEST).cart, context(abandoned_after_hours=0)) is None


def test_an_abandoned_cart_is_merged_as_well() -> None:
    history = History(*GUEST, RecordCartDue("g", 99 * HOUR))
    assert [type(event) for event in history.give(replace(MERGE, at=100 * HOUR))] == [CartMerged]


CONTENT = st.dictionaries(st.sampled_from("abcd"), st.integers(1, 9), max_size=4)


@given(CONTENT, CONTENT, st.sampled_from(("sum", "max", "keep", "replace")))
def test_merging_makes_up_no_unit(mine: dict[str, int], guests: dict[str, int], strategy: str) -> None:
    both = [[CartContent(product, units) for product, units in units.items()] for units in (mine, guests)]
    units = {one.product: one.quantity for one in merged(both[0], both[1], strategy)}
    assert all(units[product] <= mine.get(product, 0) + guests.get(product, 0) for product in units)
    assert all(units[product] >= max(mine.get(product, 0), 0) for product in units) or strategy == "replace"
    if strategy in ("sum", "max"):
        assert set(units) == set(mine) | set(guests)
