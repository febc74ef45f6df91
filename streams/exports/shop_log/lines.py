"""The lines that may say what happened: for each event, candidates as a shop would write them, the plainest first.

The export tries them in order, and takes the first that an import turns into the same events.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from aggregates import behaviour
from aggregates.cart_events import (
    CartCheckedOut,
    CartItemAdded,
    CartItemQuantityChanged,
    CartItemRemoved,
    CartOpened,
)
from aggregates.coupon import CouponRedeemed, CouponSent
from aggregates.member import MemberProfileChanged, MemberRegistered
from aggregates.money import minor_units
from aggregates.order.events import (
    OrderCancelled,
    OrderLine,
    OrderPaid,
    OrderPlaced,
    OrderPriced,
    OrderRefunded,
)
from aggregates.order.fulfilment import OrderDelivered, OrderShipped
from aggregates.product import ProductListed, ProductRepriced
from aggregates.review import ProductReviewed
from aggregates.session import SessionJoined, SessionKept, SessionLeft
from aggregates.value import asdict
from streams.exports.shop_log.commands import instant, profile_change
from streams.exports.shop_log.importer import ImporterState
from streams.exports.shop_log.refunds import refund_parts
from streams.imports.shop_log.plans import BEHAVIOUR, LIKE_RUNNING

Line: TypeAlias = dict[str, Any]
Ahead: TypeAlias = Sequence[Any]
"""The event to export, and those that come after it."""

TYPES = {event: kind for kind, event in BEHAVIOUR.items()}


class Amounts:
    """Writes minor units as the decimal text that a shop-log has.

    >>> Amounts("EUR").text(1205), Amounts("EUR").text(-5), Amounts("JPY").text(90)
    ('12.05', '-0.05', '90')
    """

    def __init__(self, currency: str, digits: int | None = None) -> None:
        self._unit = minor_units(currency) if digits is None else 10**digits
        self._digits = len(str(self._unit)) - 1

    def text(self, amount: int | None) -> str | None:
        if amount is None:
            return None
        major, minor = divmod(abs(amount), self._unit)
        sign = "-" if amount < 0 else ""
        return f"{sign}{major}.{minor:0{self._digits}d}" if self._digits else f"{sign}{major}"


class CandidateLines:
    """The lines that may say an event, given what an importer knows by then."""

    def __init__(self, importer: ImporterState, amounts: Amounts) -> None:
        self._importer = importer
        self._amounts = amounts
        self._writers: dict[type, Callable[[Any, Ahead], Iterator[Line]]] = {
            ProductListed: self._product,
            ProductRepriced: self._price,
            MemberRegistered: self._member,
            MemberProfileChanged: self._changed,
            CartOpened: self._first_item,
            CartItemAdded: self._item,
            CartItemQuantityChanged: self._less,
            CartItemRemoved: self._gone,
            CartCheckedOut: self._order,
            OrderPlaced: self._order,
            OrderPaid: self._status("paid"),
            OrderShipped: self._status("shipped"),
            OrderDelivered: self._status("delivered"),
            OrderCancelled: self._cancel,
            OrderRefunded: self._refund,
            CouponSent: self._sent,
            CouponRedeemed: self._redeemed,
            ProductReviewed: self._review,
            SessionLeft: self._left,
            behaviour.Searched: self._search,
            behaviour.Impressed: self._impression,
            **dict.fromkeys(TYPES, self._behaviour),
        }

    def of(self, ahead: Ahead) -> Iterator[Line]:
        """Yield lines that may say the first of these events and some of those after it."""
        write = self._writers.get(type(ahead[0]))
        for line in write(ahead[0], ahead) if write else ():
            filled = {name: value for name, value in line.items() if value is not None and value != () and value != {}}
            yield filled | {"at": instant(ahead[0].at)}

    def _product(self, event: ProductListed, _: Ahead) -> Iterator[Line]:
        yield {
            "type": "product",
            "at": event.at,
            "product_id": event.product,
            "name": event.name,
            "department": event.department,
            "category": event.category,
            "brand": event.brand,
            "price": self._amounts.text(event.price),
            "stock": event.stock,
            "attributes": event.attributes,
            "description": event.description,
            "image": event.image,
            "embedding": event.embedding,
        }

    def _price(self, event: ProductRepriced, _: Ahead) -> Iterator[Line]:
        yield {"type": "product", "at": event.at, "product_id": event.product, "price": self._amounts.text(event.price)}

    def _member(self, event: MemberRegistered, _: Ahead) -> Iterator[Line]:
        yield from self._profile(event, asdict(event))

    def _changed(self, event: MemberProfileChanged, _: Ahead) -> Iterator[Line]:
        yield from self._profile(event, profile_change(event, self._importer))

    def _profile(self, event: MemberRegistered | MemberProfileChanged, values: Mapping[str, Any]) -> Iterator[Line]:
        mine = {"type": "member", "at": event.at, "member_id": event.member}
        mine |= {name: values[name] for name in ("name", "email", "birthday")}
        plain = dict(values["profile"])
        tags = plain.pop("tags", None)
        yield {**plain, "tags": tags.split(",") if tags else tags, **mine}
        yield {**mine, "profile": values["profile"]}

    def _first_item(self, event: CartOpened, ahead: Ahead) -> Iterator[Line]:
        item = next((fact for fact in ahead[1:] if not isinstance(fact, SessionJoined | SessionKept)), None)
        if isinstance(item, CartItemAdded) and item.cart == event.cart:
            yield from self._item(item, ahead)

    def _item(self, event: CartItemAdded, _: Ahead) -> Iterator[Line]:
        yield from self._cart("add_to_cart", event, event.quantity, self._amounts.text(event.price))

    def _less(self, event: CartItemQuantityChanged, _: Ahead) -> Iterator[Line]:
        less = self._importer.cart(event.cart).items.get(event.product, 0) - event.quantity
        if less > 0:
            yield from self._cart("remove_from_cart", event, less)

    def _gone(self, event: CartItemRemoved, _: Ahead) -> Iterator[Line]:
        yield from self._cart("remove_from_cart", event, max(1, self._importer.cart(event.cart).items.get(event.product, 0)))

    def _cart(self, kind: str, event: Any, quantity: int, price: str | None = None) -> Iterator[Line]:
        line = {"type": kind, "at": event.at, "product_id": event.product, **who(event), "quantity": quantity, "price": price}
        yield line | {"cart": cart_name(event.cart)}

    def _order(self, _: CartCheckedOut | OrderPlaced, ahead: Ahead) -> Iterator[Line]:
        place = next((n for n, fact in enumerate(ahead[:2]) if isinstance(fact, OrderPlaced)), None)
        if place is None or any(isinstance(fact, OrderPriced) for fact in ahead[place + 1 : place + 2]):
            return  # no line of an order tells its price trace
        placed: OrderPlaced = ahead[place]
        yield from order_lines(placed, ahead, self._amounts)

    def _status(self, status: str) -> Callable[[Any, Ahead], Iterator[Line]]:
        def write(event: Any, _: Ahead) -> Iterator[Line]:
            yield {"type": "order_status", "at": event.at, "order_id": event.order, "status": status}

        return write

    def _cancel(self, event: OrderCancelled, _: Ahead) -> Iterator[Line]:
        yield {"type": "cancel", "at": event.at, "order_id": event.order, "reason": event.reason or None}

    def _refund(self, event: OrderRefunded, _: Ahead) -> Iterator[Line]:
        yield from refund_lines(event, self._amounts)

    def _sent(self, event: CouponSent, _: Ahead) -> Iterator[Line]:
        terms = {"kind": event.kind, "starts": event.starts, "ends": event.ends}
        yield {"type": "coupon_sent", "at": event.at, "campaign_id": event.campaign, "member_id": event.member, **terms}

    def _redeemed(self, event: CouponRedeemed, _: Ahead) -> Iterator[Line]:
        yield {
            "type": "coupon_redeemed",
            "at": event.at,
            "campaign_id": event.campaign,
            "member_id": event.member,
            "coupon": event.coupon,
            "use": event.use,
            "order_id": event.order,
            "amount": self._amounts.text(event.amount),
        }

    def _review(self, event: ProductReviewed, _: Ahead) -> Iterator[Line]:
        said = {"rating": event.half_stars / 2, "text": event.text, "order_id": event.order}
        yield {"type": "review", "at": event.at, "product_id": event.product, **who(event), **said}

    def _left(self, event: SessionLeft, _: Ahead) -> Iterator[Line]:
        yield {"type": "session_left", "at": event.at, "session_id": event.session}

    def _behaviour(self, event: behaviour.OfProduct, _: Ahead) -> Iterator[Line]:
        where = {"slot": event.slot, "position": event.place}
        yield {"type": TYPES[type(event)], "at": event.at, "product_id": event.product, **who(event), **where}

    def _search(self, event: behaviour.Searched, _: Ahead) -> Iterator[Line]:
        yield {"type": "search", "at": event.at, "query": event.query, **who(event), "product_ids": event.shown}

    def _impression(self, event: behaviour.Impressed, _: Ahead) -> Iterator[Line]:
        shown = {"slot": event.slot, "product_ids": event.products, "strategy": event.strategy}
        yield {"type": "impression", "at": event.at, **who(event), **shown, "propensities": event.propensities}


def who(event: Any) -> Line:
    return {"member_id": event.member, "session_id": event.session}


def cart_name(cart: str | None) -> str | None:
    """Return what a file calls a cart; None for a running cart, which it does not name.

    >>> cart_name("c-1"), cart_name("m.42"), cart_name("c.m.42")
    ('c-1', None, 'm.42')
    """
    if cart is None or not LIKE_RUNNING.match(cart):
        return cart
    return cart[2:] if cart.startswith("c.") else None


# Orders and refunds

REACHED = ((OrderPaid, OrderDelivered), (OrderPaid, OrderShipped), (OrderPaid,), ())
STATUS = (None, "shipped", "paid", "placed")  # delivered is the default


def order_lines(event: OrderPlaced, ahead: Sequence[Any], amounts: Amounts) -> Iterator[dict[str, Any]]:
    """Yield the order with the status that it reached at once: without its products' departments, then with them."""
    mine = [fact for fact in ahead if (getattr(fact, "order", None), fact.at) == (event.order, event.at)]
    steps = tuple(map(type, mine[1:]))
    status = STATUS[next(n for n, reached in enumerate(REACHED) if steps[: len(reached)] == reached)]
    line = {
        "type": "order",
        "at": event.at,
        "order_id": event.order,
        "member_id": event.member,
        "session_id": event.session,
        "cart": cart_name(event.cart),
        "tax": amounts.text(event.tax) if event.tax else None,
        "coupons": event.coupons,
        "status": status,
    }
    for placed_in in (False, True):
        yield line | {"lines": [item(sold, event.unpriced, placed_in, amounts) for sold in event.lines]}


def item(line: OrderLine, unpriced: int, placed_in: bool, amounts: Amounts) -> dict[str, Any]:
    line_item: dict[str, Any] = {"product_id": line.product}
    if line.quantity != 1:
        line_item["quantity"] = line.quantity
    if not unpriced or line.gross:
        line_item["total"] = amounts.text(line.total)
    if line.gross != line.total:
        line_item["discount"] = amounts.text(line.gross - line.total)
    if line.paid != line.total:
        line_item["paid"] = amounts.text(line.paid)
    if placed_in:
        line_item |= {name: value for name, value in (("department", line.department), ("category", line.category)) if value}
    return line_item


def refund_lines(event: OrderRefunded, amounts: Amounts) -> Iterator[dict[str, Any]]:
    """Yield a refund of all that is left; by line, pro rata; by line, with stated money; or of nothing, by the first line."""
    line = {"type": "refund", "at": event.at, "order_id": event.order, "refund": event.refund}
    yield line
    given_back = refund_parts(event)
    if not given_back:
        yield line | {"lines": [{"line": 1, "quantity": 0, "total": "0"}]}
        return
    if all(part["quantity"] for part in given_back):
        yield line | {"lines": [{"line": part["line"], "quantity": part["quantity"]} for part in given_back]}
    yield line | {"lines": [part | ({"total": amounts.text(part["total"])} if "total" in part else {}) for part in given_back]}
