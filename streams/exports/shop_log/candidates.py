"""How a shop would say what happened: for each fact, the lines to try, the plainest first. Wrong guesses are found out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from aggregates import behaviour
from aggregates.cart.events import CartCheckedOut, CartItemAdded, CartItemQuantityChanged, CartItemRemoved, CartOpened
from aggregates.coupon import CouponRedeemed, CouponSent
from aggregates.member import MemberProfileChanged, MemberRegistered
from aggregates.order.events import OrderCancelled, OrderDelivered, OrderPaid, OrderPlaced, OrderRefunded, OrderShipped
from aggregates.product import ProductListed, ProductRepriced
from aggregates.review import ProductReviewed
from aggregates.session import SessionJoined
from aggregates.value import asdict
from streams.exports.shop_log.amounts import Amounts
from streams.exports.shop_log.commands import changed, instant
from streams.exports.shop_log.orders import order_lines, refund_lines
from streams.exports.shop_log.world import World
from streams.imports.shop_log.plans.behaving import OF_PRODUCT

Line: TypeAlias = dict[str, Any]
Ahead: TypeAlias = Sequence[Any]
"""The fact to tell, and those that come after it."""

TYPES = {event: kind for kind, event in OF_PRODUCT.items()}


class Candidates:
    def __init__(self, world: World, amounts: Amounts) -> None:
        self._world = world
        self._amounts = amounts
        self._tell: dict[type, Callable[[Any, Ahead], Iterator[Line]]] = {
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
            behaviour.Searched: self._search,
            behaviour.Impressed: self._impression,
            **dict.fromkeys(TYPES, self._behaviour),
        }

    def of(self, ahead: Ahead) -> Iterator[Line]:
        """Lines that may tell the first of these facts and some of those behind it."""
        tell = self._tell.get(type(ahead[0]))
        for line in tell(ahead[0], ahead) if tell else ():
            told = {name: value for name, value in line.items() if value is not None and value != () and value != {}}
            yield told | {"at": instant(ahead[0].at)}

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
        yield from self._profile(event, changed(event, self._world))

    def _profile(self, event: MemberRegistered | MemberProfileChanged, told: Mapping[str, Any]) -> Iterator[Line]:
        mine = {"type": "member", "at": event.at, "member_id": event.member}
        mine |= {name: told[name] for name in ("name", "email", "birthday")}
        plain = dict(told["profile"])
        tags = plain.pop("tags", None)
        yield {**plain, "tags": tags.split(",") if tags else tags, **mine}
        yield {**mine, "profile": told["profile"]}

    def _first_item(self, event: CartOpened, ahead: Ahead) -> Iterator[Line]:
        item = next((fact for fact in ahead[1:] if not isinstance(fact, SessionJoined)), None)
        if isinstance(item, CartItemAdded) and item.cart == event.cart:
            yield from self._item(item, ahead)

    def _item(self, event: CartItemAdded, _: Ahead) -> Iterator[Line]:
        yield from self._cart("add_to_cart", event, event.quantity, self._amounts.text(event.price))

    def _less(self, event: CartItemQuantityChanged, _: Ahead) -> Iterator[Line]:
        less = self._world.cart(event.cart).items.get(event.product, 0) - event.quantity
        if less > 0:
            yield from self._cart("remove_from_cart", event, less)

    def _gone(self, event: CartItemRemoved, _: Ahead) -> Iterator[Line]:
        yield from self._cart("remove_from_cart", event, max(1, self._world.cart(event.cart).items.get(event.product, 0)))

    def _cart(self, kind: str, event: Any, quantity: int, price: str | None = None) -> Iterator[Line]:
        line = {"type": kind, "at": event.at, "product_id": event.product, **who(event), "quantity": quantity, "price": price}
        yield line | {"cart": event.cart} if not event.cart.startswith(("m.", "s.")) else line

    def _order(self, _: CartCheckedOut | OrderPlaced, ahead: Ahead) -> Iterator[Line]:
        placed = next((fact for fact in ahead[:2] if isinstance(fact, OrderPlaced)), None)
        if placed is not None:
            yield from order_lines(placed, ahead, self._amounts)

    def _status(self, status: str) -> Callable[[Any, Ahead], Iterator[Line]]:
        def told(event: Any, _: Ahead) -> Iterator[Line]:
            yield {"type": "order_status", "at": event.at, "order_id": event.order, "status": status}

        return told

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
