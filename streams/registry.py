"""THE table: what there is, where it goes. Nothing registers itself elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from aggregates import campaign, coupon, member, product
from aggregates.cart import decider as cart
from aggregates.cart import facts as cart_facts
from aggregates.kernel import Decider, stream_id
from aggregates.membership import decider as membership
from aggregates.membership import facts as membership_facts
from aggregates.order import decider as order
from aggregates.order import facts as order_facts
from aggregates.programme import Programme
from infra.codec import EventType
from models.learner import Learner
from projections.campaigns import campaigns
from projections.card import card
from projections.cart import cart as cart_view
from projections.kernel import Projection
from projections.orders import orders
from projections.product import product as product_view
from projections.sales import sales
from projections.trending import trending
from projections.wallet import wallet


@dataclass(frozen=True)
class Route:
    """Where a command is decided: ``ids`` are the fields that name its stream, ``stream`` is what they make of a command."""

    decider: Decider[Any, Any, Any]
    ids: tuple[str, ...]
    stream: Callable[[Any], str]


def _routes(decider: Decider[Any, Any, Any], commands: tuple[type, ...], *ids: str) -> dict[type, Route]:
    named: Callable[[Any], Any] = attrgetter(*ids)  # one value, or a tuple of several

    def of_one(command: Any) -> str:
        return stream_id(decider.name, named(command))

    def of_several(command: Any) -> str:
        return stream_id(decider.name, *named(command))

    return dict.fromkeys(commands, Route(decider, ids, of_one if len(ids) == 1 else of_several))


COMMANDS: dict[type, Route] = {
    **_routes(member.member, member.Command.__args__, "member"),
    **_routes(product.product, product.Command.__args__, "product"),
    **_routes(cart.cart, cart.Command.__args__, "cart"),
    **_routes(order.order, order.Command.__args__, "order"),
    **_routes(campaign.campaign, (campaign.LaunchCampaign,), "campaign"),
    **_routes(coupon.coupon, coupon.Command.__args__, "campaign", "member"),
    **_routes(membership.membership, membership.Command.__args__, "member"),
}

PROFILE: dict[str, object] = {"name": None, "email": None, "birthday": None, "profile": {}}
"""What is sealed of a member, with what is read once their key is gone."""

SEALED: dict[type, dict[str, object]] = {member.MemberRegistered: PROFILE, member.MemberProfileChanged: PROFILE}

EVENTS: dict[type, EventType] = {
    event: EventType(event, sealed=SEALED.get(event, {}), erases=event is member.MemberErased)
    for event in (
        *member.Event.__args__,
        *product.Event.__args__,
        *cart_facts.Event.__args__,
        *order_facts.Event.__args__,
        campaign.CampaignLaunched,
        *coupon.Event.__args__,
        *membership_facts.Event.__args__,
    )
}

TOPICS: dict[type, str] = dict.fromkeys(EVENTS, "regulars.events")
"""The topic each event is relayed to; behaviour will have its own."""

LEARNED = Learner.events
"""Events that the learner's topic carries as well."""


def projections(terms: Programme) -> Iterator[Projection]:
    """Every read model, for a shop with these terms."""
    yield card(terms)
    yield cart_view
    yield orders
    yield wallet
    yield product_view
    yield trending
    yield sales(terms.zone)
    yield campaigns


def folds(terms: Programme) -> list[Projection | type[Learner]]:
    """Every fold: the read models, then the learner."""
    return [*projections(terms), Learner]


def fold_of_part(terms: Programme) -> dict[str, str]:
    """Whose a key is, by what it begins with."""
    return {part: fold.name for fold in folds(terms) for part in fold.parts}
