"""What follows from what: beside guards, the only file that sees two aggregates.

A reaction is decided and appended with the fact that caused it, so no crash can part an order from its points.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from aggregates import behaviour
from aggregates.cart.events import CartOpened
from aggregates.coupon import SendCoupon
from aggregates.decider import LONGEST_ID, Refusal, require_instant
from aggregates.member import EraseMember, MemberRegistered
from aggregates.membership import commands as membership
from aggregates.membership.commands import ActivatePoints, ClawBackPoints, GrantPoints
from aggregates.membership.commands_of_people import EnterPool, JoinPool, ReceivePoints, RecordAction, TransferPoints
from aggregates.membership.commands_of_use import ClaimReward, HoldPoints, RedeemPoints
from aggregates.membership.earning.spending import BoughtLine
from aggregates.membership.ledger.moves import PointsTransferred
from aggregates.membership.ledger.pools import PoolJoined, PoolLeft
from aggregates.membership.ledger.uses import RewardClaimed
from aggregates.order.decider import PlaceOrder
from aggregates.order.events import OrderCancelled, OrderDelivered, OrderPaid, OrderPlaced, OrderRefunded
from aggregates.programme import Policies
from aggregates.programme.policy import PublishPolicy
from aggregates.review import ProductReviewed
from aggregates.session import JoinSession, RecogniseMember, SessionJoined, SessionLeft, SignOutMember
from aggregates.value import replace

REACTING = (OrderPaid, OrderDelivered, OrderRefunded, OrderCancelled, PointsTransferred, RewardClaimed, PoolJoined, PoolLeft)
MEMBERSHIP = frozenset(membership.Command.__args__)
SEEN_IN_A_SESSION = (*behaviour.Event.__args__, CartOpened, OrderPlaced, ProductReviewed)
CAUSES = frozenset({*REACTING, *SEEN_IN_A_SESSION, SessionJoined, SessionLeft, MemberRegistered})
"""Facts from which something may follow; from most of a basket nothing does."""
TO_ANOTHER = (TransferPoints, JoinPool)
OF_A_POOL = (RedeemPoints, HoldPoints, ClaimReward)
"""What one of its members may ask for."""


def react(event: object, policies: Policies, erased: Collection[str] = ()) -> list[object]:
    """The commands that a fact brings about, in order; nothing more happens to an ``erased`` member."""
    if type(event) not in CAUSES:
        return []
    if isinstance(event, SessionJoined):
        return [RecogniseMember(event.joined, event.session, event.at)]
    if isinstance(event, SessionLeft):
        return [SignOutMember(event.left, event.session, event.at)]
    if isinstance(event, SEEN_IN_A_SESSION):
        both = event.member is not None and event.session is not None and event.member not in erased
        joined: list[object] = [JoinSession(event.session, event.member, event.at)] if both else []
        return joined + acted(event, policies, erased)
    if isinstance(event, MemberRegistered):
        return acted(event, policies, erased)
    if not isinstance(event, REACTING) or event.member is None or event.member in erased:
        return []
    member = event.member
    match event:
        case OrderPaid():
            lines = bought(event) if policies.needs_lines else ()
            return [GrantPoints(member, event.order, event.net, policies, event.at, lines)]
        case OrderDelivered():
            return [ActivatePoints(member, event.order, policies, event.at)]
        case OrderRefunded():
            of_it = (event.order, event.refund, event.net_retained)
            return [ClawBackPoints(member, *of_it, policies, event.at, event.given_back, event.complete)]
        case OrderCancelled():
            return [ClawBackPoints(member, event.order, "cancelled", 0, policies, event.at, complete=True)]
        case PoolJoined():
            return [EnterPool(event.joiner, member, event.at, False, policies)]
        case PoolLeft():
            return [EnterPool(event.leaver, member, event.at, True, policies)] if event.leaver not in erased else []
        case RewardClaimed():
            return [SendCoupon(event.item, member, event.at)] if event.gives == "coupon" else []
        case PointsTransferred():
            return [ReceivePoints(event.other, event, event.at, policies)] if event.direction == "out" else []


def acted(event: object, policies: Policies, erased: Collection[str]) -> list[object]:
    """What a fact is to rules by action, if any names it."""
    if not policies.rewarded:
        return []
    match event:
        case MemberRegistered():
            done = event.member, "sign_up", "sign_up"
        case ProductReviewed(member=str(member)):
            done = member, "review", event.product if event.order is None else f"{event.product}/{event.order}"
        case behaviour.Shared(member=str(member)):
            done = member, "share", event.product
        case _:
            return []
    member, action, occurrence = done
    if action not in policies.rewarded or member in erased:
        return []
    return [RecordAction(member, action, occurrence[:LONGEST_ID], event.at, policies)]


def bought(event: OrderPaid) -> tuple[BoughtLine, ...]:
    return tuple([BoughtLine(line.product, line.paid, line.department, line.category) for line in event.lines])


def admit(command: object, policies: Policies, erased: Collection[str] = ()) -> None:
    """Refuse what no single aggregate can see to be wrong: a foreign currency, a member who was erased."""
    require_instant("at", getattr(command, "at", 0))
    if erased and whose(command) in erased and not isinstance(command, EraseMember):
        raise Refusal("member_erased", "This member was erased; a new membership needs a new id.")
    if isinstance(command, TO_ANOTHER):
        other = command.to if isinstance(command, TransferPoints) else command.joiner
        if isinstance(other, str) and other in erased:
            raise Refusal("member_erased", "The other member of this was erased.")
    if erased and isinstance(command, OF_A_POOL) and isinstance(command.by, str) and command.by in erased:
        raise Refusal("member_erased", "Who asks for these points of a pool was erased.")
    if isinstance(command, PlaceOrder) and command.currency != policies.newest.currency:
        raise Refusal("currency_unknown", f"This shop sells in {policies.newest.currency}, not in {command.currency}.")


def under(command: object, policies: Policies) -> object:
    """A command as it is decided: with what is the shop's own, whatever it said of that."""
    of_membership: Any = command
    if type(command) in MEMBERSHIP:
        return replace(of_membership, policies=policies)
    if isinstance(command, PublishPolicy):
        return replace(command, zone=policies.newest.zone, currency=policies.newest.currency)
    return command


def whose(command: object) -> object:
    return command.joined if isinstance(command, JoinSession) else getattr(command, "member", None)
