"""A cart: what a member, or the session of a guest, means to buy. It is open until it is checked out or merged into another.

That it was abandoned is a mark, which the next change takes away. What is saved for later stays in it, and is not bought.
Prices are minor units; ``at`` is UTC epoch milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from itertools import groupby
from typing import Annotated, Any, TypeAlias, assert_never, cast

from aggregates.cart_events import (
    CartAbandoned,
    CartCheckedOut,
    CartCodeEntered,
    CartCodeRemoved,
    CartContent,
    CartItemAdded,
    CartItemQuantityChanged,
    CartItemRemoved,
    CartItemRestored,
    CartItemSavedForLater,
    CartMerged,
    CartOpened,
    CartReceived,
    CartResumed,
    Event,
    Quantity,
)
from aggregates.decider import LARGEST_COUNT, Context, Decider, Refusal, require_count, require_shopper
from aggregates.fields import CartId, Count, Id, Instant, MemberId, ProductId, SessionId
from aggregates.value import Value

HOUR = 3_600_000
MOST_CODES = 20
"""The codes that a cart keeps at most."""

Code: TypeAlias = Annotated[str, Id("coupon")]


# Commands


class OpenCart(Value):
    """Open a cart. ``anew`` opens a shopper's one cart again after it was closed."""

    cart: CartId
    at: Instant
    member: MemberId | None = None
    session: SessionId | None = None
    anew: bool = False


class AddToCart(Value):
    """Add units of a product. ``price`` is the unit price that was shown, if any."""

    cart: CartId
    product: ProductId
    at: Instant
    quantity: Quantity = 1
    price: Annotated[int, Count("price")] | None = None


class ChangeQuantity(Value):
    cart: CartId
    product: ProductId
    quantity: Annotated[int, Count("quantity")]
    at: Instant


class RemoveFromCart(Value):
    """Remove units of a product; all of them, if ``quantity`` is None."""

    cart: CartId
    product: ProductId
    at: Instant
    quantity: Quantity | None = None


class SaveForLater(Value):
    """Put a product aside, with its units and the price that was shown."""

    cart: CartId
    product: ProductId
    at: Instant


class MoveToCart(Value):
    """Put a product that was saved for later back among those to be bought."""

    cart: CartId
    product: ProductId
    at: Instant


class EnterCode(Value):
    """Keep a code with the cart. Its price says what it brings, or why it brings nothing."""

    cart: CartId
    code: Code
    at: Instant


class RemoveCode(Value):
    cart: CartId
    code: Code
    at: Instant


class MergeCart(Value):
    """Merge a guest's cart ``into`` a member's, as at login; the policy says how units of both are taken."""

    cart: CartId
    into: CartId
    member: MemberId
    at: Instant


class ReceiveCart(Value):
    """Take what a guest's cart held; a cart that is not open is opened."""

    cart: CartId
    member: MemberId
    guest_cart: CartId
    items: tuple[CartContent, ...]
    saved: tuple[CartContent, ...]
    at: Instant
    codes: tuple[Code, ...] = ()


class CheckOutCart(Value):
    """Close a cart whose order the shop prices and places itself. The checkout route prices, places and closes at once."""

    cart: CartId
    at: Instant


class AbandonCart(Value):
    cart: CartId
    at: Instant


class RecordCartDue(Value):
    """Record that nothing has changed in a cart for as long as the policy says."""

    cart: CartId
    at: Instant


OfItems: TypeAlias = AddToCart | ChangeQuantity | RemoveFromCart | SaveForLater | MoveToCart
Change: TypeAlias = OfItems | EnterCode | RemoveCode
Command: TypeAlias = OpenCart | Change | MergeCart | ReceiveCart | CheckOutCart | AbandonCart | RecordCartDue


# State


@dataclass(frozen=True)
class Cart:
    """``items``: units by product, in the order they were first added. ``shown``: the price of each, and when it was shown.

    ``saved``: what was put aside. ``codes``: what the shopper entered. ``changed_at``: the latest change.
    """

    status: str = "unknown"  # unknown, open, abandoned, checked_out, merged
    member: str | None = None
    session: str | None = None
    items: Mapping[str, int] = field(default_factory=dict)
    shown: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    saved: Mapping[str, int] = field(default_factory=dict)
    changed_at: int = 0
    codes: tuple[str, ...] = ()

    def content(self, units: Mapping[str, int]) -> tuple[CartContent, ...]:
        """Return units of products with the prices that were shown."""
        rows = ((product, quantity, self.shown.get(product)) for product, quantity in units.items())
        return tuple(CartContent(p, n, None, 0) if shown is None else CartContent(p, n, *shown) for p, n, shown in rows)


def decide(command: Command, cart: Cart, context: Context) -> list[Event]:
    match command:
        case OpenCart():
            return [*open_cart(command, cart)]
        case ReceiveCart():
            return receive(command, cart, context.policies.at(command.at).selling.cart_merge)
        case CheckOutCart() if cart.status == "checked_out":
            return []
        case AbandonCart() if cart.status == "abandoned":
            return []
        case MergeCart() if cart.status == "merged":
            return []
        case RecordCartDue():
            return lapse(command, cart, context)
    require_open(cart)
    whose: dict[str, Any] = {"cart": command.cart, "member": cart.member, "session": cart.session, "at": command.at}
    match command:
        case AbandonCart():
            return [CartAbandoned(**whose)]
        case MergeCart():
            return merge(command, cart, whose)
        case CheckOutCart():
            if not cart.items:
                raise Refusal("cart_empty", "An empty cart cannot be checked out.")
            return [CartCheckedOut(**whose, items=tuple(cart.items.items()))]
        case _:
            events = change(command, cart, whose)
            return [CartResumed(**whose), *events] if events and cart.status == "abandoned" else events


def open_cart(command: OpenCart, cart: Cart) -> list[CartOpened]:
    require_shopper(command.member, command.session)
    is_theirs = (cart.member, cart.session) == (command.member, command.session)
    is_used = cart.status == "open" or (cart.status == "abandoned" and is_theirs)
    if cart.status == "unknown" or (command.anew and not is_used):
        return [CartOpened(cart=command.cart, member=command.member, session=command.session, at=command.at)]
    if is_used and is_theirs:
        return []
    raise Refusal("cart_exists", "A cart with this id was opened before.")


def change_codes(command: EnterCode | RemoveCode, cart: Cart, whose: dict[str, Any]) -> list[Event]:
    is_kept = command.code in cart.codes
    if isinstance(command, RemoveCode):
        return [CartCodeRemoved(**whose, code=command.code)] if is_kept else []
    if len(cart.codes) >= MOST_CODES and not is_kept:
        raise Refusal("too_many_codes", f"A cart keeps {MOST_CODES} codes at most; remove one first.")
    return [] if is_kept else [CartCodeEntered(**whose, code=command.code)]


def change(command: Change, cart: Cart, whose: dict[str, Any]) -> list[Event]:
    if isinstance(command, EnterCode | RemoveCode):
        return change_codes(command, cart, whose)
    product = command.product
    match command:
        case AddToCart():
            require_count("quantity", command.quantity + cart.items.get(product, 0))
            return [CartItemAdded(**whose, product=product, quantity=command.quantity, price=command.price)]
        case ChangeQuantity():
            if product not in cart.items:
                raise Refusal("item_unknown", "This product is not in the cart.")
            return of_quantity(product, command.quantity, cart, whose)
        case RemoveFromCart():
            held = cart.items.get(product)
            if held is None:
                return []
            return of_quantity(product, 0 if command.quantity is None else max(0, held - command.quantity), cart, whose)
        case SaveForLater():
            if product in cart.saved and product not in cart.items:
                return []
            if product not in cart.items:
                raise Refusal("item_unknown", "This product is not in the cart.")
            require_count("quantity", cart.items[product] + cart.saved.get(product, 0))
            return [CartItemSavedForLater(**whose, product=product)]
        case MoveToCart():
            if product in cart.items and product not in cart.saved:
                return []
            if product not in cart.saved:
                raise Refusal("item_unknown", "This product was not saved for later.")
            require_count("quantity", cart.saved[product] + cart.items.get(product, 0))
            return [CartItemRestored(**whose, product=product)]
        case _:
            assert_never(command)


def of_quantity(product: str, quantity: int, cart: Cart, whose: dict[str, Any]) -> list[Event]:
    if quantity == cart.items[product]:
        return []
    if quantity == 0:
        return [CartItemRemoved(**whose, product=product)]
    return [CartItemQuantityChanged(**whose, product=product, quantity=quantity)]


def merge(command: MergeCart, cart: Cart, whose: dict[str, Any]) -> list[Event]:
    if command.into == command.cart:
        raise Refusal("cart_itself", "A cart is merged into another one.")
    if cart.member is not None and cart.member != command.member:
        raise Refusal("cart_anothers", "This cart is another member's.")
    items, saved = cart.content(cart.items), cart.content(cart.saved)
    return [CartMerged(**whose, into=command.into, of=command.member, items=items, saved=saved, codes=cart.codes)]


def receive(command: ReceiveCart, cart: Cart, strategy: str) -> list[Event]:
    if cart.status in ("open", "abandoned") and cart.member != command.member:
        raise Refusal("cart_anothers", "The cart to merge into is another shopper's.")
    whose: dict[str, Any] = {"cart": command.cart, "member": command.member, "session": None, "at": command.at}
    opened: list[Event] = []
    if cart.status not in ("open", "abandoned"):
        cart, opened = Cart("open", command.member), [CartOpened(**whose)]
    items = merged(cart.content(cart.items), command.items, strategy)
    saved = merged(cart.content(cart.saved), command.saved, "max")
    codes = tuple(dict.fromkeys((*cart.codes, *command.codes)))[:MOST_CODES]
    received = CartReceived(**whose, guest_cart=command.guest_cart, items=items, saved=saved, strategy=strategy, codes=codes)
    return [*opened, received]


def merged(mine: Iterable[CartContent], guests: Iterable[CartContent], strategy: str) -> tuple[CartContent, ...]:
    """Return the content of two carts as one; of two prices the one that was shown later.

    ``sum`` adds units, ``max`` takes the larger number, ``keep`` keeps the member's cart unless it is empty, ``replace`` takes
    the guest's unless that is empty.

    >>> tea, more, cup = CartContent("tea", 1), CartContent("tea", 3), CartContent("cup", 1)
    >>> [[(c.product, c.quantity) for c in merged([tea], [more, cup], s)] for s in ("sum", "max", "keep", "replace")]
    [[('tea', 4), ('cup', 1)], [('tea', 3), ('cup', 1)], [('tea', 1)], [('tea', 3), ('cup', 1)]]
    """
    ours, theirs = {one.product: one for one in mine}, {one.product: one for one in guests}
    if strategy == "keep":
        return tuple((ours or theirs).values())
    if strategy == "replace":
        return tuple((theirs or ours).values())
    for product, one in theirs.items():
        known = ours.get(product)
        if known is not None:
            units = known.quantity + one.quantity if strategy == "sum" else max(known.quantity, one.quantity)
            newer = one if one.price is not None and one.shown_at >= known.shown_at else known
            one = CartContent(product, min(units, LARGEST_COUNT), newer.price, newer.shown_at)
        ours[product] = one
    return tuple(ours.values())


def lapse(command: RecordCartDue, cart: Cart, context: Context) -> list[Event]:
    """Return that an open cart with something in it was abandoned, dated by the instant from which it was."""
    at = due(cart, context)
    if at is None or command.at < at:
        return []
    return [CartAbandoned(cart=command.cart, member=cart.member, session=cart.session, at=at)]


def due(cart: Cart, context: Context) -> int | None:
    """Return when a cart will count as abandoned, by the newest policy."""
    hours = context.policies.newest.selling.abandoned_after_hours
    return cart.changed_at + hours * HOUR if hours and cart.status == "open" and cart.items else None


def require_open(cart: Cart) -> None:
    if cart.status == "unknown":
        raise Refusal("cart_unknown", "No cart has this id; open it first.")
    if cart.status not in ("open", "abandoned"):
        raise Refusal("cart_closed", f"This cart is {cart.status.replace('_', ' ')}.")


def evolve(cart: Cart, event: Event) -> Cart:
    at = max(cart.changed_at, event.at)
    match event:
        case CartItemAdded():
            return with_added(cart, (event,))
        case CartItemQuantityChanged():
            return replace(cart, items={**cart.items, event.product: event.quantity}, changed_at=at)
        case CartItemRemoved():
            return replace(cart, items=without(cart.items, event.product), changed_at=at)
        case CartItemSavedForLater():
            units = cart.items[event.product] + cart.saved.get(event.product, 0)
            saved = {**cart.saved, event.product: units}
            return replace(cart, items=without(cart.items, event.product), saved=saved, changed_at=at)
        case CartItemRestored():
            units = cart.saved[event.product] + cart.items.get(event.product, 0)
            items = {**cart.items, event.product: units}
            return replace(cart, items=items, saved=without(cart.saved, event.product), changed_at=at)
        case CartReceived():
            shown = {one.product: (one.price, one.shown_at) for one in (*event.items, *event.saved) if one.price is not None}
            items = {one.product: one.quantity for one in event.items}
            saved = {one.product: one.quantity for one in event.saved}
            return replace(cart, status="open", items=items, saved=saved, shown=shown, changed_at=at, codes=event.codes)
        case CartCodeEntered():
            codes = (*cart.codes, event.code) if event.code else cart.codes  # it reads as blank once the shopper is erased
            return replace(cart, codes=codes, changed_at=at)
        case CartCodeRemoved():
            return replace(cart, codes=tuple(code for code in cart.codes if code != event.code), changed_at=at)
        case CartOpened():
            return Cart("open", event.member, event.session, changed_at=event.at)
        case CartCheckedOut():
            return replace(cart, status="checked_out", changed_at=at)
        case CartMerged():
            return replace(cart, status="merged", changed_at=at)
        case CartAbandoned():
            return replace(cart, status="abandoned")
        case CartResumed():
            return replace(cart, status="open", changed_at=at)
        case _:
            assert_never(event)


def without(units: Mapping[str, int], product: str) -> dict[str, int]:
    return {known: n for known, n in units.items() if known != product}


def with_added(cart: Cart, added: Iterable[CartItemAdded]) -> Cart:
    items, shown, at = dict(cart.items), dict(cart.shown), cart.changed_at
    for event in added:
        items[event.product] = items.get(event.product, 0) + event.quantity
        at = max(at, event.at)
        if event.price is not None:
            shown[event.product] = event.price, event.at
    return replace(cart, items=items, shown=shown, changed_at=at)


def replay(events: Iterable[Event]) -> Cart:
    """Return the state after all events. A run of additions copies the items once, so that a long cart costs no square."""
    cart = Cart()
    for kind, run in groupby(events, type):
        fold = with_added if kind is CartItemAdded else evolve_all
        cart = fold(cart, cast("Iterable[Any]", run))
    return cart


def evolve_all(cart: Cart, events: Iterable[Event]) -> Cart:
    return reduce(evolve, events, cart)


cart = Decider("cart", Cart(), decide, evolve, replay, due)
