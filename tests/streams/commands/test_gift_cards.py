"""Orders that are paid by gift cards: both happen together, money comes back to the card, and no race spends a cent twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from aggregates.gift_card import GiftCard, GiftCardExpired, GiftCardReleased, HoldGiftCard, IssueGiftCard, gift_card
from aggregates.order.decider import CancelOrder, order
from aggregates.order.payment import TenderOrder
from aggregates.order.placing import PlaceOrder
from aggregates.order.priced import lines_of_trace
from aggregates.order.refund import RefundOrder, RefundPart
from infra.settings import Settings
from streams.commands.checkout import states_in
from streams.commands.request import Request
from streams.commands.scheduler import tick
from streams.running.app import App, running
from tests.databases import in_both_databases
from tests.priced_shop import trace_of
from tests.shop import START, line, place
from tests.streams.racers import RACERS, Racers, started

pytestmark = in_both_databases

TRACE = trace_of("tea", "milk")
PLACED = PlaceOrder("o", lines_of_trace(TRACE), "USD", START, "ada", tax=TRACE.tax, priced=TRACE)
BY_CARD = TenderOrder("o", "t-2", "card", TRACE.payable - 3000, START)
BY_GIFT = TenderOrder("o", "t-1", "gift_card", 3000, START, "g")


@pytest.fixture(scope="module")
def racers() -> Iterator[Racers]:
    with started() as racers:
        yield racers


def done(app: App, name: str, *commands: object) -> str:
    return app.handler.handle(Request(name, commands)).code


def card(app: App, name: str = "g") -> GiftCard:
    return states_in(app.log)(gift_card, name)


def test_a_tender_takes_the_money_or_nothing_happens(app: App) -> None:
    assert done(app, "open", IssueGiftCard("g", 2000, START), PLACED) == ""
    assert done(app, "too much", BY_GIFT) == "gift_card_short"
    assert states_in(app.log)(order, "o").tenders == ()
    assert done(app, "unknown", TenderOrder("o", "t", "gift_card", 1, START, "nowhere")) == "gift_card_unknown"
    assert done(app, "wrong", TenderOrder("o", "t", "cash", 1, START, "g")) == "tender_kind_invalid"
    assert done(app, "part", TenderOrder("o", "t-1", "gift_card", 1500, START, "g")) == ""
    assert card(app).balance == 500


def test_refunds_go_to_the_card_first_and_to_the_gift_card_last(app: App) -> None:
    assert done(app, "open", IssueGiftCard("g", 3500, START), PLACED, HoldGiftCard("g", "o", 3000, START + 9, START)) == ""
    assert done(app, "pay", BY_GIFT, BY_CARD) == ""
    assert (states_in(app.log)(order, "o").status, card(app).balance) == ("paid", 500)
    assert done(app, "one", RefundOrder("o", "r-1", START, (RefundPart(1, 1),))) == ""
    assert card(app).balance == 500
    assert done(app, "rest", RefundOrder("o", "r-2", START)) == ""
    assert card(app).balance == 3500


def test_a_cancelled_order_gives_back_what_its_cards_paid(app: App) -> None:
    assert done(app, "open", IssueGiftCard("g", 3500, START), IssueGiftCard("h", 100, START, "ada"), PLACED) == ""
    assert done(app, "part", BY_GIFT, TenderOrder("o", "t-9", "store_credit", 100, START, "h")) == ""
    assert done(app, "cancel", CancelOrder("o", START)) == ""
    assert (card(app).balance, card(app, "h").balance) == (3500, 100)


def test_an_order_without_a_trace_gives_back_too(app: App) -> None:
    sold = place("p", "ada", line("tea", 2, 1000))
    assert done(app, "open", IssueGiftCard("g", 500, START), sold) == ""
    assert done(app, "pay", TenderOrder("p", "t-1", "gift_card", 500, START, "g")) == ""
    assert done(app, "pay the rest", TenderOrder("p", "t-2", "card", 1500, START)) == ""
    assert done(app, "all", RefundOrder("p", "r", START)) == ""
    assert card(app).balance == 500


def test_a_tick_records_lapsed_holds_and_ends(app: App) -> None:
    opened = IssueGiftCard("g", 500, START, expires=START + 100)
    assert done(app, "open", opened, HoldGiftCard("g", "o", 200, START + 50, START)) == ""
    assert tick(app.log, app.handler, START + 49).events == 0
    assert tick(app.log, app.handler, START + 60).events == 1
    assert tick(app.log, app.handler, START + 100).events == 1
    events = app.log.read("gift_card-g")[0]
    assert [type(event) for event in events[-2:]] == [GiftCardReleased, GiftCardExpired]
    assert tick(app.log, app.handler, START + 10**9).streams == 0


@pytest.mark.parametrize("abreast", [True, False])
def test_racers_spend_one_card_to_the_last_cent_and_never_twice(settings: Settings, racers: Racers, abreast: bool) -> None:
    each = 6
    names = [f"o-{n}" for n in range(RACERS * each)]
    with running(settings) as app:
        opened = (IssueGiftCard("g", 10_000, START), *(place(name, None, line("tea", 1, 700)) for name in names))
        assert done(app, "open", *opened) == ""
    asked = [
        [Request(f"pay {n}", (TenderOrder(n, "t", "gift_card", 700, START, "g"),), settled=False) for n in names[r::RACERS]]
        for r in range(RACERS)
    ]
    outcomes = racers.race(settings, asked, abreast=abreast)
    assert Counter(outcome.code for outcome in outcomes) == {"": 14, "gift_card_short": len(names) - 14}
    with running(settings) as app:
        paid = [name for name in names if states_in(app.log)(order, name).status == "paid"]
        assert (len(paid), card(app).balance) == (14, 200)


def test_a_cancellation_that_is_recorded_after_a_refund_gives_back_the_rest_alone(app: App) -> None:
    assert done(app, "open", IssueGiftCard("g", 3500, START), PLACED) == ""
    assert done(app, "pay", BY_GIFT, BY_CARD) == ""
    assert done(app, "part", RefundOrder("o", "r", START, (RefundPart(1, 2), RefundPart(2, 1)))) == ""
    assert done(app, "cancel", CancelOrder("o", START, recorded=True)) == ""
    assert card(app).balance == 3500
