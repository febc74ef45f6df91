"""The command behind an event, for what no other line of a shop-log says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from aggregates import (
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
from aggregates.membership import commands
from aggregates.membership import events as points
from aggregates.order import decider as ordering
from aggregates.order import events as order
from aggregates.order import exchange, fulfilment, payment, placing, stock
from aggregates.order.refund import RefundOrder
from aggregates.programme import policy
from aggregates.value import asdict
from streams.exports.shop_log.importer import ImporterState, Spenders
from streams.exports.shop_log.refunds import refund_wishes
from streams.imports.shop_log.instants import EPOCH, MILLISECOND, SECONDS
from streams.registry import BEHAVIOUR

COMMAND_OF: dict[type, type] = {
    member.MemberRegistered: member.RegisterMember,
    member.MemberProfileChanged: member.ChangeProfile,
    member.MemberClosed: member.CloseMember,
    member.MemberErased: member.EraseMember,
    product.ProductListed: product.ListProduct,
    product.ProductRepriced: product.RepriceProduct,
    product.ProductRestocked: product.RestockProduct,
    product.ProductRetired: product.RetireProduct,
    cart_events.CartOpened: cart.OpenCart,
    cart_events.CartItemAdded: cart.AddToCart,
    cart_events.CartItemQuantityChanged: cart.ChangeQuantity,
    cart_events.CartItemRemoved: cart.RemoveFromCart,
    cart_events.CartCheckedOut: cart.CheckOutCart,
    cart_events.CartAbandoned: cart.AbandonCart,
    cart_events.CartItemSavedForLater: cart.SaveForLater,
    cart_events.CartItemRestored: cart.MoveToCart,
    cart_events.CartMerged: cart.MergeCart,
    cart_events.CartCodeEntered: cart.EnterCode,
    cart_events.CartCodeRemoved: cart.RemoveCode,
    order.OrderPlaced: placing.PlaceOrder,
    order.OrderPriced: placing.PlaceOrder,
    order.OrderTendered: payment.TenderOrder,
    order.OrderPaymentPending: payment.AwaitPayment,
    order.OrderPaymentFailed: payment.FailPayment,
    order.OrderPaid: ordering.PayOrder,
    fulfilment.OrderShipped: fulfilment.ShipOrder,
    fulfilment.OrderDelivered: fulfilment.DeliverOrder,
    fulfilment.OrderReturned: fulfilment.ReturnGoods,
    stock.StockReserved: stock.ReserveStock,
    order.OrderCancelled: ordering.CancelOrder,
    order.OrderRefunded: RefundOrder,
    order.OrderExchanged: exchange.ExchangeItems,
    campaign.CampaignLaunched: campaign.LaunchCampaign,
    campaign.CampaignChanged: campaign.ChangeCampaign,
    campaign.CampaignEnded: campaign.EndCampaign,
    coupon.CouponSent: coupon.SendCoupon,
    coupon.CouponRedeemed: coupon.RedeemCoupon,
    coupon.CouponReserved: coupon.ReserveCoupon,
    coupon.CouponReleased: coupon.ReleaseCoupon,
    coupon.CouponRestored: coupon.RestoreCoupon,
    guest_coupon.GuestCouponRedeemed: guest_coupon.RedeemGuestCoupon,
    guest_coupon.GuestCouponReserved: guest_coupon.ReserveGuestCoupon,
    guest_coupon.GuestCouponReleased: guest_coupon.ReleaseGuestCoupon,
    guest_coupon.GuestCouponRestored: guest_coupon.RestoreGuestCoupon,
    code_batches.CodesIssued: code_batches.IssueCodes,
    code_batches.CodesRevoked: code_batches.RevokeCodes,
    gift_card.GiftCardIssued: gift_card.IssueGiftCard,
    gift_card.GiftCardHeld: gift_card.HoldGiftCard,
    gift_card.GiftCardCharged: gift_card.ChargeGiftCard,
    gift_card.GiftCardReleased: gift_card.ReleaseGiftCard,
    gift_card.GiftCardCredited: gift_card.CreditGiftCard,
    gift_card.GiftCardBlocked: gift_card.BlockGiftCard,
    referral.ReferralCodeIssued: referral.IssueReferralCode,
    referral.ReferralCodeUsed: referral.UseReferralCode,
    points.LotActivated: commands.ActivateLot,
    points.PointsRedeemed: commands.RedeemPoints,
    points.PointsReturned: commands.ReturnPoints,
    points.PointsHeld: commands.HoldPoints,
    points.HoldCaptured: commands.CaptureHold,
    points.HoldReleased: commands.ReleaseHold,
    points.PointsAdjusted: commands.AdjustPoints,
    points.PointsReinstated: commands.ReinstatePoints,
    points.PointsTransferred: commands.TransferPoints,
    points.RewardClaimed: commands.ClaimReward,
    points.PoolJoined: commands.JoinPool,
    points.PoolLeft: commands.LeavePool,
    points.ActionRecorded: commands.RecordAction,
    points.MemberTagged: commands.TagMember,
    points.TierOverridden: commands.OverrideTier,
    points.TierOverrideEnded: commands.EndTierOverride,
    session.SessionJoined: session.JoinSession,
    session.SessionLeft: session.LeaveSession,
    review.ProductReviewed: review.ReviewProduct,
    policy.PolicyPublished: policy.PublishPolicy,
    personal_snapshot.PersonalSnapshotTaken: personal_snapshot.RecordPersonalSnapshot,
    **{fact: fact for fact in BEHAVIOUR},
}

ADDED: dict[type, dict[str, Any]] = {
    cart.OpenCart: {"anew": True},
    ordering.CancelOrder: {"recorded": True},
}
"""What a command also needs, so that it brings its event about wherever it is given."""


def command_lines(ahead: Sequence[Any], importer: ImporterState) -> Iterator[dict[str, Any]]:
    """Yield lines of type ``regulars`` that may say the first of these events: a command's name and its values, as JSON."""
    event, after = ahead[0], ahead[1] if len(ahead) > 1 else None
    match event, after:
        case order.OrderPlaced(), order.OrderPriced(order=event.order):
            yield command_line(event, placing.PlaceOrder, importer, {"priced": after.trace})
        case order.OrderRefunded(kind="exchange"), order.OrderExchanged():
            values = parts_values(after.parts) | {"reason": event.reason}
            yield command_line(after, exchange.ExchangeItems, importer, values)
        case order.OrderRefunded(), _:
            for wish in refund_wishes(event, importer.order(event.order)):
                yield command_line(event, RefundOrder, importer, wish)
        case coupon.CouponReleased(), coupon.CouponReserved() if same_use(event, after):
            yield command_line(after, coupon.ReserveCoupon, importer, reservation_values(after.reservation))
        case coupon.CouponReleased(), _:
            reason = "failed" if event.reason == "failed" else "cancelled"  # an end by time needs none
            yield command_line(event, coupon.ReleaseCoupon, importer, {"reason": reason})
        case coupon.CouponReserved(), _:
            yield command_line(event, coupon.ReserveCoupon, importer, reservation_values(event.reservation))
        case coupon.CouponRedeemed(reservation=coupon.Reserved()), _:
            yield command_line(event, coupon.RedeemReserved, importer, {})
        case cart_events.CartMerged(), _:
            yield command_line(event, cart.MergeCart, importer, {"member": event.of})
        case fulfilment.OrderShipped(), _:
            values = parts_values(event.parts) | {"shipment": event.shipment or None}
            yield command_line(event, fulfilment.ShipOrder, importer, values)
        case fulfilment.OrderDelivered(), _:
            yield command_line(event, fulfilment.DeliverOrder, importer, {"shipment": event.shipment or None})
        case fulfilment.OrderReturned(), _:
            yield command_line(event, fulfilment.ReturnGoods, importer, parts_values(event.parts))
        case session.SessionKept(), _:
            yield command_line(event, session.JoinSession, importer, {"joined": importer.session(event.session).member})
        case guest_coupon.GuestCouponReleased(), guest_coupon.GuestCouponReserved(use=event.use, campaign=event.campaign):
            yield command_line(after, guest_coupon.ReserveGuestCoupon, importer, reservation_values(after.reservation))
        case guest_coupon.GuestCouponReleased(), _:
            reason = "failed" if event.reason == "failed" else "cancelled"
            yield command_line(event, guest_coupon.ReleaseGuestCoupon, importer, {"reason": reason})
        case guest_coupon.GuestCouponReserved(), _:
            yield command_line(event, guest_coupon.ReserveGuestCoupon, importer, reservation_values(event.reservation))
        case guest_coupon.GuestCouponRedeemed(reservation=coupon.Reserved()), _:
            yield command_line(event, guest_coupon.RedeemReservedGuest, importer, {})
        case guest_coupon.GuestCouponRedeemed(), _:
            yield command_line(event, guest_coupon.RedeemGuestCoupon, importer, guest_days(event))
        case _:
            yield command_line(event, COMMAND_OF[type(event)], importer, {})


def command_line(event: Any, command: type, importer: ImporterState, more: dict[str, Any]) -> dict[str, Any]:
    """Return the line of a command: what it shares with its event, and ``more``."""
    known = msgspec.structs.fields(command)
    values = {spec.name: getattr(event, spec.name) for spec in known if hasattr(event, spec.name)}
    if isinstance(event, member.MemberProfileChanged):
        values |= profile_change(event, importer)
    values |= points_values(event, importer.spenders)
    values |= ADDED.get(command, {}) | more
    needed = {spec.name for spec in known if spec.required}
    filled = {
        name: msgspec.to_builtins(value)
        for name, value in values.items()
        if name != "at" and (value is not None or name in needed)
    }
    return {"type": "regulars", "at": instant(event.at), "command": command.__name__, "values": filled}


def parts_values(parts: fulfilment.Parts) -> dict[str, Any]:
    """Return lines and units as a command has them."""
    return {"parts": tuple(fulfilment.LineUnits(line, units) for line, units in parts)}


def same_use(released: coupon.CouponReleased, reserved: coupon.CouponReserved) -> bool:
    """Return whether a reservation takes the place of the one that ended."""
    return (released.campaign, released.member, released.order) == (reserved.campaign, reserved.member, reserved.order)


def reservation_values(reservation: coupon.Reserved) -> dict[str, Any]:
    """Return a reservation's values. The limit of a member was checked then, and no event tells it."""
    return asdict(reservation)


def guest_days(event: guest_coupon.GuestCouponRedeemed) -> dict[str, Any]:
    """Return days of the campaign that bring about the flags of a guest's use: an event does not tell the days themselves."""
    early, late = ("too_early" in event.flags), ("too_late" in event.flags)
    return {"starts": event.at + 1 if early else None, "ends": event.at if late else None}


def points_values(event: Any, spenders: Spenders) -> dict[str, Any]:
    """Return what a command about points names differently from its event, and who asked for a pool's points."""
    match event:
        case points.PointsRedeemed():
            return {"by": spenders.spender(event.member, event.redemption)}
        case points.PointsHeld():
            return {"by": spenders.spender(event.member, event.hold)}
        case points.RewardClaimed():
            return {"by": spenders.spender(event.member, event.claim)}
        case points.HoldReleased():
            return {"by_shop": event.reason == "shop"}
        case points.PointsReinstated():
            return {"lot": event.source}
        case points.PointsTransferred():
            return {"to": event.other}
        case _:
            return {}


def profile_change(event: member.MemberProfileChanged, importer: ImporterState) -> dict[str, Any]:
    """Return a member's values as they are now; an empty text removes what there was."""
    before = importer.member(event.member)
    gone = {name: "" for name in before.profile if name not in event.profile}
    personal = {name: getattr(event, name) for name in ("name", "email", "birthday")}
    taken = {name: "" for name, value in personal.items() if value is None and getattr(before, name) is not None}
    return {**personal, **taken, "profile": {**event.profile, **gone}}


def instant(at: int) -> int | str:
    """Return an instant as a line has it: a number that would be taken for seconds is written as text.

    >>> instant(1_500_000_000_000), instant(1500)
    (1500000000000, '1970-01-01T00:00:01.500000+00:00')
    """
    return at if not 0 <= at < SECONDS else (EPOCH + at * MILLISECOND).isoformat(timespec="microseconds")
