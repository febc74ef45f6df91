from __future__ import annotations

from typing import Any

import pytest

from aggregates.behaviour import Impressed, Searched, Viewed
from aggregates.campaign import CampaignLaunched
from aggregates.cart.decider import OpenCart
from aggregates.cart.events import CartOpened
from aggregates.constraints import CAMPAIGN_EXHAUSTED, EMAIL_TAKEN, Allow, Claim, Guard, Use, guards
from aggregates.coupon import CouponRedeemed, CouponSent, SendCoupon
from aggregates.member import EraseMember, MemberClosed, MemberErased, MemberProfileChanged, MemberRegistered, RegisterMember
from aggregates.membership.commands import ActivatePoints, ClawBackPoints, GrantPoints
from aggregates.membership.commands_of_use import RedeemPoints
from aggregates.order.decider import PayOrder, PlaceOrder
from aggregates.order.events import (
    OrderCancelled,
    OrderDelivered,
    OrderLine,
    OrderPaid,
    OrderPlaced,
    OrderRefunded,
    OrderShipped,
)
from aggregates.programme import Policies
from aggregates.reactions import admit, react
from aggregates.review import ProductReviewed, ReviewProduct
from aggregates.session import JoinSession, MemberRecognised, RecogniseMember, SessionJoined
from aggregates.value import replace
from tests.aggregates.given import refusing

POLICIES = Policies()
LINES = (OrderLine("tea", 1, 500, 500, 500),)


MOVES: list[tuple[object, object]] = [
    (OrderPaid("o", "m", None, "USD", LINES, 460, at=5), GrantPoints("m", "o", 460, POLICIES, at=5)),
    (OrderDelivered("o", "m", None, at=5), ActivatePoints("m", "o", POLICIES, at=5)),
    (
        OrderRefunded("o", "r", "m", None, "USD", (1,), LINES, 230, False, at=5, given_back=(250,)),
        ClawBackPoints("m", "o", "r", 230, POLICIES, at=5, given_back=(250,)),
    ),
    (
        OrderCancelled("o", "m", None, "USD", "", LINES, at=5),
        ClawBackPoints("m", "o", "cancelled", 0, POLICIES, at=5, complete=True),
    ),
]


@pytest.mark.parametrize(("fact", "reaction"), MOVES)
def test_an_order_moves_its_members_points(fact: object, reaction: object) -> None:
    assert react(fact, POLICIES) == [reaction]


@pytest.mark.parametrize(
    "fact",
    [
        OrderPaid("o", None, "s", "USD", LINES, 460, at=5),
        OrderDelivered("o", None, "s", at=5),
        OrderRefunded("o", "r", None, "s", "USD", (1,), LINES, 0, True, at=5, given_back=(0,)),
        OrderCancelled("o", None, "s", "USD", "", LINES, at=5),
    ],
)
def test_a_guests_order_moves_no_points(fact: object) -> None:
    assert react(fact, POLICIES) == []


@pytest.mark.parametrize(
    "fact",
    [
        OrderPlaced("o", "m", None, None, "USD", LINES, 0, at=5),
        OrderShipped("o", "m", None, at=5),
        MemberClosed("m", "", at=5),
    ],
)
def test_what_pays_or_returns_nothing_moves_no_points(fact: object) -> None:
    assert react(fact, POLICIES) == []


@pytest.mark.parametrize(("fact", "reaction"), MOVES)
def test_an_order_moves_no_points_of_an_erased_member(fact: object, reaction: object) -> None:
    assert react(fact, POLICIES, erased={"m"}) == []
    assert react(fact, POLICIES, erased={"n"}) == [reaction]


JOINED = SessionJoined("s", "m", at=5)


def test_a_session_that_is_joined_is_put_on_its_members_list() -> None:
    assert react(JOINED, POLICIES) == [RecogniseMember("m", "s", at=5)]
    assert react(MemberRecognised("m", "s", at=5), POLICIES) == []


SEEN = [
    Viewed(product="tea", member="m", session="s", at=5),
    Searched(query="tea", member="m", session="s", shown=(), at=5),
    Impressed(slot="home", products=(), member="m", session="s", propensities=(), strategy=None, at=5),
    ProductReviewed(product="tea", member="m", session="s", half_stars=9, text=None, order=None, at=5),
    CartOpened("c", "m", "s", at=5),
    OrderPlaced("o", "m", "s", None, "USD", LINES, 0, at=5),
]


@pytest.mark.parametrize("fact", SEEN, ids=lambda fact: type(fact).__name__)
def test_a_member_who_is_seen_in_a_session_joins_it(fact: Any) -> None:
    assert react(fact, POLICIES) == [JoinSession("s", "m", at=5)]
    assert react(fact, POLICIES, erased={"m"}) == []
    for alone in (replace(fact, member=None), replace(fact, session=None)):
        assert react(alone, POLICIES) == []


def test_an_order_in_another_currency_does_not_fit_this_shop() -> None:
    with refusing("currency_unknown"):
        admit(PlaceOrder("o", LINES, "EUR", at=1), POLICIES)


@pytest.mark.parametrize("command", [PlaceOrder("o", LINES, "USD", at=1), PayOrder("o", at=1)])
def test_everything_else_is_for_its_aggregate_to_judge(command: object) -> None:
    admit(command, POLICIES)


@pytest.mark.parametrize(
    "command",
    [
        PlaceOrder("o", LINES, "USD", at=1, member="m"),
        OpenCart("c", 1, member="m", session="s"),
        SendCoupon("spring", "m", at=1),
        RegisterMember("m", 1),
        RedeemPoints("m", "p", 5, at=1),
        JoinSession("s", "m", at=1),
        Viewed(product="tea", member="m", session="s", at=1),
        ReviewProduct("tea", 1, 9, member="m"),
    ],
)
def test_a_command_that_names_an_erased_member_is_refused(command: object) -> None:
    with refusing("member_erased"):
        admit(command, POLICIES, erased={"m"})
    admit(command, POLICIES, erased={"n"})


@pytest.mark.parametrize(
    "command", [EraseMember("m", 1), OpenCart("c", 1, session="m"), PayOrder("m", at=1), JoinSession("m", "n", at=1)]
)
def test_erasing_again_and_what_names_no_member_is_let_through(command: object) -> None:
    admit(command, POLICIES, erased={"m"})


@pytest.mark.parametrize(
    ("fact", "guard"),
    [
        (
            MemberRegistered(member="m", name=None, email=" Ann@Example.ORG ", birthday=None, profile={}, at=1),
            Claim("email", "ann@example.org", "m", EMAIL_TAKEN),
        ),
        (
            MemberRegistered(member="m", name="Ann", email=None, birthday=None, profile={}, at=1),
            Claim("email", None, "m", EMAIL_TAKEN),
        ),
        (
            MemberProfileChanged(member="m", name=None, email="b@c.d", birthday=None, profile={}, at=1),
            Claim("email", "b@c.d", "m", EMAIL_TAKEN),
        ),
        (
            MemberProfileChanged(member="m", name="Ann", email=None, birthday=None, profile={}, at=1),
            Claim("email", None, "m", EMAIL_TAKEN),
        ),
        (MemberErased("m", at=1), Claim("email", None, "m", EMAIL_TAKEN)),
        (
            CampaignLaunched(campaign="spring", kind=None, starts=None, ends=None, limit=100, offers=(), at=1),
            Allow("campaign:spring", 100),
        ),
        (
            CampaignLaunched(campaign="spring", kind=None, starts=None, ends=None, limit=0, offers=(), at=1),
            Allow("campaign:spring", 0),
        ),
        (
            CouponRedeemed(campaign="spring", member="m", coupon="c", use="u", order=None, recorded=False, flags=(), at=1),
            Use("campaign:spring", CAMPAIGN_EXHAUSTED),
        ),
        (
            CouponRedeemed(campaign="spring", member="m", coupon="c", use="u", order=None, recorded=True, flags=(), at=1),
            Use("campaign:spring", None),
        ),
    ],
)
def test_what_must_hold_across_streams_is_guarded(fact: object, guard: Guard) -> None:
    assert guards(fact) == [guard]


@pytest.mark.parametrize(
    "fact",
    [
        CampaignLaunched(campaign="spring", kind=None, starts=None, ends=None, limit=None, offers=(), at=1),
        CouponSent(campaign="spring", member="m", kind=None, starts=None, ends=None, at=1),
        CouponRedeemed(
            campaign="spring", member="m", coupon="c", use="u", order=None, recorded=True, flags=("too_late",), at=1
        ),
        CartOpened("c", "m", None, at=1),
    ],
)
def test_what_no_limit_concerns_is_not_guarded(fact: object) -> None:
    assert guards(fact) == []


@pytest.mark.parametrize("at", [-1, 10**15, "yesterday", None, 1.5, True])
def test_what_happens_at_no_instant_is_refused(at: Any) -> None:
    with refusing("at_invalid"):
        admit(RegisterMember("m", at), POLICIES)
