from __future__ import annotations

import pytest

from aggregates.coupon import Command, CouponRedeemed, CouponSent, RedeemCoupon, SendCoupon, coupon
from aggregates.value import replace
from tests.aggregates.given import CONTEXT, refusing

SEND = SendCoupon("spring", "m", at=1, kind="A", starts=10, ends=20)
SENT = CouponSent(campaign="spring", member="m", kind="A", starts=10, ends=20, at=1)
REDEEM = RedeemCoupon("spring", "m", "c-1", use="u-1", at=15, order="o-1")
REDEEMED = CouponRedeemed(campaign="spring", member="m", coupon="c-1", use="u-1", order="o-1", recorded=False, flags=(), at=15)
NOBODY = coupon.rebuild([])
HOLDER = coupon.rebuild([SENT])


def test_sending_freezes_the_terms_that_were_promised() -> None:
    assert coupon.decide(SEND, NOBODY, CONTEXT) == [SENT]


def test_sending_twice_changes_nothing() -> None:
    assert coupon.decide(replace(SEND, at=9), HOLDER, CONTEXT) == []


def test_the_terms_sent_last_hold() -> None:
    longer = coupon.decide(replace(SEND, ends=30, at=9), HOLDER, CONTEXT)
    assert longer == [replace(SENT, ends=30, at=9)]
    assert coupon.decide(replace(REDEEM, at=25), coupon.rebuild([SENT, *longer]), CONTEXT) == [replace(REDEEMED, at=25)]


def test_redeeming_within_the_terms_has_no_flags() -> None:
    assert coupon.decide(REDEEM, HOLDER, CONTEXT) == [REDEEMED]


@pytest.mark.parametrize("amount", [None, 0, 150])
def test_the_worth_of_a_use_is_recorded(amount: int | None) -> None:
    assert coupon.decide(replace(REDEEM, amount=amount), HOLDER, CONTEXT) == [replace(REDEEMED, amount=amount)]
    broken = replace(REDEEM, amount=amount, at=20, recorded=True)
    assert coupon.decide(broken, HOLDER, CONTEXT) == [
        replace(REDEEMED, amount=amount, at=20, recorded=True, flags=("too_late",))
    ]


def test_redeeming_the_same_use_twice_changes_nothing() -> None:
    assert coupon.decide(replace(REDEEM, at=99), coupon.rebuild([SENT, REDEEMED]), CONTEXT) == []


def test_another_use_counts_again() -> None:
    again = replace(REDEEM, use="u-2")
    assert coupon.decide(again, coupon.rebuild([SENT, REDEEMED]), CONTEXT) == [replace(REDEEMED, use="u-2")]


@pytest.mark.parametrize("at", [10, 19])
def test_the_first_and_last_instant_of_a_campaign_are_within_it(at: int) -> None:
    assert coupon.decide(replace(REDEEM, at=at), HOLDER, CONTEXT) == [replace(REDEEMED, at=at)]


def test_a_campaign_without_bounds_is_always_on() -> None:
    given = coupon.rebuild([replace(SENT, starts=None, ends=None)])
    assert coupon.decide(replace(REDEEM, at=10**12), given, CONTEXT) == [replace(REDEEMED, at=10**12)]


BROKEN = [("not_sent", 15), ("too_early", 9), ("too_late", 20)]


@pytest.mark.parametrize(("term", "at"), BROKEN)
def test_a_use_outside_the_terms_is_refused(term: str, at: int) -> None:
    given = NOBODY if term == "not_sent" else HOLDER
    with refusing(f"coupon_{term}"):
        coupon.decide(replace(REDEEM, at=at), given, CONTEXT)


@pytest.mark.parametrize(("term", "at"), BROKEN)
def test_a_recorded_use_outside_the_terms_is_flagged(term: str, at: int) -> None:
    given = NOBODY if term == "not_sent" else HOLDER
    assert coupon.decide(replace(REDEEM, at=at, recorded=True), given, CONTEXT) == [
        replace(REDEEMED, at=at, recorded=True, flags=(term,))
    ]


def test_a_recorded_use_within_the_terms_has_no_flags() -> None:
    assert coupon.decide(replace(REDEEM, recorded=True), HOLDER, CONTEXT) == [replace(REDEEMED, recorded=True)]


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (replace(SEND, campaign=""), "campaign_id_invalid"),
        (replace(SEND, member=""), "member_id_invalid"),
        (replace(REDEEM, campaign=""), "campaign_id_invalid"),
        (replace(REDEEM, member=""), "member_id_invalid"),
        (replace(REDEEM, coupon=""), "coupon_id_invalid"),
        (replace(REDEEM, use=""), "use_id_invalid"),
        (replace(REDEEM, amount=-1), "amount_invalid"),
        (replace(REDEEM, amount=True), "amount_invalid"),
    ],
)
def test_a_command_without_an_id_is_refused(command: Command, code: str) -> None:
    with refusing(code):
        coupon.decide(command, HOLDER, CONTEXT)
