"""A cart of the log is checked out at the price that the shopper saw, or at a lower one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from click.testing import CliRunner, Result

from aggregates.campaign import EndCampaign
from aggregates.cart import AddToCart, EnterCode, MergeCart, OpenCart, RemoveCode, cart
from aggregates.decider import Refusal
from aggregates.order.decider import PayOrder, order
from aggregates.order.events import Order
from aggregates.order.fulfilment import LineUnits
from aggregates.pricing.trace import Trace
from aggregates.product import ListProduct, RepriceProduct
from aggregates.programme.policy import PublishPolicy
from infra.event_log.types import Outcome
from streams.cli.main import regulars
from streams.commands.cart_checkout import CartWanted, Shipping, checking_out
from streams.commands.cart_checkout import check_out as place_cart
from streams.commands.checkout import ComesBack, states_in
from streams.commands.request import Request
from streams.queries.cart_price import price_of_cart
from streams.running.app import App
from tests.databases import in_both_databases
from tests.shop import START
from tests.streams.commands.test_checkout import launched

MINUTE = 60_000
POLICY = {"selling": {"taxes": [{"name": "standard", "rate": "20 %"}], "price_minutes": 10, "reserve_minutes": 30}}
SENT = Shipping("standard", 490)
names = iter(range(10**6))


def done(app: App, *commands: object) -> str:
    return app.handler.handle(Request(f"r-{next(names)}", commands)).code


@pytest.fixture
def shop(app: App) -> App:
    tea = ListProduct("tea", START, "Tea", "GROCERY", price=1000, stock=10)
    assert done(app, PublishPolicy(POLICY, START, "ada", START), tea) == ""
    assert done(app, OpenCart("c", START, "ada"), AddToCart("c", "tea", START, 2)) == ""
    return app


def check_out(app: App, wanted: CartWanted, at: int = START, name: str | None = None) -> Outcome:
    outcome, TRACES[wanted.order] = place_cart(app.log, app.keys, app.handler, wanted, at, name or f"check-out {next(names)}")
    return outcome


TRACES: dict[str, Trace | None] = {}


def of(app: App, name: str = "o") -> Order:
    return states_in(app.log)(order, name)


@in_both_databases
def test_an_order_has_the_carts_trace_its_stock_and_the_cart_is_closed(shop: App) -> None:
    launched(shop, "TEN")
    assert done(shop, EnterCode("c", "TEN", START)) == ""
    shown = price_of_cart(shop, CartWanted("c", "o", shipping=SENT), START)
    assert shown.trace is not None
    assert check_out(shop, CartWanted("c", "o", shipping=SENT, seen=shown.trace.payable), name="k").code == ""
    placed = of(shop)
    assert placed.priced is not None
    assert placed.priced.trace == shown.trace
    assert (shown.trace.payable, placed.stock and placed.stock.until) == (2290, START + 30 * MINUTE)
    assert [(sold.product, sold.quantity) for sold in placed.lines] == [("shipping:standard", 0), ("tea", 2)]
    assert states_in(shop.log)(cart, "c").status == "checked_out"
    again = check_out(shop, CartWanted("c", "o", shipping=SENT, seen=shown.trace.payable), name="k")
    assert (again.code, again.repeated) == ("", True)
    assert check_out(shop, CartWanted("c", "p")).code == "cart_unknown"


def test_a_price_that_rose_is_refused_with_the_new_one_once_its_time_is_over(shop: App) -> None:
    assert done(shop, RepriceProduct("tea", 1200, START + MINUTE)) == ""
    seen = CartWanted("c", "o", seen=2000, seen_at=START)
    assert check_out(shop, seen, START + 10 * MINUTE).code == "price_changed"
    assert (TRACES["o"] and TRACES["o"].payable, of(shop).placed) == (2400, None)
    assert check_out(shop, replace(seen, seen_at=None), START + 9 * MINUTE).code == "price_changed"
    assert check_out(shop, seen, START + 9 * MINUTE).code == ""
    assert sum(sold.paid for sold in of(shop).lines) == 2000


def test_a_promotion_that_ended_holds_for_who_saw_it_in_time(shop: App) -> None:
    launched(shop, "TEN")
    assert done(shop, EndCampaign("TEN", "ada", START + MINUTE)) == ""
    seen = CartWanted("c", "o", ("TEN",), seen=1800, seen_at=START)
    assert check_out(shop, seen, START + 11 * MINUTE).code == "price_changed"
    assert check_out(shop, seen, START + 5 * MINUTE).code == ""
    assert sum(sold.paid for sold in of(shop).lines) == 1800


def test_a_lower_price_is_given_at_once(shop: App) -> None:
    assert done(shop, RepriceProduct("tea", 700, START)) == ""
    assert check_out(shop, CartWanted("c", "o", seen=2000, seen_at=START), START).code == ""
    assert sum(sold.paid for sold in of(shop).lines) == 1400


def test_what_cannot_be_bought_is_refused(shop: App) -> None:
    assert done(shop, AddToCart("c", "nowhere", START)) == ""
    assert check_out(shop, CartWanted("c", "o")).code == "cart_without_price"
    assert done(shop, OpenCart("e", START, "bob")) == ""
    assert check_out(shop, CartWanted("e", "o")).code == "cart_empty"
    assert check_out(shop, CartWanted("nowhere", "o")).code == "cart_unknown"
    assert done(shop, OpenCart("f", START, "eve"), AddToCart("f", "tea", START, 11)) == ""
    assert check_out(shop, CartWanted("f", "o")).code == "out_of_stock"
    assert states_in(shop.log)(cart, "f").status == "open"


def test_what_costs_nothing_is_paid_at_once(shop: App) -> None:
    launched(shop, "ALL", effect={"percent": "100 %"})
    assert check_out(shop, CartWanted("c", "o", ("ALL",))).code == ""
    assert of(shop).status == "paid"


def test_a_code_that_brings_nothing_is_told_with_its_reason_and_stays(shop: App) -> None:
    launched(shop, "TEN", when={"amount": 5000})
    assert done(shop, EnterCode("c", "TEN", START), EnterCode("c", "FOO", START), EnterCode("c", "FOO", START)) == ""
    shown = price_of_cart(shop, CartWanted("c", "o"), START)
    assert shown.trace is not None
    reasons = {one.code: (one.reason, one.amount) for one in shown.trace.refused}
    assert reasons == {"TEN": ("below_threshold", 3000), "FOO": ("code_unknown", 0)}
    assert states_in(shop.log)(cart, "c").codes == ("TEN", "FOO")
    assert done(shop, RemoveCode("c", "FOO", START), RemoveCode("c", "FOO", START), AddToCart("c", "tea", START, 3)) == ""
    grown = price_of_cart(shop, CartWanted("c", "o"), START)
    assert grown.trace is not None
    assert (grown.trace.payable, grown.trace.refused) == (4500, ())


def test_codes_of_both_carts_are_there_after_a_login(shop: App) -> None:
    guest = (OpenCart("g", START, session="s"), EnterCode("g", "A", START), EnterCode("g", "B", START))
    assert done(shop, EnterCode("c", "B", START), EnterCode("c", "C", START), *guest, MergeCart("g", "c", "ada", START)) == ""
    assert states_in(shop.log)(cart, "c").codes == ("B", "C", "A")


def test_a_cart_keeps_twenty_codes_at_most(shop: App) -> None:
    assert done(shop, *(EnterCode("c", f"K{n}", START) for n in range(20))) == ""
    assert done(shop, EnterCode("c", "K20", START)) == "too_many_codes"
    assert done(shop, EnterCode("c", "K0", START)) == ""


def test_an_exchange_is_priced_by_the_cart_and_its_promotion_is_redeemed(shop: App) -> None:
    launched(shop, "TEN", limits={"total": 5})
    assert check_out(shop, CartWanted("c", "o")).code == ""
    assert done(shop, PayOrder("o", START), ListProduct("cup", START, "Cup", price=800, stock=1)) == ""
    assert done(shop, OpenCart("c", START, "ada", anew=True), AddToCart("c", "cup", START)) == ""
    back = ComesBack("o", "x", (LineUnits(1, 1),))
    assert check_out(shop, CartWanted("c", "n", ("TEN",), comes_back=back)).code == ""
    assert (of(shop, "n").status, of(shop, "o").exchanges) == ("paid", {"x": "n"})
    assert [(tender.id, tender.amount) for tender in of(shop, "n").tenders] == [("o", 720)]
    assert (shop.log.left("campaign:TEN", START), shop.log.left("stock:cup", START)) == (4, 0)
    assert done(shop, OpenCart("b", START, "bob"), AddToCart("b", "tea", START)) == ""
    assert check_out(shop, CartWanted("b", "m", comes_back=replace(back, name="y"))).code == "order_anothers"


def test_a_closed_cart_has_no_price(shop: App) -> None:
    assert check_out(shop, CartWanted("c", "o")).code == ""
    with pytest.raises(Refusal, match="no open cart"):
        price_of_cart(shop, CartWanted("c", "o"), START)


def test_the_console_shows_the_price_and_places_the_order(shop: App) -> None:
    environment = {"REGULARS_HOME": str(shop.settings.home), "REDIS_URL": shop.settings.redis_url, "COLUMNS": "100"}

    def console(*words: str) -> Result:
        return CliRunner(env=environment).invoke(regulars, ["checkout", "c", "o", *words])

    dear = console("--shipping", "standard=490", "--seen", "2000")
    assert (dear.exit_code, "costs 2490 now" in dear.output) == (1, True)
    shown = console("--shipping", "standard=490", "--dry-run")
    assert "To pay: 24.90" in shown.output
    assert of(shop).placed is None
    placed = console("--shipping", "standard=490", "--seen", "2490", "--id", "k")
    assert (placed.exit_code, "Order o is placed: 24.90" in placed.output) == (0, True), placed.output
    assert "was placed before" in console("--shipping", "standard=490", "--seen", "2490", "--id", "k").output
    assert console("--shipping", "standard").exit_code == 1


def test_a_cart_that_two_ask_for_at_once_becomes_one_order(shop: App) -> None:
    policies = shop.handler.context().policies
    plans = [checking_out(shop.log, shop.keys, policies, CartWanted("c", name), START, []) for name in ("o", "p")]
    outcomes = shop.handler.handle_all([Request(f"{n}", plan, b"", settled=False) for n, plan in enumerate(plans)])
    assert [outcome.code for outcome in outcomes] == ["", "cart_unknown"]
    assert (of(shop).status, of(shop, "p").placed, shop.log.left("stock:tea", START)) == ("placed", None, 8)
