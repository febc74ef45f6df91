"""What must hold across streams: rows that an event takes, counts or returns in the append's own transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias
from unicodedata import normalize

from aggregates.campaign import CampaignChanged, CampaignLaunched
from aggregates.coupon import CouponRedeemed, CouponReleased, CouponReserved, CouponRestored, Reserved
from aggregates.decider import Refusal
from aggregates.guest_coupon import GuestCouponRedeemed, GuestCouponReleased, GuestCouponReserved, GuestCouponRestored
from aggregates.member import MemberClosed, MemberErased, MemberProfileChanged, MemberRegistered
from aggregates.membership.ledger.events import RewardClaimed, RewardReturned
from aggregates.order.stock import StockReleased, StockReserved, StockRestored, StockTaken
from aggregates.product import ProductListed, ProductRestocked
from aggregates.value import replace


@dataclass(frozen=True)
class ClaimKey:
    """``key`` belongs to ``owner`` alone. With key None, the owner gives up its claims of this kind."""

    kind: str
    key: str | None
    owner: str
    taken: Refusal


@dataclass(frozen=True)
class LimitUses:
    """At most ``limit`` uses of ``key`` from now on."""

    key: str
    limit: int


@dataclass(frozen=True)
class UseKey:
    """One use of ``key``, refused past its limit if one is set. With ``exhausted`` None it has happened, so it counts."""

    key: str
    exhausted: Refusal | None


@dataclass(frozen=True)
class ReturnUse:
    """One counted use of ``key`` counts no more."""

    key: str


@dataclass(frozen=True)
class CountUses:
    """So many uses of ``key`` are left now, what is held of it included; with ``more``, so many are added."""

    key: str
    number: int
    more: bool = False


@dataclass(frozen=True)
class HoldUses:
    """``number`` uses of ``key`` are held by ``holder`` until an instant; refused if they do not fit under its limit."""

    key: str
    holder: str
    number: int
    until: int
    at: int
    exhausted: Refusal


@dataclass(frozen=True)
class DropHold:
    """What ``holder`` held of ``key`` is there again."""

    key: str
    holder: str


@dataclass(frozen=True)
class ConfirmHold:
    """What ``holder`` held of ``key`` is used; if the hold is gone, the uses are taken anew while they fit.

    ``alone``: whether another row of the same event is lost makes no difference to it.
    """

    key: str
    holder: str
    number: int
    at: int
    alone: bool = False


@dataclass(frozen=True)
class ReturnUses:
    """``number`` counted uses of ``key`` count no more."""

    key: str
    number: int


OfHolds: TypeAlias = HoldUses | DropHold | ConfirmHold | ReturnUses
Constraint: TypeAlias = ClaimKey | LimitUses | CountUses | UseKey | ReturnUse | OfHolds

EMAIL_TAKEN = Refusal("email_taken", "Another member uses this e-mail address.")
REWARD_EXHAUSTED = Refusal("reward_exhausted", "No more of this reward is left.")
CAMPAIGN_EXHAUSTED = Refusal("campaign_exhausted", "All coupons of this campaign are used.")
CODE_USED = Refusal("coupon_code_used", "This code was used as often as it may be.")
BUDGET_SPENT = Refusal("campaign_budget_spent", "What is left of this campaign's budget is not enough.")


OVER_LIMIT = "over_limit"
"""The flag of a recorded use beyond its campaign's limit."""

CONSTRAINED = (
    MemberRegistered,
    MemberProfileChanged,
    MemberClosed,
    MemberErased,
    CampaignLaunched,
    CampaignChanged,
    CouponRedeemed,
    CouponReserved,
    CouponReleased,
    CouponRestored,
    GuestCouponRedeemed,
    GuestCouponReserved,
    GuestCouponReleased,
    GuestCouponRestored,
    RewardClaimed,
    RewardReturned,
    ProductListed,
    ProductRestocked,
    StockReserved,
    StockTaken,
    StockReleased,
    StockRestored,
)


def comparable_email(email: str) -> str:
    """Return what two equal addresses have in common: letter case and Unicode's ways to compose a letter do not count.

    >>> comparable_email(" Ann@Example.org"), comparable_email("STRASSE@x.org") == comparable_email("Straße@x.org")
    ('ann@example.org', False)
    """
    return normalize("NFC", normalize("NFC", email.strip()).lower())


def constraints_of(event: object) -> list[Constraint]:
    """Return the rows that an event needs; if one cannot be had, the whole request is refused."""
    if not isinstance(event, CONSTRAINED):
        return []
    match event:
        case MemberRegistered() | MemberProfileChanged():
            email = comparable_email(event.email) if event.email else None
            return [ClaimKey("email", email, event.member, EMAIL_TAKEN)]
        case MemberClosed() | MemberErased():
            return [ClaimKey("email", None, event.member, EMAIL_TAKEN)]
        case CampaignLaunched(limit=int(limit)):
            return [LimitUses(f"campaign:{event.campaign}", limit)]
        case RewardClaimed(stock=int(stock)):
            return [LimitUses(f"reward:{event.reward}", stock), UseKey(f"reward:{event.reward}", REWARD_EXHAUSTED)]
        case ProductListed(stock=int(stock)):
            return [CountUses(stock_key(event.product), stock)]
        case ProductRestocked():
            return [CountUses(stock_key(event.product), event.units, more=True)]
        case StockReserved() | StockTaken() | StockReleased() | StockRestored():
            return [of_stock(event, product, units) for product, units in event.items]
        case RewardReturned(stock=int()):
            return [ReturnUse(f"reward:{event.reward}")]
        case CampaignChanged():
            limit = event.document.get("limits", {}).get("total")
            return [LimitUses(f"campaign:{event.campaign}", limit)] if isinstance(limit, int) else []
        case CouponReserved() | CouponReleased() | CouponRestored() | CouponRedeemed(reservation=Reserved()):
            return list(of_reservation(event, event.order))
        case (
            GuestCouponReserved() | GuestCouponReleased() | GuestCouponRestored() | GuestCouponRedeemed(reservation=Reserved())
        ):
            return list(of_reservation(event, event.use))
        case CouponRedeemed() | GuestCouponRedeemed():
            return [UseKey(f"campaign:{event.campaign}", None if event.recorded else CAMPAIGN_EXHAUSTED)]
        case _:
            return []


def of_stock(event: StockReserved | StockTaken | StockReleased | StockRestored, product: str, units: int) -> Constraint:
    """Return what an event of an order does to the row of one product."""
    key = stock_key(product)
    match event:
        case StockReserved():
            short = Refusal("out_of_stock", f"There are not {units} of product {product} in stock.")
            return HoldUses(key, event.order, units, event.until, event.at, short)
        case StockTaken() if product not in event.oversold:
            return ConfirmHold(key, event.order, units, event.at, alone=True)
        case StockTaken() | StockReleased():
            return DropHold(key, event.order)
        case StockRestored():
            return ReturnUses(key, units)


def stock_key(product: str) -> str:
    return f"stock:{product}"


class CountedRow(NamedTuple):
    """A row that a reservation counts in: how much, its limit (None: it is set elsewhere), and the refusal past it."""

    key: str
    number: int
    limit: int | None
    exhausted: Refusal


def counted(campaign: str, reservation: Reserved) -> Iterator[CountedRow]:
    """Yield the rows of a reservation, in the order of their keys, so that two requests never wait for each other in a ring."""
    if reservation.budget is not None and reservation.budget_amount is not None:
        key = f"budget:{campaign}:{reservation.budget}"
        yield CountedRow(key, reservation.amount, reservation.budget_amount, BUDGET_SPENT)
    yield CountedRow(f"campaign:{campaign}", 1, None, CAMPAIGN_EXHAUSTED)
    if reservation.serial is not None and reservation.code_limit is not None:
        yield CountedRow(f"code:{campaign}:{reservation.serial}", 1, reservation.code_limit, CODE_USED)


OfMember: TypeAlias = CouponReserved | CouponReleased | CouponRestored | CouponRedeemed
OfGuest: TypeAlias = GuestCouponReserved | GuestCouponReleased | GuestCouponRestored | GuestCouponRedeemed


def of_reservation(event: OfMember | OfGuest, order: str | None) -> Iterator[Constraint]:
    """Yield what a reservation, its end, its use or its return does to the rows it counts in."""
    if event.reservation is None or order is None:
        return
    for row in counted(event.campaign, event.reservation):
        match event:
            case CouponReserved() | GuestCouponReserved():
                if row.limit is not None:
                    yield LimitUses(row.key, row.limit)
                yield HoldUses(row.key, order, row.number, event.until, event.at, row.exhausted)
            case CouponRedeemed() | GuestCouponRedeemed():
                if event.overrun:
                    yield DropHold(row.key, order)
                else:
                    yield ConfirmHold(row.key, order, row.number, event.at)
            case CouponReleased() | GuestCouponReleased():
                yield DropHold(row.key, order)
            case CouponRestored() | GuestCouponRestored():
                yield ReturnUses(row.key, row.number)


def over_limit(event: object, lost: Collection[str]) -> object:
    """Return what happened although limits were reached, flagged as such; ``lost``: the keys of those rows."""
    if isinstance(event, StockTaken):
        return replace(event, oversold=tuple([product for product, _ in event.items if stock_key(product) in lost]))
    if isinstance(event, CouponRedeemed | GuestCouponRedeemed) and event.reservation is not None:
        return replace(event, overrun=True)
    if isinstance(event, CouponRedeemed | GuestCouponRedeemed):
        return replace(event, flags=(*event.flags, OVER_LIMIT))
    return event
