"""The command behind a fact, for what a shop-log has no word of its own for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import msgspec

from aggregates import campaign, coupon, member, product, review, session
from aggregates.cart import decider as carting
from aggregates.cart import facts as cart
from aggregates.membership.decider import RedeemPoints
from aggregates.membership.facts import PointsRedeemed
from aggregates.order import decider as ordering
from aggregates.order import facts as order
from aggregates.order.refund import RefundOrder
from streams.registry import BEHAVIOUR

COMMAND_OF: dict[type, type] = {
    member.MemberRegistered: member.RegisterMember,
    member.MemberProfileChanged: member.ChangeProfile,
    member.MemberClosed: member.CloseMember,
    member.MemberErased: member.EraseMember,
    product.ProductListed: product.ListProduct,
    product.ProductRepriced: product.RepriceProduct,
    product.ProductRetired: product.RetireProduct,
    cart.CartOpened: carting.OpenCart,
    cart.CartItemAdded: carting.AddToCart,
    cart.CartItemQuantityChanged: carting.ChangeQuantity,
    cart.CartItemRemoved: carting.RemoveFromCart,
    cart.CartCheckedOut: carting.CheckOutCart,
    cart.CartAbandoned: carting.AbandonCart,
    order.OrderPlaced: ordering.PlaceOrder,
    order.OrderPaid: ordering.PayOrder,
    order.OrderShipped: ordering.ShipOrder,
    order.OrderDelivered: ordering.DeliverOrder,
    order.OrderCancelled: ordering.CancelOrder,
    order.OrderRefunded: RefundOrder,
    campaign.CampaignLaunched: campaign.LaunchCampaign,
    coupon.CouponSent: coupon.SendCoupon,
    coupon.CouponRedeemed: coupon.RedeemCoupon,
    PointsRedeemed: RedeemPoints,
    session.SessionJoined: session.JoinSession,
    review.ProductReviewed: review.ReviewProduct,
    **{fact: fact for fact in BEHAVIOUR},
}

ADDED: dict[type, dict[str, Any]] = {
    carting.OpenCart: {"anew": True},
    ordering.CancelOrder: {"recorded": True},
}
"""What a command needs besides, to bring its fact about wherever it is given."""

OF_THE_SHOP = ("at", "terms")


def command_line(event: Any) -> dict[str, Any]:
    """A line of type ``regulars``: the command's name and its values, as JSON."""
    command = COMMAND_OF[type(event)]
    values = {spec.name: getattr(event, spec.name) for spec in fields(command) if hasattr(event, spec.name)}
    if isinstance(event, order.OrderRefunded):
        values["parts"] = list(parts(event))
    values |= ADDED.get(command, {})
    told = {name: msgspec.to_builtins(value) for name, value in values.items() if name not in OF_THE_SHOP and value is not None}
    return {"type": "regulars", "at": event.at, "command": command.__name__, "values": told}


def parts(event: order.OrderRefunded) -> Iterator[dict[str, int]]:
    for line, (units, money) in enumerate(zip(event.units, event.given_back, strict=True), 1):
        if units:
            yield {"line": line, "quantity": units}
        elif money:
            yield {"line": line, "quantity": 0, "total": money}
