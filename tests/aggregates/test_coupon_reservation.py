"""A coupon is reserved for an order, then redeemed, released or restored; time decides whether a reservation still holds."""

from __future__ import annotations

from typing import Any

from aggregates.coupon import (
    CouponRedeemed,
    CouponReleased,
    CouponReserved,
    CouponRestored,
    Coupons,
    RedeemCoupon,
    RedeemReserved,
    ReleaseCoupon,
    ReserveCoupon,
    Reserved,
    RestoreCoupon,
    coupon,
)
from aggregates.value import replace
from tests.aggregates.given import CONTEXT, refusing

RESERVE = ReserveCoupon("spring", "m", "o-1", at=10, until=100, version=2, serial="17", amount=40)
HELD = Reserved(2, "17", 40)
RESERVED = CouponReserved(campaign="spring", member="m", order="o-1", reservation=HELD, until=100, at=10)
REDEEM = RedeemReserved("spring", "m", "o-1", at=20)
RELEASE = ReleaseCoupon("spring", "m", "o-1", at=20, reason="failed")
RESTORE = RestoreCoupon("spring", "m", "o-1", at=30)


def after(*commands: Any) -> Coupons:
    state = coupon.initial
    for command in commands:
        for event in coupon.decide(command, state, CONTEXT):
            state = coupon.evolve(state, event)
    return state


def released(reason: Any, at: int) -> CouponReleased:
    return CouponReleased(campaign="spring", member="m", order="o-1", reservation=HELD, reason=reason, at=at)


def test_a_reservation_freezes_what_it_is_about() -> None:
    assert coupon.decide(RESERVE, after(), CONTEXT) == [RESERVED]


def test_reserving_twice_changes_nothing() -> None:
    assert coupon.decide(replace(RESERVE, at=11), after(RESERVE), CONTEXT) == []


def test_a_longer_reservation_replaces_the_one_before() -> None:
    longer = coupon.decide(replace(RESERVE, at=50, until=200), after(RESERVE), CONTEXT)
    assert longer == [released("replaced", 50), replace(RESERVED, at=50, until=200)]


def test_an_own_reservation_that_lapsed_does_not_block_another() -> None:
    again = coupon.decide(replace(RESERVE, at=150, until=300, member_limit=1), after(RESERVE), CONTEXT)
    assert again == [released("expired", 100), replace(RESERVED, at=150, until=300)]


def test_a_reservation_is_redeemed_once() -> None:
    (redeemed,) = coupon.decide(REDEEM, after(RESERVE), CONTEXT)
    assert redeemed == CouponRedeemed(
        campaign="spring",
        member="m",
        coupon="17",
        use="o-1",
        order="o-1",
        recorded=False,
        flags=(),
        at=20,
        amount=40,
        reservation=HELD,
    )
    assert coupon.decide(REDEEM, after(RESERVE, REDEEM), CONTEXT) == []
    assert coupon.decide(RESERVE, after(RESERVE, REDEEM), CONTEXT) == []


def test_what_was_never_reserved_is_not_redeemed() -> None:
    with refusing("coupon_not_reserved"):
        coupon.decide(REDEEM, after(), CONTEXT)


def test_an_order_paid_after_the_release_may_be_honoured() -> None:
    (redeemed,) = coupon.decide(replace(REDEEM, at=500, overrun=True), after(RESERVE, replace(RELEASE, at=400)), CONTEXT)
    assert isinstance(redeemed, CouponRedeemed)
    assert redeemed.overrun


def test_a_failed_payment_releases_once() -> None:
    assert coupon.decide(RELEASE, after(RESERVE), CONTEXT) == [released("failed", 20)]
    assert coupon.decide(RELEASE, after(RESERVE, RELEASE), CONTEXT) == []
    assert coupon.decide(RELEASE, after(), CONTEXT) == []


def test_a_release_after_its_time_is_dated_by_its_time() -> None:
    assert coupon.decide(replace(RELEASE, at=500), after(RESERVE), CONTEXT) == [released("expired", 100)]


def test_a_use_is_restored_once_and_an_overrun_never() -> None:
    restored = CouponRestored(campaign="spring", member="m", order="o-1", reservation=HELD, at=30)
    assert coupon.decide(RESTORE, after(RESERVE, REDEEM), CONTEXT) == [restored]
    assert coupon.decide(RESTORE, after(RESERVE, REDEEM, RESTORE), CONTEXT) == []
    assert coupon.decide(RESTORE, after(RESERVE, replace(REDEEM, overrun=True)), CONTEXT) == []


def test_a_member_uses_it_as_often_as_a_member_may() -> None:
    other = replace(RESERVE, order="o-2", member_limit=1)
    with refusing("coupon_member_limit"):
        coupon.decide(other, after(RESERVE), CONTEXT)
    with refusing("coupon_member_limit"):
        coupon.decide(replace(other, at=500, until=900), after(RESERVE, REDEEM), CONTEXT)
    assert coupon.decide(replace(other, at=100, until=900), after(RESERVE), CONTEXT) != []
    assert coupon.decide(other, after(RESERVE, RELEASE), CONTEXT) != []
    assert coupon.decide(other, after(RESERVE, REDEEM, RESTORE), CONTEXT) != []


def test_a_use_at_the_till_counts_for_the_member_too() -> None:
    till = RedeemCoupon("spring", "m", "c-1", "u-1", at=5, recorded=True)
    with refusing("coupon_member_limit"):
        coupon.decide(replace(RESERVE, member_limit=1), after(till), CONTEXT)


def test_a_reservation_ends_after_it_begins() -> None:
    with refusing("until_invalid"):
        coupon.decide(replace(RESERVE, until=10), after(), CONTEXT)
