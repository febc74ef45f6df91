"""A gift card: money is held, charged, released, credited and ends, and the balance is never below nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregates.decider import Context, Refusal
from aggregates.gift_card import (
    GRACE,
    BlockGiftCard,
    ChargeGiftCard,
    CreditGiftCard,
    GiftCard,
    GiftCardCharged,
    GiftCardExpired,
    GiftCardIssued,
    GiftCardReleased,
    HoldGiftCard,
    IssueGiftCard,
    RecordGiftCardDue,
    ReleaseGiftCard,
    gift_card,
)
from aggregates.programme import Policies
from aggregates.value import replace

CONTEXT = Context(Policies.first("UTC", "KWD"))
ISSUED = IssueGiftCard("g", 10_000, at=0, expires=1000)


class Account:
    """A card and what happened to it."""

    def __init__(self, *commands: Any) -> None:
        self.events: list[Any] = []
        self.give(*commands)

    @property
    def card(self) -> GiftCard:
        return gift_card.rebuild(self.events)

    def give(self, *commands: Any) -> list[Any]:
        decided: list[Any] = []
        for command in commands:
            events = gift_card.decide(command, self.card, CONTEXT)
            self.events += events
            decided += events
        return decided

    def refused(self, command: Any) -> str:
        with pytest.raises(Refusal) as refusal:
            self.give(command)
        return refusal.value.code


def test_it_is_issued_once_in_the_shops_currency() -> None:
    account = Account(ISSUED)
    assert account.events == [
        GiftCardIssued(card="g", member=None, currency="KWD", amount=10_000, expires=1000, at=0),
    ]
    assert account.give(replace(ISSUED, at=5)) == []
    assert account.refused(replace(ISSUED, amount=5)) == "gift_card_exists"
    assert Account().refused(ReleaseGiftCard("g", "o", 0)) == "gift_card_unknown"


def test_what_one_order_holds_another_cannot_spend_until_it_lapses() -> None:
    account = Account(ISSUED, HoldGiftCard("g", "a", 8000, until=100, at=10))
    assert account.refused(ChargeGiftCard("g", "b", "t", 2001, 99)) == "gift_card_short"
    assert account.refused(HoldGiftCard("g", "b", 2001, 200, 99)) == "gift_card_short"
    assert account.give(ChargeGiftCard("g", "b", "t", 2001, 100)) == [
        GiftCardCharged(card="g", member=None, order="b", tender="t", amount=2001, left=7999, at=100)
    ]


def test_a_charge_ends_the_orders_hold_and_counts_once() -> None:
    account = Account(ISSUED, HoldGiftCard("g", "a", 8000, until=100, at=10))
    charge = ChargeGiftCard("g", "a", "t", 9000, 20)
    assert [type(event) for event in account.give(charge, charge)] == [GiftCardCharged]
    assert (account.card.balance, account.card.holds) == (1000, {})
    assert account.refused(replace(charge, amount=8000)) == "tender_exists"


def test_a_hold_that_lapsed_is_charged_late_while_the_money_is_there() -> None:
    account = Account(ISSUED, HoldGiftCard("g", "a", 8000, until=100, at=10))
    account.give(ChargeGiftCard("g", "a", "t", 8000, 500))
    assert account.card.balance == 2000


def test_after_its_end_only_what_was_held_can_be_spent() -> None:
    account = Account(ISSUED, HoldGiftCard("g", "a", 8000, until=2000, at=10))
    assert account.refused(ChargeGiftCard("g", "b", "t", 1, 1000)) == "gift_card_expired"
    account.give(ChargeGiftCard("g", "a", "t", 8000, 1500))
    assert account.card.available(1500) == 0


def test_a_tick_records_what_lapsed_and_the_end() -> None:
    account = Account(ISSUED, HoldGiftCard("g", "a", 8000, until=2000, at=10))
    assert account.give(RecordGiftCardDue("g", 1999)) == []
    assert account.give(RecordGiftCardDue("g", 5000)) == [
        GiftCardReleased(card="g", member=None, order="a", amount=8000, lapsed=True, at=2000),
        GiftCardExpired(card="g", member=None, amount=10_000, at=2000),
    ]
    assert gift_card.due is not None
    assert gift_card.due(account.card, CONTEXT) is None


def test_money_that_comes_back_after_the_end_can_be_spent_for_a_time() -> None:
    account = Account(ISSUED, ChargeGiftCard("g", "a", "t", 4000, 10), RecordGiftCardDue("g", 1000))
    back = CreditGiftCard("g", "a/r/t", 4000, 2000)
    account.give(back, back)
    assert (account.card.available(2000), account.card.expires) == (4000, 2000 + GRACE)
    assert account.refused(replace(back, amount=1)) == "source_exists"


def test_nothing_is_spent_from_a_blocked_card_and_money_still_comes_back() -> None:
    account = Account(ISSUED, ChargeGiftCard("g", "a", "t", 4000, 10), BlockGiftCard("g", "ada", "stolen", 20))
    assert account.refused(ChargeGiftCard("g", "b", "t", 1, 30)) == "gift_card_blocked"
    account.give(CreditGiftCard("g", "a/r/t", 4000, 40), BlockGiftCard("g", "ada", "stolen", 50))
    assert account.card.balance == 10_000


ORDERS = st.sampled_from("abc")
AMOUNTS = st.integers(1, 9000)
acts = st.one_of(
    st.builds(lambda o, n, until: HoldGiftCard("g", o, n, until, 0), ORDERS, AMOUNTS, st.integers(1, 300)),
    st.builds(lambda o, t, n: ChargeGiftCard("g", o, t, n, 0), ORDERS, st.sampled_from("xy"), AMOUNTS),
    st.builds(lambda o: ReleaseGiftCard("g", o, 0), ORDERS),
    st.builds(lambda s, n: CreditGiftCard("g", s, n, 0), st.text("rs", min_size=1, max_size=3), AMOUNTS),
    st.just(RecordGiftCardDue("g", 0)),
)


@given(st.lists(acts, max_size=30), st.none() | st.integers(100, 1500))
def test_whatever_happens_the_balance_is_what_came_in_less_what_went_out(commands: list[Any], expires: int | None) -> None:
    account = Account(replace(ISSUED, expires=expires))
    for number, command in enumerate(commands):
        at = 50 * number
        later = {"at": at, "until": at + command.until} if isinstance(command, HoldGiftCard) else {"at": at}
        try:
            account.give(replace(command, **later))
        except Refusal:
            continue
        card = account.card
        assert card.balance >= 0
        assert card.available(at) >= 0
        gone = sum(event.amount for event in account.events if isinstance(event, GiftCardExpired))
        assert card.balance == 10_000 + sum(card.sources.values()) - sum(card.charges.values()) - gone
