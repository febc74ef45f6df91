"""What a line of the file says, typed. Money is minor units of the shop's currency, instants are UTC epoch milliseconds.

None is what a line leaves open. Fields marked ``ours`` are what Regulars writes besides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeAlias


@dataclass(frozen=True)
class Who:
    """A member, a session, or both: then the session is the member's from here on. Neither: a guest without a session."""

    member: str | None = None
    session: str | None = None


@dataclass(frozen=True)
class ProductLine:
    product: str
    name: str | None = None
    category: tuple[str, ...] | None = None  # a path, widest first
    brand: str | None = None
    description: str | None = None
    price: int | None = None
    stock: int | None = None
    image: str | None = None
    embedding: tuple[float, ...] | None = None
    department: str | None = None  # ours
    attributes: Mapping[str, str] | None = None  # ours


@dataclass(frozen=True)
class MemberLine:
    """``profile``: every other field, its tags with commas between them."""

    member: str
    name: str | None = None
    email: str | None = None
    birthday: str | None = None
    profile: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class BehaviourLine:
    """``kind``: view, click, favourite, unfavourite, dismiss or share. ``order_position``: its place in the slot's list."""

    kind: str
    product: str
    who: Who
    slot: str | None = None
    order_position: int | None = None


@dataclass(frozen=True)
class SearchLine:
    query: str
    who: Who
    shown: tuple[str, ...] = ()


@dataclass(frozen=True)
class ImpressionLine:
    """``propensities``: how likely each product was to be shown, above 0 and at most 1."""

    slot: str
    products: tuple[str, ...]
    who: Who
    propensities: tuple[float, ...] | None = None
    strategy: str | None = None


@dataclass(frozen=True)
class CartLine:
    added: bool
    product: str
    who: Who
    quantity: int = 1
    cart: str | None = None  # ours
    price: int | None = None  # ours: the unit price shown


@dataclass(frozen=True)
class OrderLineItem:
    """``total`` is after the ``discount``; ``unit_price``, in minor units and parts of them, before it."""

    product: str
    quantity: int = 1
    total: int | None = None
    unit_price: Decimal | None = None
    discount: int = 0
    paid: int | None = None  # ours: after tender, so at most the total, and perhaps below nothing
    department: str | None = None  # ours
    category: tuple[str, ...] | None = None  # ours


@dataclass(frozen=True)
class OrderRecord:
    """``status``: how far it came at its instant: placed, paid, shipped or delivered."""

    order: str
    lines: tuple[OrderLineItem, ...]
    who: Who = Who()
    coupons: tuple[str, ...] = ()
    status: str = "delivered"
    cart: str | None = None  # ours
    tax: int | None = None  # ours


@dataclass(frozen=True)
class StatusLine:
    order: str
    status: str


@dataclass(frozen=True)
class CancelLine:
    order: str
    reason: str | None = None


@dataclass(frozen=True)
class RefundPart:
    """A ``line`` of the order, from 1, or a ``product`` of it, or both."""

    line: int | None = None
    product: str | None = None
    quantity: int | None = None  # 1 if it is left open
    total: int | None = None


@dataclass(frozen=True)
class RefundLine:
    """Without ``parts``: all that is left of the order."""

    order: str
    parts: tuple[RefundPart, ...] | None = None
    who: Who = Who()
    refund: str | None = None  # ours


@dataclass(frozen=True)
class ReviewLine:
    """``rating``: half stars, 2 to 10."""

    product: str
    who: Who
    rating: int
    text: str | None = None
    order: str | None = None


@dataclass(frozen=True)
class CouponLine:
    """``campaign``: the campaign's id, else the code; a code that stands besides is the ``coupon``."""

    sent: bool
    campaign: str
    member: str
    order: str | None = None
    amount: int | None = None
    coupon: str | None = None
    kind: str | None = None  # ours
    starts: int | None = None  # ours
    ends: int | None = None  # ours
    use: str | None = None  # ours


@dataclass(frozen=True)
class CommandLine:
    """A command of Regulars by its name, where no other type of line says as much."""

    command: str
    values: Mapping[str, Any]


Behaviour: TypeAlias = BehaviourLine | SearchLine | ImpressionLine | CartLine | ReviewLine
OrderBody: TypeAlias = OrderRecord | StatusLine | CancelLine | RefundLine
Body: TypeAlias = ProductLine | MemberLine | Behaviour | OrderBody | CouponLine | CommandLine


@dataclass(frozen=True)
class ShopLine:
    """``content``: 16 bytes, equal for lines that say the same; it knows neither the line's number nor its ``id``."""

    number: int
    type: str
    at: int
    id: str | None
    content: bytes
    body: Body
