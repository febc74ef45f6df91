"""Random histories of a small shop, as requests that a program sends: what no file of another shop could tell, too."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import strategies as st

from aggregates.behaviour import Clicked, Impressed, Searched, Viewed
from aggregates.campaign import LaunchCampaign, Offer
from aggregates.cart.decider import AbandonCart, AddToCart, ChangeQuantity, CheckOutCart, OpenCart, RemoveFromCart
from aggregates.coupon import RedeemCoupon, SendCoupon
from aggregates.member import ChangeProfile, CloseMember, EraseMember, RegisterMember
from aggregates.membership.commands_of_use import RedeemPoints
from aggregates.order.decider import CancelOrder, DeliverOrder, PayOrder, PlaceOrder, ShipOrder
from aggregates.order.events import OrderLine
from aggregates.order.refund import RefundOrder, RefundPart
from aggregates.product import ListProduct, RepriceProduct, RetireProduct
from aggregates.programme import Programme
from aggregates.programme.policy import PublishPolicy
from aggregates.review import ReviewProduct
from aggregates.session import JoinSession
from streams.commands.request import Request
from tests.streams.shop_log.histories import CAMPAIGNS, MARK, MEMBERS, ORDERS, PERSONAL, PRODUCTS, SESSIONS, TEXTS, Chance, Draw
from tests.streams.shop_log.taking import MINUTE, START

TERMS = Programme()
CARTS = ("c", "d", "m.ada", "s.s")


def who(chance: Chance) -> tuple[str | None, str | None]:
    told = chance.who()
    return told.get("member_id"), told.get("session_id")


def profile(chance: Chance) -> dict[str, str]:
    names = chance.some(("city", "tags", "id", "type", "at", "name", "profile"))
    return {name: chance.one(("", f"{MARK},{MARK}", *PERSONAL)) for name in names}


def person(chance: Chance) -> tuple[str | None, str | None, str | None, dict[str, str]]:
    email, birthday = chance.one((None, "", f"1@{MARK}", f"2@{MARK}")), chance.one((None, "", "1990-12-31"))
    return chance.one((None, "", *PERSONAL)), email, birthday, profile(chance)


def sold(chance: Chance) -> OrderLine:
    total, off = chance.number(0, 900), chance.one((0, 0, 50))
    paid = total - chance.one((0, 0, 0, 100, 1000))  # tender may exceed what it pays for
    return OrderLine(chance.one(PRODUCTS), chance.number(0, 3), total + off, total, paid, chance.one((None, "Food")))


def parts(chance: Chance) -> tuple[RefundPart, ...]:
    return tuple(
        RefundPart(chance.number(1, 3), chance.one((None, 0, 1, 1, 2)), chance.one((None, None, 0, 50)))
        for _ in range(chance.number(0, 3))
    )


def place(chance: Chance, at: int) -> PlaceOrder:
    lines = tuple(sold(chance) for _ in range(chance.number(1, 3)))
    tax, coupons, unpriced = chance.one((0, 0, 20)), tuple(chance.some(("A", "ten"))), chance.one((0, 0, 1))
    cart = chance.one((None, *CARTS))
    return PlaceOrder(chance.one(ORDERS), lines, TERMS.currency, at, *who(chance), cart, tax, coupons, unpriced)


def listing(chance: Chance, at: int) -> ListProduct:
    attributes = {name: chance.one(TEXTS) for name in chance.some(("size", "leaf"))}
    price, stock = chance.one((None, 0, 250)), chance.one((None, 3))
    return ListProduct(chance.one(PRODUCTS), at, chance.one((None, *TEXTS)), None, None, None, price, stock, attributes)


def review(chance: Chance, at: int) -> ReviewProduct:
    told = chance.one((None, "", *PERSONAL)), chance.one((None, *ORDERS))
    return ReviewProduct(chance.one(PRODUCTS), at, chance.number(2, 10), *who(chance), *told)


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
    lambda c, at: OpenCart(c.one(CARTS), at, *who(c), anew=c.happens(2)),
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
    lambda c, at: Viewed(c.one(PRODUCTS), *who(c), at),
    lambda c, at: Clicked(c.one(PRODUCTS), *who(c), at, "home", c.number(1, 3)),
    lambda c, at: Searched(c.one(PERSONAL), *who(c), tuple(c.some(PRODUCTS)), at),
    lambda c, at: Impressed("home", ("tea", "milk"), *who(c), (0.5, 0.0), "popular", at),
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
        PlaceOrder("o", tuple(sold(chance) for _ in range(3)), "USD", START, ada),
        PlaceOrder("p", (OrderLine("tea", 4, 4000, 4000, 4000), sold(chance)), "USD", START, bob, tax=30),
        PlaceOrder("q", (sold(chance), sold(chance)), "USD", START, None, "s"),
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
