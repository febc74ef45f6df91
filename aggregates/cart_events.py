"""What happens to a cart: its events, and what they say it holds."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from aggregates.fields import Count, Instant, ProductId
from aggregates.value import Value

Quantity: TypeAlias = Annotated[int, Count("quantity", least=1)]


class CartContent(Value):
    """Units of a product. ``price``: the unit price that was shown, ``shown_at``: when."""

    product: ProductId
    quantity: Quantity
    price: Annotated[int, Count("price")] | None = None
    shown_at: Instant = 0


class CartOpened(Value, kw_only=True):
    cart: str
    member: str | None
    session: str | None
    at: int


class CartItemAdded(Value, kw_only=True):
    """``quantity`` units were added to those that were there."""

    cart: str
    member: str | None
    session: str | None
    product: str
    quantity: int
    price: int | None
    at: int


class CartItemQuantityChanged(Value, kw_only=True):
    cart: str
    member: str | None
    session: str | None
    product: str
    quantity: int
    at: int


class CartItemRemoved(Value, kw_only=True):
    cart: str
    member: str | None
    session: str | None
    product: str
    at: int


class CartCheckedOut(Value, kw_only=True):
    """``items``: products with their quantities, in the order they were first added."""

    cart: str
    member: str | None
    session: str | None
    items: tuple[tuple[str, int], ...]
    at: int


class CartAbandoned(Value, kw_only=True):
    """Nothing has changed for long, or the shop says so. The next change resumes the cart."""

    cart: str
    member: str | None
    session: str | None
    at: int


class CartResumed(Value, kw_only=True):
    """An abandoned cart is used again."""

    cart: str
    member: str | None
    session: str | None
    at: int


class CartItemSavedForLater(Value, kw_only=True):
    cart: str
    member: str | None
    session: str | None
    product: str
    at: int


class CartItemRestored(Value, kw_only=True):
    """What was saved for later is to be bought again."""

    cart: str
    member: str | None
    session: str | None
    product: str
    at: int


class CartCodeEntered(Value, kw_only=True):
    """The shopper entered a code; whether it brings anything shows when the cart is priced."""

    cart: str
    member: str | None
    session: str | None
    code: str
    at: int


class CartCodeRemoved(Value, kw_only=True):
    cart: str
    member: str | None
    session: str | None
    code: str
    at: int


class CartMerged(Value, kw_only=True):
    """A guest's cart ended in a member's."""

    cart: str
    member: str | None
    session: str | None
    into: str
    of: str
    items: tuple[CartContent, ...]
    saved: tuple[CartContent, ...]
    at: int
    codes: tuple[str, ...] = ()


class CartReceived(Value, kw_only=True):
    """``items``, ``saved`` and ``codes``: all that the cart now holds. ``strategy``: how units of both were taken."""

    cart: str
    member: str | None
    session: str | None
    guest_cart: str
    items: tuple[CartContent, ...]
    saved: tuple[CartContent, ...]
    strategy: str
    at: int
    codes: tuple[str, ...] = ()


OfItems: TypeAlias = CartItemAdded | CartItemQuantityChanged | CartItemRemoved | CartItemSavedForLater | CartItemRestored
OfCodes: TypeAlias = CartCodeEntered | CartCodeRemoved
OfLife: TypeAlias = CartOpened | CartCheckedOut | CartAbandoned | CartResumed | CartMerged | CartReceived
Event: TypeAlias = OfLife | OfItems | OfCodes
