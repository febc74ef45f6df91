"""The one table: every command with its decider, every event with its topic, every fold. Nothing registers itself elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from aggregates import (
    behaviour,
    campaign,
    cart,
    cart_events,
    code_batches,
    coupon,
    gift_card,
    guest_coupon,
    member,
    personal_snapshot,
    product,
    referral,
    review,
    session,
)
from aggregates.decider import Decider, stream_id
from aggregates.membership import commands as membership_commands
from aggregates.membership import decider as membership
from aggregates.membership import events as membership_facts
from aggregates.order import decider as order
from aggregates.order import events as order_facts
from aggregates.order import exchange, stock
from aggregates.programme import Programme, policy
from infra.codec import EventType
from models.learner import Learner
from projections.activity import activity
from projections.campaigns import campaigns
from projections.card import card
from projections.cart import cart as cart_view
from projections.gift_cards import gift_cards
from projections.lowest_prices import lowest_prices
from projections.order_lists import order_lists, order_states
from projections.order_prices import order_prices
from projections.orders import orders
from projections.product import product as product_view
from projections.programme import programme
from projections.projection import Projection
from projections.sales import sales
from projections.sessions import sessions
from projections.wallet import wallet
from streams.upcasters import SEALED, SEALED_SINCE, UPCASTS


@dataclass(frozen=True)
class Route:
    """Where a command is decided. ``ids`` are the fields that name its stream, and ``stream`` returns that stream.

    None means the stream that the append keeps for its behaviour.
    """

    decider: Decider[Any, Any, Any]
    ids: tuple[str, ...]
    stream: Callable[[Any], str | None]


def _routes(decider: Decider[Any, Any, Any], commands: tuple[type, ...], *ids: str) -> dict[type, Route]:
    named: Callable[[Any], Any] = attrgetter(*ids)  # one value, or a tuple of several

    def of_one(command: Any) -> str:
        return stream_id(decider.name, named(command))

    def of_several(command: Any) -> str:
        return stream_id(decider.name, *named(command))

    return dict.fromkeys(commands, Route(decider, ids, of_one if len(ids) == 1 else of_several))


def _review(command: review.ReviewProduct) -> str:
    return stream_id(review.review.name, *review.author(command))


BEHAVIOUR: tuple[type, ...] = behaviour.Event.__args__
REVIEWED = ("product", "order", "member | session")

COMMANDS: dict[type, Route] = {
    **_routes(member.member, member.Command.__args__, "member"),
    **_routes(product.product, product.Command.__args__, "product"),
    **_routes(cart.cart, cart.Command.__args__, "cart"),
    **_routes(order.order, order.Command.__args__, "order"),
    **_routes(campaign.campaign, campaign.Command.__args__, "campaign"),
    **_routes(coupon.coupon, coupon.Command.__args__, "campaign", "member"),
    **_routes(guest_coupon.guest_coupon, guest_coupon.Command.__args__, "campaign", "use"),
    **_routes(gift_card.gift_card, gift_card.Command.__args__, "card"),
    **_routes(referral.referral_code, referral.OfCode.__args__, "referral_code"),
    **_routes(referral.referral, referral.OfNewcomer.__args__, "member"),
    **_routes(membership.membership, membership_commands.Command.__args__, "member"),
    **_routes(session.session, (session.JoinSession, session.KeepSession, session.LeaveSession), "session"),
    **_routes(session.sessions, (session.RecogniseMember, session.SignOutMember, session.ForgetSessions), "member"),
    **dict.fromkeys(
        code_batches.Command.__args__, Route(code_batches.code_batches, (), lambda _: code_batches.code_batches.name)
    ),
    personal_snapshot.RecordPersonalSnapshot: Route(
        personal_snapshot.personal_snapshots, (), lambda _: personal_snapshot.personal_snapshots.name
    ),
    policy.PublishPolicy: Route(policy.policy, (), lambda _: policy.policy.name),
    review.ReviewProduct: Route(review.review, REVIEWED, _review),
    **dict.fromkeys(BEHAVIOUR, Route(behaviour.behaviour, ("position",), lambda _: None)),
}

REACTIONS: frozenset[type] = frozenset(
    (
        session.RecogniseMember,
        session.KeepSession,
        session.ForgetSessions,
        session.SignOutMember,
        membership_commands.GrantPoints,
        membership_commands.ActivatePoints,
        membership_commands.ClawBackPoints,
        membership_commands.ReceivePoints,
        membership_commands.EnterPool,
        membership_commands.RecordDue,
        membership_commands.LapsePending,
        gift_card.RecordGiftCardDue,
        coupon.RecordLapsed,
        guest_coupon.RecordGuestLapsed,
        cart.RecordCartDue,
        cart.ReceiveCart,
        referral.BeginReferral,
        referral.QualifyReferral,
        referral.DisqualifyReferral,
        referral.RecordReferralDue,
        stock.RecordOrderDue,
        exchange.TakeExchanged,
    )
)
"""Commands that only follow from events or come from a tick; asked for, they are refused."""

CONSOLE_ONLY: frozenset[type] = frozenset((personal_snapshot.RecordPersonalSnapshot,))
"""Commands that belong to a command of the console, which does what they record: there is no other way to send them."""

DUE: dict[str, tuple[Decider[Any, Any, Any], Callable[..., object]]] = {
    membership.membership.name: (membership.membership, membership_commands.RecordDue),
    order.order.name: (order.order, stock.RecordOrderDue),
    cart.cart.name: (cart.cart, cart.RecordCartDue),
    referral.referral.name: (referral.referral, referral.RecordReferralDue),
    coupon.coupon.name: (coupon.coupon, coupon.RecordLapsed),
    guest_coupon.guest_coupon.name: (guest_coupon.guest_coupon, guest_coupon.RecordGuestLapsed),
    gift_card.gift_card.name: (gift_card.gift_card, gift_card.RecordGiftCardDue),
}
"""Aggregates to which time alone brings something, and the command that records what is due: it has the ids and the instant."""

BY_TIME = frozenset(command for _, command in DUE.values())
"""Commands of a tick. The row of their stream is written anew, as a newer policy may have moved the instant."""

DUE_OF_MEMBERS = (membership.membership.name, referral.referral.name)
"""Those of them whose stream is named after a member alone: once that member is erased, nothing is due any more."""

EVENTS: dict[type, EventType] = {
    event: EventType(
        event,
        UPCASTS.get(event, ()),
        SEALED.get(event, {}),
        SEALED_SINCE.get(event, 1),
        erases=event is member.MemberErased,
    )
    for event in (
        *member.Event.__args__,
        *product.Event.__args__,
        *cart_events.Event.__args__,
        *order_facts.Event.__args__,
        *campaign.Event.__args__,
        *coupon.Event.__args__,
        *guest_coupon.Event.__args__,
        *code_batches.Event.__args__,
        *gift_card.Event.__args__,
        *referral.Event.__args__,
        *membership_facts.Event.__args__,
        *session.Event.__args__,
        review.ProductReviewed,
        policy.PolicyPublished,
        personal_snapshot.PersonalSnapshotTaken,
        *BEHAVIOUR,
    )
}

DOMAIN, BEHAVED, LEARNING = "regulars.events", "regulars.behaviour", "regulars.learning"
"""The topics: two are partitioned by key; the third has one partition, in the order of the log."""

TOPICS: dict[type, str] = dict.fromkeys(EVENTS, DOMAIN) | dict.fromkeys(BEHAVIOUR, BEHAVED)
"""The home topic of each event."""

READ_FROM: dict[str, str] = {
    Learner.name: LEARNING,
    sessions.name: LEARNING,  # a session may go from one member's partition to another's
    activity.name: BEHAVED,
}
"""Folds that need events of several home topics in order: they read one topic that carries all of them."""


def projections(terms: Programme) -> Iterator[Projection]:
    """Yield every read model, for a shop with these terms."""
    yield card
    yield cart_view
    yield orders
    yield order_prices
    yield wallet
    yield gift_cards
    yield activity
    yield sessions
    yield product_view
    yield lowest_prices
    yield order_states
    yield order_lists(terms.zone)
    yield sales(terms.zone)
    yield campaigns
    yield programme


def folds(terms: Programme) -> list[Projection | type[Learner]]:
    """Return every fold: the read models, then the learner."""
    return [*projections(terms), Learner]


def sources(fold: Projection | type[Learner]) -> dict[str, frozenset[type]]:
    """Return the topics that feed a fold, with the events it takes from each. Only a sum may have several, for it commutes."""
    if topic := READ_FROM.get(fold.name):
        return {topic: fold.events}
    homes = {TOPICS[event] for event in fold.events}
    return {home: frozenset(event for event in fold.events if TOPICS[event] == home) for home in sorted(homes)}


def carried(terms: Programme) -> dict[str, frozenset[type]]:
    """Return the events that each topic carries: those at home there, and those that a fold reads from it."""
    topics = {home: {event for event in EVENTS if TOPICS[event] == home} for home in (DOMAIN, BEHAVED)} | {LEARNING: set()}
    for fold in folds(terms):
        for topic, events in sources(fold).items():
            topics[topic] |= events
    return {topic: frozenset(events) for topic, events in topics.items()}


def fold_of_part(terms: Programme) -> dict[str, str]:
    """Map the first part of a Redis key to the fold that owns it."""
    return {part: fold.name for fold in folds(terms) for part in fold.parts}
