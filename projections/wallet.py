"""A member's coupon wallet: the campaigns they were sent, until when these hold, and the coupons they used.

A use whose order came back as a whole is restored: it leaves the wallet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias, assert_never

from aggregates.coupon import CouponRedeemed, CouponRestored, CouponSent
from aggregates.member import MemberErased
from aggregates.value import Value, replace
from projections.projection import one_document


class CouponUse(Value):
    coupon: str
    order: str | None
    flags: tuple[str, ...]
    at: int


class WalletEntry(Value):
    """``starts`` and ``ends`` (the first instant after) are None where the campaign has no bound."""

    campaign: str
    kind: str | None = None
    starts: int | None = None
    ends: int | None = None
    sent_at: int | None = None
    uses: tuple[CouponUse, ...] = ()


class CouponWallet(Value):
    member: str
    campaigns: Mapping[str, WalletEntry] = {}
    as_of: int = 0
    position: int = 0


Event: TypeAlias = CouponSent | CouponRedeemed | CouponRestored | MemberErased


def project(wallet: CouponWallet | None, event: Event, position: int) -> CouponWallet | None:
    if isinstance(event, MemberErased):
        return None
    if isinstance(event, CouponRestored) and wallet is None:
        return None  # the member was erased before their order came back
    wallet = wallet or CouponWallet(event.member)
    entry = wallet.campaigns.get(event.campaign, WalletEntry(event.campaign))
    match event:
        case CouponSent():
            entry = replace(entry, kind=event.kind, starts=event.starts, ends=event.ends, sent_at=event.at)
        case CouponRedeemed():
            use = CouponUse(event.coupon, event.order, event.flags, event.at)
            entry = replace(entry, uses=(*entry.uses, use))
        case CouponRestored():
            entry = replace(entry, uses=tuple(use for use in entry.uses if use.order != event.order))
        case _:
            assert_never(event)
    return CouponWallet(wallet.member, {**wallet.campaigns, event.campaign: entry}, max(wallet.as_of, event.at), position)


wallet = one_document("wallet", 2, {"wallet": CouponWallet}, Event.__args__, lambda event: f"wallet:{event.member}", project)
