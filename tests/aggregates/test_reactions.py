from __future__ import annotations

from typing import Any

import pytest

from aggregates.behaviour import Impressed, Searched, Viewed
from aggregates.campaign import CampaignLaunched
from aggregates.cart import (
    OpenCart,
)
from aggregates.cart_events import (
    CartOpened,
)
from aggregates.constraints import CAMPAIGN_EXHAUSTED, EMAIL_TAKEN, ClaimKey, Constraint, LimitUses, UseKey, constraints_of
from aggregates.coupon import CouponRedeemed, CouponSent, SendCoupon
from aggregates.decider import Context
from aggregates.member import EraseMember, MemberClosed, MemberErased, MemberProfileChanged, MemberRegistered, RegisterMember
from aggregates.membership.commands import ActivatePoints, ClawBackPoints, GrantPoints, LapsePending, RedeemPoints
from aggregates.order.decider import PayOrder
from aggregates.order.events import (
    OrderCancelled,
    OrderLine,
    OrderPaid,
    OrderPlaced,
    OrderRefunded,
)
from aggregates.order.fulfilment import OrderDelivered, OrderShipped
from aggregates.order.placing import PlaceOrder
from aggregates.programme import Policies
from aggregates.reactions import check_allowed, react
from aggregates.review import ProductReviewed, ReviewProduct
from aggregates.session import JoinSession, KeepSession, MemberRecognised, RecogniseMember, SessionJoined
from aggregates.value import replace
from streams.commands.validation import require_valid
from tests.aggregates.given import refusing

POLICIES = Policies()
LINES = (OrderLine("tea", 1, 500, 500, 500),)


MOVES: list[tuple[object, object]] = [
    (
        OrderPaid(order="o", member="m", session=None, currency="USD", lines=LINES, net=460, at=5),
        GrantPoints("m", "o", 460, at=5),
    ),
    (OrderDelivered(order="o", member="m", session=None, at=5), ActivatePoints("m", "o", at=5)),
    (
        OrderRefunded(
            order="o",
            refund="r",
            member="m",
            session=None,
            currency="USD",
            parts=((1, 1, 250),),
            lines=LINES,
            net_retained=230,
            complete=False,
            at=5,
        ),
        ClawBackPoints("m", "o", "r", 230, at=5, given_back=((1, 250),)),
    ),
    (
        OrderCancelled(order="o", member="m", session=None, currency="USD", reason="", lines=LINES, at=5),
        ClawBackPoints("m", "o", "cancelled", 0, at=5, complete=True),
    ),
]


@pytest.mark.parametrize(("fact", "reaction"), MOVES)
def test_an_order_moves_its_members_points(fact: object, reaction: object) -> None:
    assert react(fact, Context(POLICIES)) == [reaction]


@pytest.mark.parametrize(
    "fact",
    [
        OrderPaid(order="o", member=None, session="s", currency="USD", lines=LINES, net=460, at=5),
        OrderDelivered(order="o", member=None, session="s", at=5),
        OrderRefunded(
            order="o",
            refund="r",
            member=None,
            session="s",
            currency="USD",
            parts=((1, 1, 0),),
            lines=LINES,
            net_retained=0,
            complete=True,
            at=5,
        ),
        OrderCancelled(order="o", member=None, session="s", currency="USD", reason="", lines=LINES, at=5),
    ],
)
def test_a_guests_order_moves_no_points(fact: object) -> None:
    assert react(fact, Context(POLICIES)) == []


@pytest.mark.parametrize(
    "fact",
    [
        OrderPlaced(order="o", member="m", session=None, cart=None, currency="USD", lines=LINES, tax=0, at=5),
        OrderShipped(order="o", member="m", session=None, at=5),
    ],
)
def test_what_pays_or_returns_nothing_moves_no_points(fact: object) -> None:
    assert react(fact, Context(POLICIES)) == []


@pytest.mark.parametrize(("fact", "reaction"), MOVES)
def test_an_order_moves_no_points_of_an_erased_member(fact: object, reaction: object) -> None:
    assert react(fact, Context(POLICIES), erased={"m"}) == []
    assert react(fact, Context(POLICIES), erased={"n"}) == [reaction]


def test_the_pending_points_of_a_member_who_closes_end() -> None:
    assert react(MemberClosed("m", "", at=5), Context(POLICIES)) == [LapsePending("m", at=5)]


JOINED = SessionJoined("s", "m", at=5)


def test_a_session_that_is_joined_is_put_on_its_members_list() -> None:
    assert react(JOINED, Context(POLICIES)) == [RecogniseMember("m", "s", at=5), KeepSession("s", at=5)]
    assert react(MemberRecognised("m", "s", at=5), Context(POLICIES)) == []


SEEN = [
    Viewed(product="tea", member="m", session="s", at=5),
    Searched(query="tea", member="m", session="s", shown=(), at=5),
    Impressed(slot="home", products=(), member="m", session="s", propensities=(), strategy=None, at=5),
    ProductReviewed(product="tea", member="m", session="s", half_stars=9, text=None, order=None, at=5),
    CartOpened(cart="c", member="m", session="s", at=5),
    OrderPlaced(order="o", member="m", session="s", cart=None, currency="USD", lines=LINES, tax=0, at=5),
]


@pytest.mark.parametrize("fact", SEEN, ids=lambda fact: type(fact).__name__)
def test_a_member_who_is_seen_in_a_session_joins_it(fact: Any) -> None:
    assert react(fact, Context(POLICIES)) == [JoinSession("s", "m", at=5)]
    assert react(fact, Context(POLICIES), erased={"m"}) == []
    for alone in (replace(fact, member=None), replace(fact, session=None)):
        assert react(alone, Context(POLICIES)) == []


def test_an_order_in_another_currency_does_not_fit_this_shop() -> None:
    with refusing("currency_unknown"):
        check_allowed(PlaceOrder("o", LINES, "EUR", at=1), Context(POLICIES))


@pytest.mark.parametrize("command", [PlaceOrder("o", LINES, "USD", at=1), PayOrder("o", at=1)])
def test_everything_else_is_for_its_aggregate_to_judge(command: object) -> None:
    check_allowed(command, Context(POLICIES))


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
        check_allowed(command, Context(POLICIES), erased={"m"})
    check_allowed(command, Context(POLICIES), erased={"n"})


@pytest.mark.parametrize(
    "command", [EraseMember("m", 1), OpenCart("c", 1, session="m"), PayOrder("m", at=1), JoinSession("m", "n", at=1)]
)
def test_erasing_again_and_what_names_no_member_is_let_through(command: object) -> None:
    check_allowed(command, Context(POLICIES), erased={"m"})


@pytest.mark.parametrize(
    ("fact", "guard"),
    [
        (
            MemberRegistered(member="m", name=None, email=" Ann@Example.ORG ", birthday=None, profile={}, at=1),
            ClaimKey("email", "ann@example.org", "m", EMAIL_TAKEN),
        ),
        (
            MemberRegistered(member="m", name="Ann", email=None, birthday=None, profile={}, at=1),
            ClaimKey("email", None, "m", EMAIL_TAKEN),
        ),
        (
            MemberProfileChanged(member="m", name=None, email="b@c.d", birthday=None, profile={}, at=1),
            ClaimKey("email", "b@c.d", "m", EMAIL_TAKEN),
        ),
        (
            MemberProfileChanged(member="m", name="Ann", email=None, birthday=None, profile={}, at=1),
            ClaimKey("email", None, "m", EMAIL_TAKEN),
        ),
        (MemberClosed("m", "", at=1), ClaimKey("email", None, "m", EMAIL_TAKEN)),
        (MemberErased("m", at=1), ClaimKey("email", None, "m", EMAIL_TAKEN)),
        (
            CampaignLaunched(campaign="spring", kind=None, starts=None, ends=None, limit=100, offers=(), at=1),
            LimitUses("campaign:spring", 100),
        ),
        (
            CampaignLaunched(campaign="spring", kind=None, starts=None, ends=None, limit=0, offers=(), at=1),
            LimitUses("campaign:spring", 0),
        ),
        (
            CouponRedeemed(campaign="spring", member="m", coupon="c", use="u", order=None, recorded=False, flags=(), at=1),
            UseKey("campaign:spring", CAMPAIGN_EXHAUSTED),
        ),
        (
            CouponRedeemed(campaign="spring", member="m", coupon="c", use="u", order=None, recorded=True, flags=(), at=1),
            UseKey("campaign:spring", None),
        ),
    ],
)
def test_what_must_hold_across_streams_is_guarded(fact: object, guard: Constraint) -> None:
    assert constraints_of(fact) == [guard]


@pytest.mark.parametrize(
    "fact",
    [
        CampaignLaunched(campaign="spring", kind=None, starts=None, ends=None, limit=None, offers=(), at=1),
        CouponSent(campaign="spring", member="m", kind=None, starts=None, ends=None, at=1),
        CartOpened(cart="c", member="m", session=None, at=1),
    ],
)
def test_what_no_limit_concerns_is_not_guarded(fact: object) -> None:
    assert constraints_of(fact) == []


@pytest.mark.parametrize("at", [-1, 10**15])
def test_a_time_outside_the_calendar_is_refused(at: int) -> None:
    with refusing("at_invalid"):
        require_valid(RegisterMember("m", at))


@pytest.mark.parametrize("at", ["yesterday", None, 1.5, True])
def test_a_time_that_is_no_int_is_refused(at: Any) -> None:
    with refusing("command_invalid", "at must be an int"):
        require_valid(RegisterMember("m", at))
