"""Random histories of a small shop: as files of shop-log lines, and as requests that say what no file could."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from hypothesis import strategies as st

from aggregates.behaviour import Clicked, Impressed, Searched, Viewed
from aggregates.campaign import LaunchCampaign, Offer
from aggregates.cart import AbandonCart, AddToCart, ChangeQuantity, CheckOutCart, OpenCart, RemoveFromCart
from aggregates.coupon import RedeemCoupon, SendCoupon
from aggregates.member import ChangeProfile, CloseMember, EraseMember, RegisterMember
from aggregates.membership.commands import RedeemPoints
from aggregates.order.decider import CancelOrder, PayOrder
from aggregates.order.events import OrderLine
from aggregates.order.fulfilment import DeliverOrder, ShipOrder
from aggregates.order.placing import PlaceOrder
from aggregates.order.refund import RefundOrder, RefundPart
from aggregates.product import ListProduct, RepriceProduct, RetireProduct
from aggregates.programme import Programme
from aggregates.programme.policy import PublishPolicy
from aggregates.review import ReviewProduct
from aggregates.session import JoinSession
from streams.commands.request import Request
from tests.streams.imports.lines import MINUTE, START, Line

MARK = "sealed"
"""In every personal value, and in nothing else."""

MEMBERS, SESSIONS, PRODUCTS = ("ada", "bob", "7"), ("s", "t", "7"), ("tea", "milk", "7", "a b")
ORDERS, CAMPAIGNS, CODES = ("o", "p", "q", "1"), ("spring", "ten"), ("A", "ten")
STATUSES = ("placed", "paid", "shipped", "delivered")
TEXTS = ("", "Tea", "x y", "1")
PERSONAL = (f"a {MARK}", f"b {MARK}")
NONSENSE = (b"{", b"[]", b'{"type":"view"}', b"\xff", b'{"type":"x","at":1}', b"1e999", b"", b'{"a":1,"a":2}')

BEHAVIOUR = ("view", "click", "favourite", "unfavourite", "dismiss", "share")
OFTEN = (
    *BEHAVIOUR,
    "add_to_cart",
    "add_to_cart",
    "remove_from_cart",
    *["order"] * 5,
    "order_status",
    "cancel",
    *["refund"] * 3,
)
KINDS = (*OFTEN, "product", "product", "member", "member", "search", "impression", "review", "coupon_sent", "coupon_redeemed")

Draw: TypeAlias = Callable[[st.SearchStrategy[Any]], Any]


class Chance:
    """Draws, said shortly."""

    def __init__(self, draw: Draw) -> None:
        self._draw = draw

    def one(self, among: tuple[Any, ...]) -> Any:
        return self._draw(st.sampled_from(among))

    def number(self, least: int, most: int) -> int:
        return int(self._draw(st.integers(least, most)))

    def happens(self, one_in: int) -> bool:
        return self.number(1, one_in) == one_in

    def some(self, among: tuple[Any, ...], least: int = 0, most: int = 3) -> list[Any]:
        return [self.one(among) for _ in range(self.number(least, most))]

    def perhaps(self, **fields: Callable[[], Any]) -> Line:
        """Any of these fields."""
        return {name: make() for name, make in fields.items() if self.happens(2)}

    def money(self) -> str:
        cents = self.number(0, 2000)
        return f"{cents // 100}.{cents % 100:02d}"

    def at(self) -> int:
        return START + self.number(0, 3000) * MINUTE

    def who(self) -> Line:
        member, session = {"member_id": self.one(MEMBERS)}, {"session_id": self.one(SESSIONS)}
        return dict(self.one((member, session, member | session)))

    def tags(self) -> list[str]:
        return self.some((MARK, f"{MARK} 2"))


def sold(chance: Chance) -> Line:
    """A line of an order."""
    told = {"product_id": chance.one(PRODUCTS), "quantity": chance.number(0, 3)}
    match chance.number(0, 3):
        case 0:
            return told
        case 1:
            return told | {"unit_price": chance.money(), "discount": chance.one(("0", "0.50"))}
        case 2:
            return told | {"total": chance.money()}
        case _:
            return told | {"total": chance.money(), "paid": chance.one(("-0.30", "0", "1.00"))}


def given_back(chance: Chance) -> Line:
    """A part of a refund."""
    named = {"line": chance.number(1, 3)} if chance.happens(2) else {"product_id": chance.one(PRODUCTS)}
    return named | chance.perhaps(quantity=lambda: chance.number(0, 2), total=chance.money)


def fields_of(kind: str, chance: Chance) -> Line:
    """What a line of a type tells, and it is possible, if unlikely, that all of it is true."""
    member, product = {"member_id": chance.one(MEMBERS)}, {"product_id": chance.one(PRODUCTS)}
    name = {"order_id": chance.one(ORDERS)}
    match kind:
        case "product":
            return product | chance.perhaps(
                name=lambda: chance.one(TEXTS),
                brand=lambda: chance.one(TEXTS),
                price=chance.money,
                stock=lambda: chance.number(0, 3),
                category=lambda: chance.some(("Food", "Tea")),
                attributes=lambda: {key: chance.one(TEXTS) for key in chance.some(("size", "leaf"))},
                embedding=lambda: chance.some((0.25, -1, 3e-5), least=1),
            )
        case "member":
            return member | chance.perhaps(
                name=lambda: chance.one(("", *PERSONAL)),
                city=lambda: chance.one(("", *PERSONAL)),
                email=lambda: chance.one(("", f"1@{MARK}", f"2@{MARK}")),
                birthday=lambda: chance.one(("", "1990-12-31")),
                tags=chance.tags,
            )
        case "search":
            return chance.who() | {"query": chance.one(PERSONAL)} | chance.perhaps(product_ids=lambda: chance.some(PRODUCTS))
        case "impression":
            return chance.who() | {"slot": "home", "product_ids": chance.some(PRODUCTS, least=1)}
        case "order":
            who: dict[str, Any] = chance.one(({}, chance.who()))
            more: dict[str, Any] = chance.perhaps(
                status=lambda: chance.one(STATUSES), coupons=lambda: chance.some(CODES), tax=lambda: chance.one(("0", "0.10"))
            )
            return name | who | more | {"lines": [sold(chance) for _ in range(chance.number(1, 3))]}
        case "order_status":
            return name | {"status": chance.one(STATUSES)}
        case "cancel":
            return name | chance.perhaps(reason=lambda: chance.one(TEXTS))
        case "refund":
            return name | chance.perhaps(lines=lambda: [given_back(chance) for _ in range(chance.number(1, 3))])
        case "review":
            said = chance.perhaps(text=lambda: chance.one(("", *PERSONAL)), order_id=lambda: chance.one(ORDERS))
            return product | chance.who() | {"rating": chance.number(2, 10) / 2} | said
        case "coupon_sent" | "coupon_redeemed":
            besides = chance.perhaps(code=lambda: chance.one(CODES), order_id=lambda: chance.one(ORDERS))
            terms = chance.perhaps(starts=chance.at, ends=chance.at) if kind == "coupon_sent" else {}
            return member | {"campaign_id": chance.one(CAMPAIGNS)} | besides | terms
        case "add_to_cart" | "remove_from_cart":
            return product | chance.who() | chance.perhaps(quantity=lambda: chance.number(1, 3))
        case _:
            return product | chance.who() | chance.perhaps(slot=lambda: "home", position=lambda: chance.number(0, 3))


@st.composite
def shop_files(draw: Draw, most: int = 50) -> list[Line | bytes]:
    """Lines of every type, one in ten with an id that others have, too, and one in twenty no line at all."""
    chance = Chance(draw)
    lines: list[Line | bytes] = []
    for _ in range(chance.number(3, most)):
        if chance.happens(20):
            lines.append(chance.one(NONSENSE))
            continue
        kind = chance.one(KINDS)
        named = {"id": chance.one(("e1", "e2"))} if chance.happens(10) else {}
        lines.append({"type": kind, "at": chance.at(), **named, **fields_of(kind, chance)})
    return lines


# As requests that a program sends

TERMS = Programme()
CARTS = ("c", "d", "m.ada", "s.s")


def behaviour_of(chance: Chance, at: int) -> dict[str, Any]:
    """Return who behaves, and when."""
    member, session = shopper(chance)
    return {"member": member, "session": session, "at": at}


def shopper(chance: Chance) -> tuple[str | None, str | None]:
    told = chance.who()
    return told.get("member_id"), told.get("session_id")


def profile(chance: Chance) -> dict[str, str]:
    names = chance.some(("city", "tags", "id", "type", "at", "name", "profile"))
    return {name: chance.one(("", f"{MARK},{MARK}", *PERSONAL)) for name in names}


def person(chance: Chance) -> tuple[str | None, str | None, str | None, dict[str, str]]:
    email, birthday = chance.one((None, "", f"1@{MARK}", f"2@{MARK}")), chance.one((None, "", "1990-12-31"))
    return chance.one((None, "", *PERSONAL)), email, birthday, profile(chance)


def sold_line(chance: Chance) -> OrderLine:
    total, off = chance.number(0, 900), chance.one((0, 0, 50))
    paid = total - chance.one((0, 0, 0, 100, 1000))  # tender may exceed what it pays for
    return OrderLine(chance.one(PRODUCTS), chance.number(0, 3), total + off, total, paid, chance.one((None, "Food")))


def parts(chance: Chance) -> tuple[RefundPart, ...]:
    return tuple(
        RefundPart(chance.number(1, 3), chance.one((None, 0, 1, 1, 2)), chance.one((None, None, 0, 50)))
        for _ in range(chance.number(0, 3))
    )


def place(chance: Chance, at: int) -> PlaceOrder:
    lines = tuple(sold_line(chance) for _ in range(chance.number(1, 3)))
    tax, coupons, unpriced = chance.one((0, 0, 20)), tuple(chance.some(("A", "ten"))), chance.one((0, 0, 1))
    cart = chance.one((None, *CARTS))
    return PlaceOrder(chance.one(ORDERS), lines, TERMS.currency, at, *shopper(chance), cart, tax, coupons, unpriced)


def listing(chance: Chance, at: int) -> ListProduct:
    attributes = {name: chance.one(TEXTS) for name in chance.some(("size", "leaf"))}
    price, stock = chance.one((None, 0, 250)), chance.one((None, 3))
    return ListProduct(chance.one(PRODUCTS), at, chance.one((None, *TEXTS)), None, None, None, price, stock, attributes)


def review(chance: Chance, at: int) -> ReviewProduct:
    told = chance.one((None, "", *PERSONAL)), chance.one((None, *ORDERS))
    return ReviewProduct(chance.one(PRODUCTS), at, chance.number(2, 10), *shopper(chance), *told)


def launch(chance: Chance, at: int) -> LaunchCampaign:
    limit, offers = chance.one((None, 1, 2)), chance.one(((), (Offer("A", PRODUCTS[:2]),)))
    return LaunchCampaign(chance.one(CAMPAIGNS), at, None, chance.one((None, START)), None, limit, offers)


def redeem(chance: Chance, at: int) -> RedeemCoupon:
    use, order = chance.one(("u", "v", "order/o")), chance.one((None, *ORDERS))
    recorded, amount = chance.happens(2), chance.one((None, 150))
    return RedeemCoupon(chance.one(CAMPAIGNS), chance.one(MEMBERS), "A", use, at, order, recorded, amount)


MAKERS: tuple[Callable[[Chance, int], object], ...] = (
    lambda c, at: RegisterMember(c.one(MEMBERS), at, *person(c)),
    lambda c, at: RegisterMember(c.one(MEMBERS), at),
    lambda c, at: ChangeProfile(c.one(MEMBERS), at, *person(c)),
    lambda c, at: CloseMember(c.one(MEMBERS), at, c.one(TEXTS)) if c.happens(3) else EraseMember(c.one(MEMBERS[1:]), at),
    listing,
    lambda c, at: RepriceProduct(c.one(PRODUCTS), c.number(0, 300), at),
    lambda c, at: RetireProduct(c.one(PRODUCTS), at),
    lambda c, at: OpenCart(c.one(CARTS), at, *shopper(c), anew=c.happens(2)),
    lambda c, at: AddToCart(c.one(CARTS), c.one(PRODUCTS), at, c.number(1, 3), c.one((None, 250))),
    lambda c, at: AddToCart(c.one(CARTS), c.one(PRODUCTS), at),
    lambda c, at: ChangeQuantity(c.one(CARTS), c.one(PRODUCTS), c.number(0, 4), at),
    lambda c, at: RemoveFromCart(c.one(CARTS), c.one(PRODUCTS), at, c.one((None, 1))),
    lambda c, at: CheckOutCart(c.one(CARTS), at) if c.happens(2) else AbandonCart(c.one(CARTS), at),
    place,
    place,
    lambda c, at: PayOrder(c.one(ORDERS), at),
    lambda c, at: PayOrder(c.one(ORDERS), at),
    lambda c, at: ShipOrder(c.one(ORDERS), at),
    lambda c, at: DeliverOrder(c.one(ORDERS), at),
    lambda c, at: CancelOrder(c.one(ORDERS), at, c.one(TEXTS), c.happens(2)),
    lambda c, at: RefundOrder(c.one(ORDERS), c.one(("r1", "r2", "r3")), at, parts(c)),
    lambda c, at: RefundOrder(c.one(ORDERS), c.one(("r1", "r2", "r3")), at, parts(c)),
    launch,
    lambda c, at: SendCoupon(c.one(CAMPAIGNS), c.one(MEMBERS), at, None, c.one((None, START, 5)), c.one((None, at))),
    redeem,
    lambda c, at: RedeemPoints(c.one(MEMBERS), c.one(("x", "y", "z")), c.number(1, 3), at, c.one((None, *ORDERS))),
    lambda c, at: PublishPolicy({"return_days": c.number(0, 3)}, at + c.number(0, 9), "ada", at),
    lambda c, at: JoinSession(c.one(SESSIONS), c.one(MEMBERS), at),
    lambda c, at: Viewed(product=c.one(PRODUCTS), **behaviour_of(c, at)),
    lambda c, at: Clicked(product=c.one(PRODUCTS), **behaviour_of(c, at), slot="home", place=c.number(1, 3)),
    lambda c, at: Searched(query=c.one(PERSONAL), **behaviour_of(c, at), shown=tuple(c.some(PRODUCTS))),
    lambda c, at: Impressed(
        slot="home", products=("tea", "milk"), **behaviour_of(c, at), propensities=(0.5, 0.0), strategy="popular"
    ),
    review,
)


def opening(chance: Chance) -> list[object]:
    """A shop in which most of what is asked can happen: members have points, orders came, carts hold something."""
    ada, bob, cid = MEMBERS
    return [
        RegisterMember(ada, START, *person(chance)),
        RegisterMember(bob, START),
        ListProduct("tea", START, "Tea", price=250),
        OpenCart("c", START, ada),
        AddToCart("c", "tea", START, 2),
        OpenCart("m.ada", START, ada, "s"),
        AddToCart("m.ada", "milk", START),
        PlaceOrder("o", tuple(sold_line(chance) for _ in range(3)), "USD", START, ada),
        PlaceOrder("p", (OrderLine("tea", 4, 4000, 4000, 4000), sold_line(chance)), "USD", START, bob, tax=30),
        PlaceOrder("q", (sold_line(chance), sold_line(chance)), "USD", START, None, "s"),
        *(step(order, START) for order in ("o", "p", "q") for step in (PayOrder, DeliverOrder)),
        LaunchCampaign("spring", START, limit=2, offers=(Offer("A", ("tea",)),)),
        SendCoupon("spring", ada, START),
        PlaceOrder("1", (OrderLine("tea", 1, 90000, 90000, 90000),), "USD", START - 30 * 86_400_000, cid),
        *(step("1", START - 30 * 86_400_000) for step in (PayOrder, DeliverOrder)),
    ]


@st.composite
def histories(draw: Draw, most: int = 40) -> list[Request]:
    """Requests of mostly one command each, mostly in order of time, some of them long ago; most of them after an opening."""
    chance = Chance(draw)
    commands = opening(chance) if chance.number(0, 4) else []
    told = [Request(f"opening {n}", (command,)) for n, command in enumerate(commands)]
    at = START
    for n in range(chance.number(3, most)):
        at += chance.number(0, 600) * MINUTE
        moment = at - START if chance.happens(30) else at
        told.append(Request(str(n), tuple(chance.one(MAKERS)(chance, moment) for _ in range(chance.one((1, 1, 1, 2))))))
    return told
