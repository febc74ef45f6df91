"""Stock is reserved, taken, released and restored; it is never oversold in a race, and its rows come back from the log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from aggregates.order.decider import CancelOrder, PayOrder, order
from aggregates.order.fulfilment import LineUnits, ReturnGoods, ShipOrder
from aggregates.order.payment import AwaitPayment, FailPayment
from aggregates.order.placing import PlaceOrder
from aggregates.order.stock import HELD, ReserveStock, StockReleased
from aggregates.product import ListProduct, RestockProduct
from infra.settings import Settings
from streams.commands.checkout import Checkout, states_in
from streams.commands.checkout import place as check_out
from streams.commands.limit_rows import rebuild
from streams.commands.request import Request
from streams.commands.scheduler import tick
from streams.running.app import App, running
from tests.databases import in_both_databases
from tests.shop import START, line
from tests.streams.commands.test_checkout import cart
from tests.streams.racers import RACERS, Racers, started

pytestmark = in_both_databases

LATER = START + HELD
names = iter(range(10**6))


@pytest.fixture(scope="module")
def racers() -> Iterator[Racers]:
    with started() as racers:
        yield racers


def done(app: App, *commands: object) -> str:
    return app.handler.handle(Request(f"r-{next(names)}", commands, settled=False)).code


def placed(name: str, units: int = 1, at: int = START) -> tuple[PlaceOrder, ReserveStock]:
    lines = (line("tea", units, 500), line("tea", 1, 500), line("untracked", 9, 1))
    return PlaceOrder(name, lines, "USD", at), ReserveStock(name, at + HELD, at)


def left(app: App, at: int = START, product: str = "tea") -> int | None:
    return app.log.left(f"stock:{product}", at)


def stocked(app: App, units: int) -> None:
    assert done(app, ListProduct("tea", START, stock=units)) == ""


def test_lines_of_one_product_are_summed_and_the_untracked_are_free(app: App) -> None:
    stocked(app, 5)
    assert [done(app, *placed(f"o-{n}")) for n in range(3)] == ["", "", "out_of_stock"]
    assert (left(app), left(app, LATER), left(app, product="untracked")) == (1, 5, None)


def test_a_payment_takes_and_a_cancellation_gives_back(app: App) -> None:
    stocked(app, 4)
    assert done(app, *placed("paid"), PayOrder("paid", START)) == ""
    assert left(app, LATER) == 2
    assert done(app, *placed("cancelled"), CancelOrder("cancelled", START)) == ""
    assert left(app) == 2
    assert done(app, CancelOrder("paid", START)) == ""
    assert left(app) == 4


def test_goods_that_came_back_can_be_sold_again_if_they_are_restocked(app: App) -> None:
    stocked(app, 4)
    assert done(app, *placed("o", 2), PayOrder("o", START), ShipOrder("o", START)) == ""
    assert done(app, ReturnGoods("o", "broken", START, (LineUnits(1, 1),), restock=False)) == ""
    assert left(app) == 1
    assert done(app, ReturnGoods("o", "fine", START, (LineUnits(1, 1), LineUnits(2, 1)))) == ""
    assert left(app) == 3


def test_who_waits_for_a_provider_keeps_the_goods_and_loses_them_when_it_fails(app: App) -> None:
    stocked(app, 2)
    waiting = AwaitPayment("o", "p", START + 5 * HELD, START)
    assert done(app, *placed("o"), waiting) == ""
    assert done(app, *placed("late", at=LATER)) == "out_of_stock"
    assert done(app, FailPayment("o", "p", LATER)) == ""
    assert done(app, *placed("late", at=LATER)) == ""


def test_a_failed_payment_may_be_tried_again_within_the_time_out(app: App) -> None:
    stocked(app, 2)
    assert done(app, *placed("o"), FailPayment("o", "p", START)) == ""
    assert done(app, *placed("other")) == "out_of_stock"
    assert done(app, PayOrder("o", START)) == ""


def test_a_late_payment_takes_what_is_there_and_is_flagged_if_nothing_is(app: App) -> None:
    stocked(app, 2)
    assert done(app, *placed("late")) == ""
    assert done(app, *placed("next", at=LATER)) == ""
    assert done(app, PayOrder("late", LATER), PayOrder("next", LATER)) == ""
    stock = states_in(app.log)(order, "late").stock
    assert stock is not None
    assert stock.counted == {"untracked": 9}
    assert left(app, LATER) == 0
    assert done(app, CancelOrder("late", LATER), CancelOrder("next", LATER)) == ""
    assert left(app, LATER) == 2


def test_a_tick_records_what_lapsed_and_the_order_can_still_be_paid(app: App) -> None:
    stocked(app, 2)
    assert done(app, *placed("o")) == ""
    assert tick(app.log, app.handler, LATER - 1).events == 0
    assert tick(app.log, app.handler, LATER + 99).events == 1
    released = app.log.read("order-o")[0][-1]
    assert isinstance(released, StockReleased)
    assert (released.reason, released.at) == ("expired", LATER)
    assert done(app, PayOrder("o", LATER + 99)) == ""
    assert left(app, LATER) == 0


def test_what_arrives_is_added_and_what_is_counted_replaces(app: App) -> None:
    stocked(app, 2)
    assert done(app, *placed("held"), RestockProduct("tea", 5, START)) == ""
    assert left(app) == 5
    assert done(app, ListProduct("tea", START, "Tea", stock=10)) == ""
    assert (left(app), left(app, LATER)) == (8, 10)
    assert done(app, RestockProduct("tea", -3, START)) == ""
    assert left(app) == 5


def test_a_checkout_reserves_what_is_tracked(app: App) -> None:
    stocked(app, 2)
    assert check_out(app.log, app.keys, app.handler, cart(0, codes=())).code == ""
    assert check_out(app.log, app.keys, app.handler, cart(1, codes=())).code == "out_of_stock"
    untracked = Checkout("o-2", cart(0).items[1:], START, "m-2")
    assert check_out(app.log, app.keys, app.handler, untracked).code == ""
    assert states_in(app.log)(order, "o-2").stock is None


def test_rows_that_were_lost_come_back_from_the_log(app: App) -> None:
    stocked(app, 9)
    assert (
        done(app, *placed("paid"), PayOrder("paid", START), *placed("held"), *placed("gone"), CancelOrder("gone", START)) == ""
    )
    assert rebuild(app.log, app.keys) == []
    with app.log.append() as append:
        append.drop_limit_rows()
    assert left(app) is None
    assert {one.key for one in rebuild(app.log, app.keys)} == {"stock:tea"}
    assert (left(app), left(app, LATER)) == (5, 7)


def bought(name: str, paid: bool) -> tuple[object, ...]:
    return (*placed(name), PayOrder(name, START)) if paid else placed(name)


@pytest.mark.parametrize("abreast", [True, False])
def test_racers_never_oversell_and_leave_nothing(settings: Settings, racers: Racers, abreast: bool) -> None:
    each = 6
    with running(settings) as app:
        stocked(app, 20)
    asked = [
        [Request(f"{racer} {n}", bought(f"o-{racer}-{n}", paid=n % 2 == 1), settled=False) for n in range(each)]
        for racer in range(RACERS)
    ]
    outcomes = racers.race(settings, asked, abreast=abreast)
    assert Counter(outcome.code for outcome in outcomes) == {"": 10, "out_of_stock": RACERS * each - 10}
    with running(settings) as app:
        assert left(app) == 0
        assert rebuild(app.log, app.keys) == []
        tick(app.log, app.handler, LATER)
        paid = sum(states_in(app.log)(order, f"o-{r}-{n}").status == "paid" for r in range(RACERS) for n in range(each))
        assert left(app) == 20 - 2 * paid
