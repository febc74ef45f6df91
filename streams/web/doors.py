"""The table of commands that the HTTP API takes: where each is sent, and who may send it.

A command that is added to the registry needs one line here; a check names the ones that have none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from aggregates import (
    behaviour,
    campaign,
    cart,
    code_batches,
    coupon,
    gift_card,
    guest_coupon,
    member,
    product,
    referral,
    review,
    session,
)
from aggregates.membership import commands as membership
from aggregates.order import decider as order
from aggregates.order import fulfilment, payment, placing, stock
from aggregates.order.exchange import ExchangeItems
from aggregates.order.refund import RefundOrder
from aggregates.programme import policy


class Scope(Enum):
    """Who asks: a key has some of the first four; ``MEMBER`` is a token that a storefront gave to one member's browser."""

    STOREFRONT = "storefront"
    BACK_OFFICE = "back-office"
    OPERATOR = "operator"
    ANALYST = "analyst"
    MEMBER = "member"


KEY_SCOPES = (Scope.STOREFRONT, Scope.BACK_OFFICE, Scope.OPERATOR, Scope.ANALYST)

S, B, O, M = Scope.STOREFRONT, Scope.BACK_OFFICE, Scope.OPERATOR, Scope.MEMBER  # noqa: E741 - as the table of the docs has them


@dataclass(frozen=True)
class Door:
    """``path``: a segment in braces is a field of the command. ``created``: the answer is 201 with the path in ``Location``.

    ``names``: other names of fields in the path. ``fixed``: fields that the path itself decides.
    """

    method: str
    path: str
    scopes: tuple[Scope, ...]
    created: str | None = None
    fixed: Mapping[str, object] = field(default_factory=dict)


MEMBER = "/v1/members/{member}"
POOL = "/v1/pools/{member}"
CART = "/v1/carts/{cart}"
ORDER = "/v1/orders/{order}"
PRODUCT = "/v1/products/{product}"
CAMPAIGN = "/v1/campaigns/{campaign}"
GIFT_CARD = "/v1/gift-cards/{card}"

DOORS: dict[type, Door] = {
    member.RegisterMember: Door("POST", "/v1/members", (S, B), created=MEMBER),
    member.ChangeProfile: Door("PATCH", MEMBER, (S, B, M)),
    member.CloseMember: Door("POST", f"{MEMBER}/close", (B,)),
    member.EraseMember: Door("POST", f"{MEMBER}/erase", (B,)),
    membership.TagMember: Door("PUT", f"{MEMBER}/tags", (B,)),
    membership.RecordAction: Door("POST", f"{MEMBER}/actions", (S, B)),
    membership.RedeemPoints: Door(
        "POST", f"{MEMBER}/points/redemptions", (S, B, M), created=f"{MEMBER}/points/redemptions/{{redemption}}"
    ),
    membership.ReturnPoints: Door("POST", f"{MEMBER}/points/redemptions/{{redemption}}/returns", (B,)),
    membership.HoldPoints: Door("POST", f"{MEMBER}/points/holds", (S, B), created=f"{MEMBER}/points/holds/{{hold}}"),
    membership.CaptureHold: Door("POST", f"{MEMBER}/points/holds/{{hold}}/capture", (S, B)),
    membership.ReleaseHold: Door("POST", f"{MEMBER}/points/holds/{{hold}}/release", (S, B)),
    membership.AdjustPoints: Door("POST", f"{MEMBER}/points/adjustments", (B,)),
    membership.ReinstatePoints: Door("POST", f"{MEMBER}/points/reinstatements", (B,)),
    membership.ActivateLot: Door("POST", f"{MEMBER}/points/lots/{{lot}}/activate", (B,)),
    membership.TransferPoints: Door("POST", f"{MEMBER}/points/transfers", (S, B, M)),
    membership.ClaimReward: Door("POST", f"{MEMBER}/rewards", (S, B, M)),
    membership.OverrideTier: Door("POST", f"{MEMBER}/tier/overrides", (B,)),
    membership.EndTierOverride: Door("POST", f"{MEMBER}/tier/overrides/{{override}}/end", (B,)),
    membership.JoinPool: Door("POST", f"{POOL}/members", (S, B, M)),
    membership.LeavePool: Door("DELETE", f"{POOL}/members/{{leaver}}", (S, B, M)),
    session.JoinSession: Door("POST", "/v1/sessions/{session}/join", (S,)),
    session.LeaveSession: Door("POST", "/v1/sessions/{session}/leave", (S,)),
    product.ListProduct: Door("POST", "/v1/products", (B,), created=PRODUCT),
    product.RepriceProduct: Door("PUT", f"{PRODUCT}/price", (B,)),
    product.RestockProduct: Door("POST", f"{PRODUCT}/stock", (B,)),
    product.RetireProduct: Door("POST", f"{PRODUCT}/retire", (B,)),
    cart.OpenCart: Door("POST", "/v1/carts", (S, M), created=CART),
    cart.AddToCart: Door("POST", f"{CART}/items", (S, M)),
    cart.ChangeQuantity: Door("PUT", f"{CART}/items/{{product}}", (S, M)),
    cart.RemoveFromCart: Door("DELETE", f"{CART}/items/{{product}}", (S, M)),
    cart.SaveForLater: Door("POST", f"{CART}/items/{{product}}/save", (S, M)),
    cart.MoveToCart: Door("POST", f"{CART}/items/{{product}}/restore", (S, M)),
    cart.EnterCode: Door("POST", f"{CART}/codes", (S, M)),
    cart.RemoveCode: Door("DELETE", f"{CART}/codes/{{code}}", (S, M)),
    cart.MergeCart: Door("POST", f"{CART}/merge", (S,)),
    cart.CheckOutCart: Door("POST", f"{CART}/check-out", (S, M)),
    cart.AbandonCart: Door("POST", f"{CART}/abandon", (S, M)),
    placing.PlaceOrder: Door("POST", "/v1/orders", (S, B), created=ORDER),
    order.PayOrder: Door("POST", f"{ORDER}/pay", (S, B)),
    payment.TenderOrder: Door("POST", f"{ORDER}/tenders", (S, B)),
    payment.AwaitPayment: Door("POST", f"{ORDER}/payments/pending", (S, B)),
    payment.FailPayment: Door("POST", f"{ORDER}/payments/failed", (S, B)),
    fulfilment.ShipOrder: Door("POST", f"{ORDER}/ship", (S, B)),
    fulfilment.DeliverOrder: Door("POST", f"{ORDER}/deliver", (S, B)),
    fulfilment.ReturnGoods: Door("POST", f"{ORDER}/returns", (S, B)),
    stock.ReserveStock: Door("POST", f"{ORDER}/stock", (S, B)),
    order.CancelOrder: Door("POST", f"{ORDER}/cancel", (S, B)),
    RefundOrder: Door("POST", f"{ORDER}/refunds", (S, B), created=f"{ORDER}/refunds/{{refund}}"),
    ExchangeItems: Door("POST", f"{ORDER}/exchanges", (S, B), created="/v1/orders/{into}"),
    review.ReviewProduct: Door("POST", f"{PRODUCT}/reviews", (S, M)),
    campaign.LaunchCampaign: Door("POST", "/v1/campaigns", (B,), created=CAMPAIGN),
    campaign.ChangeCampaign: Door("PUT", f"{CAMPAIGN}/terms", (B,)),
    campaign.EndCampaign: Door("POST", f"{CAMPAIGN}/end", (B,)),
    code_batches.IssueCodes: Door("POST", f"{CAMPAIGN}/codes", (B,)),
    code_batches.RevokeCodes: Door("POST", f"{CAMPAIGN}/codes/{{batch}}/revoke", (B,)),
    coupon.ReserveCoupon: Door("POST", f"{CAMPAIGN}/reservations", (S, B)),
    coupon.RedeemReserved: Door("POST", f"{CAMPAIGN}/reservations/{{order}}/redeem", (S, B)),
    coupon.ReleaseCoupon: Door("POST", f"{CAMPAIGN}/reservations/{{order}}/release", (S, B)),
    coupon.RestoreCoupon: Door("POST", f"{CAMPAIGN}/reservations/{{order}}/restore", (B,)),
    coupon.SendCoupon: Door("POST", f"{CAMPAIGN}/coupons", (B,)),
    coupon.RedeemCoupon: Door("POST", f"{CAMPAIGN}/redemptions", (S, B)),
    guest_coupon.RedeemGuestCoupon: Door("POST", f"{CAMPAIGN}/guest-redemptions", (S, B)),
    guest_coupon.ReserveGuestCoupon: Door("POST", f"{CAMPAIGN}/guest-reservations", (S, B)),
    guest_coupon.RedeemReservedGuest: Door("POST", f"{CAMPAIGN}/guest-reservations/{{use}}/redeem", (S, B)),
    guest_coupon.ReleaseGuestCoupon: Door("POST", f"{CAMPAIGN}/guest-reservations/{{use}}/release", (S, B)),
    guest_coupon.RestoreGuestCoupon: Door("POST", f"{CAMPAIGN}/guest-reservations/{{use}}/restore", (B,)),
    referral.IssueReferralCode: Door("PUT", "/v1/referral-codes/{referral_code}", (S, B)),
    referral.UseReferralCode: Door("POST", "/v1/referral-codes/{referral_code}/uses", (S, B)),
    gift_card.IssueGiftCard: Door("POST", "/v1/gift-cards", (B,), created=GIFT_CARD),
    gift_card.HoldGiftCard: Door("POST", f"{GIFT_CARD}/holds", (S, B)),
    gift_card.ChargeGiftCard: Door("POST", f"{GIFT_CARD}/charges", (S, B)),
    gift_card.ReleaseGiftCard: Door("POST", f"{GIFT_CARD}/holds/{{order}}/release", (S, B)),
    gift_card.CreditGiftCard: Door("POST", f"{GIFT_CARD}/credits", (B,)),
    gift_card.BlockGiftCard: Door("POST", f"{GIFT_CARD}/block", (B,)),
    policy.PublishPolicy: Door("POST", "/v1/policy/versions", (O,)),
}
"""By command. Acts of behaviour go together through :data:`BEHAVIOUR_PATH`, and every command through ``/v1/requests``."""

BEHAVIOUR_PATH = "/v1/behaviour"
BEHAVIOUR: dict[str, type] = {kind.__name__: kind for kind in behaviour.Event.__args__}
BEHAVIOUR_SCOPES = (S, M)
REQUESTS_PATH = "/v1/requests"

MEMBER_OMITS = frozenset({"at", "price", "tax", "recorded", "by_shop", "unpriced", "anew"})
"""Fields that a member's own browser may not say: a date or a price of its choice is free points."""

BACK_OFFICE_ONLY = frozenset({"recorded"})
"""Fields that only a back office may say: what was recorded elsewhere is not judged again."""


def scopes_of(command: type) -> tuple[Scope, ...]:
    """Who may send a command, whichever path it comes by."""
    return BEHAVIOUR_SCOPES if command in BEHAVIOUR.values() else DOORS[command].scopes
