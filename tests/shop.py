"""A small shop to try things on: requests as a shop sends them, of every kind, the same each time."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from random import Random
from typing import Any

from aggregates.behaviour import Clicked, Dismissed, Favourited, Impressed, Searched, Shared, Unfavourited, Viewed
from aggregates.campaign import LaunchCampaign, Offer
from aggregates.cart import AbandonCart, AddToCart, ChangeQuantity, CheckOutCart, OpenCart, RemoveFromCart
from aggregates.coupon import RedeemCoupon, SendCoupon
from aggregates.guest_coupon import RedeemGuestCoupon
from aggregates.member import ChangeProfile, CloseMember, EraseMember, RegisterMember
from aggregates.membership.commands import RedeemPoints
from aggregates.order.decider import CancelOrder, PayOrder
from aggregates.order.events import OrderLine
from aggregates.order.fulfilment import DeliverOrder, ShipOrder
from aggregates.order.placing import PlaceOrder
from aggregates.order.refund import RefundOrder, RefundPart
from aggregates.product import ListProduct, RepriceProduct, RetireProduct
from aggregates.programme import Programme
from aggregates.review import ReviewProduct
from aggregates.session import JoinSession, LeaveSession
from streams.commands.request import Request
from tests.priced_shop import priced_orders

START = 1_483_300_800_000
HOUR = 3_600_000
TERMS = Programme()
MEMBERS = [f"m-{number}" for number in range(8)]
PRODUCTS = [f"p-{number}" for number in range(20)]


def line(product: str, quantity: int = 1, price: int = 1000) -> OrderLine:
    total = quantity * price
    return OrderLine(product, quantity, total, total, total, department=f"D{product[-1]}")


def place(order: str, member: str | None, *lines: OrderLine, at: int = START) -> PlaceOrder:
    return PlaceOrder(order, lines, "USD", at, member=member)


def requests(shoppings: int, seed: int = 7) -> Iterator[Request]:
    """An opening, then so many shoppings, with a farewell of two members in their midst."""
    ids = (f"r-{number}" for number in count())
    for commands in (*opening(), *year(shoppings, Random(seed))):
        yield Request(next(ids), tuple(commands))


def opening() -> Iterator[list[object]]:
    yield [
        ListProduct(p, START, p.upper(), f"D{p[-1]}", price=1000, attributes={"staple": "yes"} if n < 2 else {})
        for n, p in enumerate(PRODUCTS)
    ]
    yield [RegisterMember(m, START, f"Name of {m}", f"{m}@example.org", profile={"of": m}) for m in MEMBERS]
    yield [LaunchCampaign("c-1", START, limit=5, offers=(Offer("k", (PRODUCTS[0],)),))]
    yield [SendCoupon("c-1", m, START) for m in MEMBERS]
    yield [RedeemGuestCoupon("c-1", "k", "guest", START, "s-guest", recorded=True)]
    yield [JoinSession("s-left", MEMBERS[3], START), LeaveSession("s-left", START)]
    yield from priced_orders(MEMBERS[2:5], PRODUCTS, START)


def year(shoppings: int, random: Random) -> Iterator[list[object]]:
    at = START
    for n in range(shoppings):
        at = START + n * 31 * HOUR
        member = None if n % 11 == 0 else random.choice(MEMBERS[2:] if n > shoppings // 2 else MEMBERS)
        yield from shopping(f"{n}", member, at, random)
        if n == shoppings // 2:
            yield [EraseMember(MEMBERS[0], at), CloseMember(MEMBERS[1], at, "moved")]
    yield [RetireProduct(PRODUCTS[-1], at), RepriceProduct(PRODUCTS[-2], 700, at)]


def shopping(n: str, member: str | None, at: int, random: Random) -> Iterator[list[object]]:
    """A basket filled, paid and mostly delivered; some of it given back, some never bought, some still in the cart."""
    chosen = random.sample(PRODUCTS[: random.choice((6, 20))], random.randint(1, 5))
    session = None if member else f"s-{n}"
    looked = browsing(chosen, member, session or (f"s-{n}" if int(n) % 4 == 0 else None), at)
    cart: list[object] = [*looked, OpenCart(n, at, member, session), *(AddToCart(n, p, at, price=1000) for p in chosen)]
    if random.random() < 0.1:
        yield [*cart, ChangeQuantity(n, chosen[0], 2, at)]
        return
    if random.random() < 0.2:
        yield [*cart, ChangeQuantity(n, chosen[0], 3, at), RemoveFromCart(n, chosen[-1], at), AbandonCart(n, at)]
        return
    yield [*cart, CheckOutCart(n, at)]
    lines = tuple(line(p, random.randint(0, 3), random.randint(500, 9000)) for p in chosen)
    yield [PlaceOrder(n, lines, "USD", at, member, session, cart=n), PayOrder(n, at)]
    match random.randint(0, 9):
        case 0:
            yield [CancelOrder(n, at + HOUR)]
        case 1:
            yield [DeliverOrder(n, at + HOUR), RefundOrder(n, "all", at + 50 * HOUR)]
        case 2:
            yield [ShipOrder(n, at), DeliverOrder(n, at + HOUR), RefundOrder(n, "one", at + 9 * HOUR, (RefundPart(1),))]
        case _:
            yield [ShipOrder(n, at), DeliverOrder(n, at + HOUR)]
    if member and random.random() < 0.2:
        yield [RedeemCoupon("c-1", member, "k", n, at, order=n)]
        yield [RedeemPoints(member, n, 5, at + HOUR)]
        yield [ChangeProfile(member, at, profile={"latest": n})]


def browsing(chosen: list[str], member: str | None, session: str | None, at: int) -> Iterator[object]:
    """What a shopper does on the way to a basket."""
    first, last = chosen[0], chosen[-1]
    whose: dict[str, Any] = {"member": member, "session": session, "at": at}
    yield Impressed(
        slot="home", products=tuple(chosen), member=member, session=session, propensities=(), strategy="regulars", at=at
    )
    yield Searched(query=f"{first} for {member or session}", member=member, session=session, shown=tuple(chosen), at=at)
    yield from (Viewed(product=product, **whose) for product in chosen)
    yield from (
        Clicked(product=first, **whose, slot="home", place=1),
        Favourited(product=first, **whose),
        Shared(product=first, **whose),
    )
    yield Dismissed(product=last, **whose) if len(chosen) > 2 else Unfavourited(product=first, **whose)
    yield ReviewProduct(last, at, 2 + at % 9, member, session)
