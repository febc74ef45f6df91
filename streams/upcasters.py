"""Upcasters from old shapes of events to the present one, and the fields that are stored sealed."""

from __future__ import annotations

from typing import Any

from aggregates import behaviour, cart_events, coupon, gift_card, guest_coupon, member, product, review
from aggregates.membership import events as membership_facts
from aggregates.membership.ledger.lots import DEFAULT_WALLET
from aggregates.order import events as order_facts
from aggregates.order import fulfilment
from infra.codec import Upcast

PROFILE: dict[str, object] = {"name": None, "email": None, "birthday": None, "profile": {}}
"""The sealed fields of a member, with the value that is read once the key is destroyed."""

SEALED: dict[type, dict[str, object]] = {
    member.MemberRegistered: PROFILE,
    member.MemberProfileChanged: PROFILE,
    behaviour.Searched: {"query": ""},
    review.ProductReviewed: {"text": None},
    cart_events.CartCodeEntered: {"code": ""},
    cart_events.CartCodeRemoved: {"code": ""},
    cart_events.CartMerged: {"codes": ()},
    cart_events.CartReceived: {"codes": ()},
    member.MemberClosed: {"reason": ""},
    order_facts.OrderPaymentFailed: {"reason": ""},
    order_facts.OrderCancelled: {"reason": ""},
    order_facts.OrderRefunded: {"reason": ""},
    fulfilment.OrderReturned: {"reason": ""},
    gift_card.GiftCardBlocked: {"reason": ""},
    membership_facts.PointsAdjusted: {"reason": ""},
    membership_facts.PointsReinstated: {"reason": ""},
    membership_facts.TierOverridden: {"reason": ""},
    membership_facts.TierOverrideEnded: {"reason": ""},
    membership_facts.MemberTagged: {"tags": ()},
}

SEALED_SINCE: dict[type, int] = {
    cart_events.CartMerged: 2,
    cart_events.CartReceived: 2,
    member.MemberClosed: 2,
    order_facts.OrderPaymentFailed: 2,
    order_facts.OrderCancelled: 2,
    order_facts.OrderRefunded: 5,
    fulfilment.OrderReturned: 2,
    gift_card.GiftCardBlocked: 2,
    membership_facts.PointsAdjusted: 2,
    membership_facts.PointsReinstated: 2,
    membership_facts.TierOverridden: 2,
    membership_facts.TierOverrideEnded: 2,
    membership_facts.MemberTagged: 2,
}
"""The version from which an event's fields are sealed, if that is not the first. Older ones in a log stay plain text."""

DAY = 86_400_000
UNSHOWN: dict[str, object] = {"shown": None, "terms": 1}
"""The fields that tier events lacked when there was one policy."""

NOT_TOLD: dict[str, object] = {
    "kind": "not told", "reason": "", "tax": 0, "shipping": 0, "fee": 0, "points": 0, "tenders": [], "shares": []
}  # fmt: skip
"""What refunds did not tell before orders had price traces."""


def unchanged(raw: dict[str, Any]) -> dict[str, Any]:
    """Return the same fields: what changed is only that some are sealed."""
    return raw


UPCASTS: dict[type, tuple[Upcast, ...]] = {
    product.ProductListed: (lambda raw: raw | {"description": None, "image": None, "embedding": []},),
    cart_events.CartMerged: (lambda raw: raw | {"codes": []},),
    cart_events.CartReceived: (lambda raw: raw | {"codes": []},),
    order_facts.OrderPlaced: (lambda raw: raw | {"coupons": [], "unpriced": 0},),
    order_facts.OrderRefunded: (
        lambda raw: raw | {"given_back": list(order_facts.given_back_of(raw["units"], raw["lines"]))},
        lambda raw: raw | NOT_TOLD,
        lambda raw: raw | {"parts": list(order_facts.parts_of(raw["units"], raw["given_back"]))},
        unchanged,
        lambda raw: raw | {"moved": 0},
    ),
    fulfilment.OrderShipped: (lambda raw: raw | {"shipment": "", "parts": [], "complete": True},),
    fulfilment.OrderDelivered: (lambda raw: raw | {"shipment": "", "complete": True},),
    order_facts.OrderTendered: (lambda raw: raw | {"gift_card": None}, lambda raw: raw | {"moved_from": None}),
    membership_facts.TierRaised: (
        lambda raw: raw | {"revocable_until": raw["at"] + 14 * DAY, "provisional_until": None, **UNSHOWN},
    ),
    membership_facts.TierExtended: (lambda raw: raw | {"revocable_until": None, **UNSHOWN},),
    membership_facts.TierLowered: (lambda raw: raw | UNSHOWN,),
    coupon.CouponRedeemed: (
        lambda raw: raw | {"amount": None},
        lambda raw: raw | {"reservation": None, "overrun": False},
    ),
    guest_coupon.GuestCouponRedeemed: (lambda raw: raw | {"reservation": None, "overrun": False},),
    membership_facts.PointsGranted: (lambda raw: raw | {"wallet": DEFAULT_WALLET}, lambda raw: raw | {"ahead": None}),
    membership_facts.LotActivated: (lambda raw: raw | {"wallet": DEFAULT_WALLET},),
    membership_facts.PointsRedeemed: (lambda raw: raw | {"wallet": DEFAULT_WALLET},),
    membership_facts.PointsClawedBack: (
        lambda raw: raw | {"wallet": DEFAULT_WALLET, "order": raw["lot"]},
        lambda raw: raw | {"ahead": None},
    ),
    membership_facts.DebtSettled: (lambda raw: raw | {"wallet": DEFAULT_WALLET},),
    member.MemberClosed: (unchanged,),
    order_facts.OrderPaymentFailed: (unchanged,),
    fulfilment.OrderReturned: (unchanged,),
    gift_card.GiftCardBlocked: (unchanged,),
    order_facts.OrderCancelled: (unchanged, lambda raw: raw | {"tenders": []}),
    membership_facts.PointsAdjusted: (unchanged,),
    membership_facts.PointsReinstated: (unchanged,),
    membership_facts.TierOverridden: (unchanged,),
    membership_facts.TierOverrideEnded: (unchanged,),
    membership_facts.MemberTagged: (unchanged,),
}
"""For each event, the steps from its first shape to the present one."""
