"""Referrals pay both once the newcomer's order can no longer be sent back, once a newcomer, and a refund takes them back."""

from __future__ import annotations

import pytest

from aggregates.membership.commands import RedeemPoints
from aggregates.membership.decider import membership
from aggregates.order.decider import CancelOrder, PayOrder
from aggregates.order.fulfilment import DeliverOrder
from aggregates.order.refund import RefundOrder, RefundPart
from aggregates.programme.policy import PublishPolicy
from aggregates.referral import IssueReferralCode, UseReferralCode, referral
from aggregates.session import JoinSession
from streams.commands.checkout import states_in
from streams.commands.request import Request
from streams.commands.scheduler import tick
from streams.running.app import App
from tests.shop import START, line, place

DAY = 86_400_000
PAID_AT = START + 14 * DAY
GIVES = {"referrer_points": "100", "newcomer_points": "50", "minimum": "20", "most": "2"}
POLICY = {"selling": {"referrals": GIVES}, "earning": {"spend": []}}
names = iter(range(10**6))


def done(app: App, *commands: object) -> str:
    return app.handler.handle(Request(f"r-{next(names)}", commands)).code


def points(app: App, member: str) -> int:
    return states_in(app.log)(membership, member).available(PAID_AT)


def bought(app: App, who: str, *lines: int) -> str:
    sold = place(f"o-{who}", who, *(line("tea", 1, price) for price in lines))
    return done(app, sold, PayOrder(f"o-{who}", START), DeliverOrder(f"o-{who}", START))


@pytest.fixture
def shop(app: App) -> App:
    assert done(app, PublishPolicy(POLICY, START, "ada", START), IssueReferralCode("ADA", "ada", START)) == ""
    return app


def test_both_are_paid_once_the_return_window_is_over(shop: App) -> None:
    assert done(shop, UseReferralCode("ADA", "eve", START)) == ""
    assert bought(shop, "eve", 2000) == ""
    tick(shop.log, shop.handler, PAID_AT - 1)
    assert (points(shop, "ada"), points(shop, "eve")) == (0, 0)
    tick(shop.log, shop.handler, PAID_AT)
    tick(shop.log, shop.handler, PAID_AT + DAY)
    assert (points(shop, "ada"), points(shop, "eve")) == (100, 50)


def test_an_order_that_is_worth_too_little_does_not_qualify_and_a_later_one_may(shop: App) -> None:
    assert done(shop, UseReferralCode("ADA", "eve", START)) == ""
    assert bought(shop, "eve", 1999) == ""
    assert states_in(shop.log)(referral, "eve").state == "begun"
    assert done(shop, place("o", "eve", line("tea", 1, 2000)), PayOrder("o", START), DeliverOrder("o", START)) == ""
    assert states_in(shop.log)(referral, "eve").state == "qualified"


def test_a_refund_within_the_window_that_leaves_less_ends_it(shop: App) -> None:
    assert done(shop, UseReferralCode("ADA", "eve", START)) == ""
    assert bought(shop, "eve", 1500, 1500) == ""
    assert done(shop, RefundOrder("o-eve", "r", START, (RefundPart(1, 1),))) == ""
    assert states_in(shop.log)(referral, "eve").state == "taken_back"
    tick(shop.log, shop.handler, PAID_AT)
    assert (points(shop, "ada"), points(shop, "eve")) == (0, 0)


def test_a_refund_after_it_was_paid_takes_back_what_is_there(shop: App) -> None:
    assert done(shop, UseReferralCode("ADA", "eve", START)) == ""
    assert bought(shop, "eve", 2000) == ""
    tick(shop.log, shop.handler, PAID_AT)
    assert done(shop, RedeemPoints("ada", "spent", 70, PAID_AT)) == ""
    assert done(shop, RefundOrder("o-eve", "r", PAID_AT)) == ""
    assert (points(shop, "ada"), points(shop, "eve")) == (0, 0)
    assert done(shop, CancelOrder("o-eve", PAID_AT, recorded=True)) == ""


def test_nobody_brings_themselves_or_one_newcomer_twice_or_somebody_who_bought(shop: App) -> None:
    assert done(shop, UseReferralCode("ADA", "ada", START)) == "referral_self"
    assert done(shop, UseReferralCode("NONE", "eve", START)) == "referral_code_unknown"
    assert done(shop, IssueReferralCode("ADA", "bob", START)) == "referral_code_taken"
    assert done(shop, UseReferralCode("ADA", "eve", START), UseReferralCode("ADA", "eve", START)) == ""
    assert done(shop, IssueReferralCode("BOB", "bob", START)) == ""
    assert done(shop, UseReferralCode("BOB", "eve", START)) == "referral_twice"
    assert bought(shop, "old", 100) == ""
    assert done(shop, UseReferralCode("ADA", "old", START)) == "referral_barred"
    assert done(shop, JoinSession("s", "ada", START), JoinSession("s", "sock", START)) == ""
    assert done(shop, UseReferralCode("ADA", "sock", START)) == "referral_barred"


def test_a_member_brings_as_many_as_are_paid_for(shop: App) -> None:
    asked = [done(shop, UseReferralCode("ADA", f"new-{n}", START)) for n in range(3)]
    assert asked == ["", "", "referral_limit"]
