"""What follows from what. This file, ``settlement.py`` and ``constraints.py`` alone see the aggregates together.

A reaction is decided and appended together with the event that caused it, so no crash can separate an order from its points.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from aggregates import behaviour
from aggregates.cart import MergeCart, ReceiveCart
from aggregates.cart_events import (
    CartCodeEntered,
    CartItemAdded,
    CartItemRestored,
    CartItemSavedForLater,
    CartMerged,
    CartOpened,
)
from aggregates.coupon import RedeemCoupon, ReserveCoupon, SendCoupon
from aggregates.decider import Context, Look, Refusal, nothing_known
from aggregates.member import EraseMember, MemberClosed, MemberErased, MemberRegistered
from aggregates.membership.commands import (
    ActivateLot,
    ActivatePoints,
    AdjustPoints,
    ClaimReward,
    ClawBackPoints,
    EnterPool,
    GrantPoints,
    HoldPoints,
    JoinPool,
    LapsePending,
    ReceivePoints,
    RecordAction,
    RedeemPoints,
    ReinstatePoints,
    TagMember,
    TransferPoints,
)
from aggregates.membership.earning.formula import BoughtLine
from aggregates.membership.ledger.events import PointsTransferred, PoolJoined, PoolLeft, RewardClaimed
from aggregates.order.events import (
    OrderCancelled,
    OrderExchanged,
    OrderPaid,
    OrderPaymentFailed,
    OrderPaymentPending,
    OrderPlaced,
    OrderRefunded,
    OrderTendered,
)
from aggregates.order.fulfilment import OrderDelivered
from aggregates.order.placing import PlaceOrder
from aggregates.programme import Policies
from aggregates.referring import OfOrder, OfReferral, follow_order, follow_referral
from aggregates.review import ProductReviewed
from aggregates.session import (
    ForgetSessions,
    JoinSession,
    KeepSession,
    RecogniseMember,
    SessionJoined,
    SessionLeft,
    SignOutMember,
)
from aggregates.settlement import send_out, settle

ORDER_AND_POINTS = (
    OrderPaid,
    OrderDelivered,
    OrderRefunded,
    OrderCancelled,
    PointsTransferred,
    RewardClaimed,
    PoolJoined,
    PoolLeft,
)
SEEN_IN_A_SESSION = (*behaviour.Event.__args__, CartOpened, OrderPlaced, ProductReviewed)
OF_PAYMENT = (OrderTendered, OrderPaymentPending, OrderPaymentFailed, OrderPaid, OrderCancelled, OrderRefunded)
OF_MEMBERS = (CartMerged, SessionJoined, SessionLeft, MemberRegistered, MemberClosed, MemberErased)
CAUSES = frozenset({OrderExchanged, *OfReferral.__args__, *OF_PAYMENT, *ORDER_AND_POINTS, *SEEN_IN_A_SESSION, *OF_MEMBERS})
"""Events from which something may follow. Nothing follows from most events of a basket."""

USE_OF_POOL = (RedeemPoints, HoldPoints, ClaimReward)
"""Commands that one member of a pool may give for it."""


def react(event: object, context: Context, erased: Collection[str] = (), look: Look = nothing_known) -> list[object]:
    """Return the commands that follow from an event, in order. Nothing more happens to an ``erased`` member.

    ``look``: the states as the event has left them.
    """
    if type(event) not in CAUSES:
        return []
    if isinstance(event, OrderExchanged):
        return [*send_out(event, look, erased)]
    found = [*settle(event, look, erased)] if isinstance(event, OF_PAYMENT) else []
    found += of_points(event, context, erased)
    if isinstance(event, OfReferral):
        found += follow_referral(event, context, erased, look)
    elif isinstance(event, OfOrder) and context.policies.refers:
        found += follow_order(event, look) if event.member not in erased else ()
    return found


def of_points(event: object, context: Context, erased: Collection[str]) -> list[object]:
    """Return what follows from an event for sessions, points and coupons of rewards."""
    if isinstance(event, CartMerged):
        return [ReceiveCart(event.into, event.of, event.cart, event.items, event.saved, event.at, event.codes)]
    if isinstance(event, SessionJoined):
        return [RecogniseMember(event.joined, event.session, event.at), KeepSession(event.session, event.at)]
    if isinstance(event, MemberClosed):
        return [LapsePending(event.member, event.at)]
    if isinstance(event, MemberErased):
        return [ForgetSessions(event.member, event.at)]
    if isinstance(event, SessionLeft):
        return [SignOutMember(event.left, event.session, event.at)]
    if isinstance(event, SEEN_IN_A_SESSION):
        both = event.member is not None and event.session is not None and event.member not in erased
        joined: list[object] = [JoinSession(event.session, event.member, event.at)] if both else []
        return joined + record_action(event, context.policies, erased)
    if isinstance(event, MemberRegistered):
        return record_action(event, context.policies, erased)
    if not isinstance(event, ORDER_AND_POINTS) or event.member is None or event.member in erased:
        return []
    member = event.member
    match event:
        case OrderPaid():
            lines = bought_lines(event) if context.policies.needs_lines else ()
            return [GrantPoints(member, event.order, event.net, event.at, lines)]
        case OrderDelivered(complete=True):
            return [ActivatePoints(member, event.order, event.at)]
        case OrderRefunded():
            given_back = tuple([(line, money) for line, _, money in event.parts])
            return [ClawBackPoints(member, event.order, event.refund, event.net_retained, event.at, given_back, event.complete)]
        case OrderCancelled():
            return [ClawBackPoints(member, event.order, "cancelled", 0, event.at, complete=True)]
        case PoolJoined():
            return [EnterPool(event.joiner, member, event.at)]
        case PoolLeft():
            return [EnterPool(event.leaver, member, event.at, leaves=True)] if event.leaver not in erased else []
        case RewardClaimed():
            return [SendCoupon(event.item, member, event.at)] if event.gives == "coupon" else []
        case PointsTransferred():
            return [ReceivePoints(event.other, event, event.at)] if event.direction == "out" else []
        case _:
            return []  # a part of the order was delivered


def record_action(event: object, policies: Policies, erased: Collection[str]) -> list[object]:
    """Return the command that records an event as an action, if a rule of the programme rewards that action."""
    if not policies.rewarded:
        return []
    match event:
        case MemberRegistered():
            done = event.member, "sign_up", "sign_up"
        case ProductReviewed(member=str(member)):
            done = member, "review", occurrence_of(event.product, event.order)
        case behaviour.Shared(member=str(member)):
            done = member, "share", occurrence_of(event.product)
        case _:
            return []
    member, action, occurrence = done
    if action not in policies.rewarded or member in erased:
        return []
    return [RecordAction(member, action, occurrence, event.at)]


def occurrence_of(*ids: str | None) -> str:
    """Return the name of one occurrence of an action, made of ids; no two tuples of ids share a name.

    >>> occurrence_of("tea", "1"), occurrence_of("tea/1"), occurrence_of("tea", None)
    ('tea/1', 'tea%2F1', 'tea')
    """
    return "/".join(part.replace("%", "%25").replace("/", "%2F") for part in ids if part is not None)


def bought_lines(event: OrderPaid) -> tuple[BoughtLine, ...]:
    return tuple([BoughtLine(line.product, line.paid, line.department, line.category) for line in event.lines])


MEMBER_CLOSED = Refusal("member_closed", "This membership is closed.")


def users_of(step: object) -> tuple[str | None, ...]:
    """Return the members who must not have closed their membership, for a command or an event: those who earn or spend."""
    match step:
        case (
            CartOpened()
            | CartItemAdded()
            | CartItemSavedForLater()
            | CartItemRestored()
            | CartCodeEntered()
            | MergeCart()
            | GrantPoints()
            | RecordAction()
            | ReceivePoints()
            | ActivateLot()
            | ReinstatePoints()
        ):
            return (step.member,)
        case TagMember() | SendCoupon() | ReserveCoupon():
            return (step.member,)
        case AdjustPoints():
            return (step.member,) if step.points > 0 else ()
        case RedeemCoupon():
            return () if step.recorded else (step.member,)
        case RedeemPoints() | HoldPoints() | ClaimReward():
            return step.member, step.by
        case TransferPoints():
            return step.member, step.to
        case JoinPool():
            return step.member, step.joiner
        case _:
            return ()


def check_allowed(command: object, context: Context, erased: Collection[str] = ()) -> None:
    """Refuse what no single aggregate can see to be wrong: a member who was erased, a foreign currency."""
    if erased and not isinstance(command, EraseMember):
        for name, sentence in concerned(command):
            if name in erased:
                raise Refusal("member_erased", sentence)
    if isinstance(command, PlaceOrder) and command.currency != context.currency:
        raise Refusal("currency_unknown", f"This shop sells in {context.currency}, not in {command.currency}.")


def concerned(command: Any) -> list[tuple[str | None, str]]:
    """Return the members whom a command is about, each with the sentence that refuses it once they are erased."""
    member = command.joined if isinstance(command, JoinSession) else getattr(command, "member", None)
    found = [(member, "This member was erased; a new membership needs a new id.")]
    if isinstance(command, TransferPoints):
        found.append((command.to, "The other member of this was erased."))
    if isinstance(command, JoinPool):
        found.append((command.joiner, "The other member of this was erased."))
    if isinstance(command, USE_OF_POOL):
        found.append((command.by, "The member who asks for these points of a pool was erased."))
    return found
