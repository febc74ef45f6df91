"""A cart's live price, a refund before it is made, and why an order costs and earns what it does."""

from __future__ import annotations

import pytest

from aggregates.cart import AddToCart, OpenCart
from aggregates.decider import Refusal
from aggregates.gift_card import IssueGiftCard
from aggregates.membership.decider import membership
from aggregates.order.decider import PayOrder
from aggregates.order.payment import TenderOrder
from aggregates.order.refund import RefundOrder, RefundPart
from aggregates.product import ListProduct, RepriceProduct
from aggregates.programme.policy import PublishPolicy
from streams.commands.cart_checkout import CartWanted, PriceNotice, offer_of
from streams.commands.checkout import Checkout, place, states_in
from streams.commands.request import Request
from streams.queries.cart_price import price_of_cart
from streams.queries.orders import preview, why_order
from streams.running.app import App
from tests.shop import START
from tests.streams.commands.test_checkout import launched

MINUTE = 60_000
POLICY = {"selling": {"taxes": [{"name": "standard", "rate": "20 %"}, {"name": "books", "rate": "5 %"}]}}
names = iter(range(10**6))


def done(app: App, *commands: object) -> str:
    return app.handler.handle(Request(f"r-{next(names)}", commands)).code


def offered(app: App, *codes: str) -> Checkout:
    """Return the cart as it would be checked out."""
    return offer_of(states_in(app.log), app.handler.context().policies, CartWanted("c", "o", codes), START).checkout


@pytest.fixture
def shop(app: App) -> App:
    tea = ListProduct("tea", START, "Tea", "GROCERY", price=1000)
    book = ListProduct("book", START, "A book", price=500, attributes={"tax_class": "books"})
    assert done(app, PublishPolicy(POLICY, START, "ada", START), tea, book) == ""
    filled = (OpenCart("c", START, "ada"), AddToCart("c", "tea", START, 2, price=1000), AddToCart("c", "book", START))
    assert done(app, *filled) == ""
    return app


def test_a_cart_is_priced_by_the_policys_taxes_and_what_it_would_earn_is_told(shop: App) -> None:
    launched(shop, "TEN")
    found = price_of_cart(shop, CartWanted("c", "o", ("TEN",)), START)
    assert found.trace is not None
    assert (found.trace.payable, [line.tax_class for line in found.trace.lines]) == (2250, ["books", "standard"])
    assert found.trace.tax == 300 + 21
    assert found.points == 19
    assert done(shop) == ""
    order = place(shop.log, shop.keys, shop.handler, offered(shop, "TEN"))
    assert order.code == ""
    assert done(shop, PayOrder("o", START)) == ""
    assert states_in(shop.log)(membership, "ada").pending(START) == found.points


def test_a_hint_says_what_is_missing_to_the_next_step(shop: App) -> None:
    launched(shop, "FULL", effect={"fixed": 400}, stage="order", by_code=False, when={"amount": 3000})
    found = price_of_cart(shop, CartWanted("c", "o"), START)
    assert found.trace is not None
    assert [(hint.spend, hint.gain) for hint in found.trace.hints] == [(500, 400)]


def test_a_shown_price_holds_for_a_while_and_a_lower_one_at_once(shop: App) -> None:
    assert done(shop, RepriceProduct("tea", 1200, START + MINUTE)) == ""
    held = price_of_cart(shop, CartWanted("c", "o"), START + 9 * MINUTE)
    assert (held.trace and held.trace.payable, held.notices) == (2500, ())
    rose = price_of_cart(shop, CartWanted("c", "o"), START + 10 * MINUTE)
    assert (rose.trace and rose.trace.payable, rose.notices) == (2900, (PriceNotice("tea", 1000, 1200),))
    assert rose.notices[0].rose
    assert done(shop, RepriceProduct("tea", 900, START + MINUTE)) == ""
    fell = price_of_cart(shop, CartWanted("c", "o"), START + MINUTE)
    assert (fell.trace and fell.trace.payable, [notice.rose for notice in fell.notices]) == (2300, [False])


def test_what_has_no_price_is_named_and_a_cart_that_is_not_there_is_refused(shop: App) -> None:
    assert done(shop, AddToCart("c", "nowhere", START)) == ""
    assert price_of_cart(shop, CartWanted("c", "o"), START).without_price == ("nowhere",)
    with pytest.raises(Refusal, match="no open cart"):
        price_of_cart(shop, CartWanted("z", "o"), START)


@pytest.fixture
def sold(shop: App) -> App:
    launched(shop, "TEN", limits={"total": 1})
    assert place(shop.log, shop.keys, shop.handler, offered(shop, "TEN", "FOO")).code == ""
    assert done(shop, IssueGiftCard("g", 250, START), TenderOrder("o", "t-1", "gift_card", 250, START, "g")) == ""
    assert done(shop, TenderOrder("o", "t-2", "card", 2000, START)) == ""
    return shop


def test_a_refund_is_what_its_preview_said(sold: App) -> None:
    asked = RefundOrder("o", "r", START, (RefundPart(2, 1),))
    told = preview(sold, asked)
    assert (told.amount, told.refund.tax, told.points_taken) == (900, 150, 8)
    assert states_in(sold.log)(membership, "ada").pending(START) == 19
    assert done(sold, asked) == ""
    refunded = states_in(sold.log)
    assert refunded(membership, "ada").pending(START) == 19 - told.points_taken
    with pytest.raises(Refusal, match="before"):
        preview(sold, asked)


def test_an_order_is_explained_step_by_step(sold: App) -> None:
    assert done(sold, RefundOrder("o", "r", START)) == ""
    said = [(one.what, one.said) for one in why_order(sold, "o")]
    assert ("discount", "code: TEN@2 (TEN) of 25.00: 2.50") in said
    assert ("refused", "FOO was not used: no promotion has this code") in said
    assert ("discount", "TEN reserved") in said
    assert ("discount", "TEN redeemed") in said
    assert ("payment", "2.50 by gift_card from g, 20.00 left to pay") in said
    assert ("points", "19 points by rule purchase of version 2 on 19.29 as member") in said
    assert ("refund", "r: 22.50 back (goods): 20.00 to t-2, 2.50 to t-1") in said
    assert ("points", "19 points taken back for r") in said
    assert ("discount", "TEN restored") in said
    assert why_order(sold, "nowhere") == []
