"""Exchanging goods: one command takes lines back and sends others out, and the worth of what came back pays them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from aggregates.decider import Decider, Refusal, stream_id
from aggregates.gift_card import BlockGiftCard, GiftCard, IssueGiftCard, gift_card
from aggregates.member import EraseMember, RegisterMember
from aggregates.membership.events import PointsClawedBack, PointsGranted
from aggregates.order.decider import CancelOrder, PayOrder, order
from aggregates.order.events import (
    MovedMoney,
    Order,
    OrderCancelled,
    OrderExchanged,
    OrderLine,
    OrderRefunded,
    OrderTendered,
    TenderBack,
)
from aggregates.order.exchange import ExchangeItems
from aggregates.order.fulfilment import LineUnits
from aggregates.order.payment import TenderOrder
from aggregates.order.placing import PlaceOrder
from aggregates.order.priced import lines_of_trace
from aggregates.order.refund import RefundOrder, RefundPart
from aggregates.pricing.campaign_document import read_campaign
from aggregates.pricing.pipeline import price as price_of
from aggregates.pricing.request import Entered, LineItem, PriceRequest, PriceRules, Running
from aggregates.pricing.trace import Trace
from aggregates.product import ListProduct
from aggregates.programme import Policies
from infra.codec import Codec
from infra.keys.ring import KeyRing
from infra.keys.stores import SqliteKeys
from infra.settings import Settings
from streams.commands.checkout import states_in
from streams.commands.execution import Execution, Stream
from streams.commands.request import Request
from streams.queries.orders import preview, why_order
from streams.registry import EVENTS
from streams.running.app import App, running
from tests.aggregates.pricing.shops import order_of_2_4
from tests.databases import in_both_databases
from tests.priced_shop import TERMS, trace_of
from tests.shop import START, line, place
from tests.streams.racers import RACERS, Racers, started

TRACE = trace_of("tea", "milk")
PLACED = PlaceOrder("o", lines_of_trace(TRACE), "USD", START, "ada", tax=TRACE.tax, priced=TRACE)


def goods(price: int, product: str = "cup") -> tuple[OrderLine, ...]:
    return (OrderLine(product, 1, price, price, price),)


def exchanged(into: str = "n", price: int = 1000, name: str = "x", units: int = 1, **more: Any) -> ExchangeItems:
    return ExchangeItems("o", name, into, (LineUnits(1, units),), goods(price), START, **more)


def done(app: App, *commands: object) -> str:
    return app.handler.handle(Request(f"r {app.log.head()} {commands!r}"[:400], commands)).code


def of(app: App, name: str) -> Order:
    return states_in(app.log)(order, name)


def card(app: App) -> GiftCard:
    return states_in(app.log)(gift_card, "g")


@pytest.fixture
def sold(app: App) -> App:
    """An order of four units, 10 % off: one unit is 1,799 or 1,800 minor units. A gift card paid 3,000 of 7,197."""
    assert done(app, IssueGiftCard("g", 5000, START), PLACED) == ""
    paid = TenderOrder("o", "t-1", "gift_card", 3000, START, "g")
    assert done(app, paid, TenderOrder("o", "t-2", "card", TRACE.payable - 3000, START)) == ""
    return app


@in_both_databases
def test_what_comes_back_pays_the_new_order_and_the_rest_goes_back(sold: App) -> None:
    assert done(sold, exchanged()) == ""
    credit = of(sold, "o").given_back[0]
    assert of(sold, "n").status == "paid"
    assert [(tender.id, tender.kind, tender.amount) for tender in of(sold, "n").tenders] == [("o/t-2", "card", 1000)]
    refunded, told = facts(sold, OrderRefunded)[0], facts(sold, OrderExchanged)[0]
    assert (refunded.kind, refunded.moved, refunded.tenders) == ("exchange", 1000, (TenderBack("t-2", credit - 1000),))
    assert (told.credit, told.into, told.money) == (credit, "n", (MovedMoney("t-2", "card", 1000),))
    assert card(sold).balance == 2000
    assert ("refund", f"x: exchanged for order n; 10.00 of {credit / 100:.2f} pays it") in [
        (one.what, one.said) for one in why_order(sold, "o")
    ]


def test_what_is_missing_is_left_to_pay(sold: App) -> None:
    assert done(sold, exchanged(price=2500)) == ""
    credit = of(sold, "o").given_back[0]
    assert (of(sold, "n").status, facts(sold, OrderRefunded)[0].tenders) == ("placed", ())
    assert done(sold, TenderOrder("n", "t-9", "card", 2500 - credit, START)) == ""
    assert of(sold, "n").status == "paid"


def test_an_exchange_given_again_changes_nothing(sold: App) -> None:
    assert done(sold, exchanged()) == ""
    before = sold.log.head()
    assert sold.handler.handle(Request("again", (exchanged(),))).events == 0
    assert sold.log.head() == before
    assert done(sold, exchanged(into="m")) == "exchange_exists"


def test_money_of_a_gift_card_moves_without_touching_the_card_and_comes_back_to_it(sold: App) -> None:
    second = ExchangeItems("o", "y", "m", (LineUnits(2, 2),), goods(3000), START)
    assert done(sold, exchanged(price=7000, units=2), second) == ""
    assert [(tender.kind, tender.amount) for tender in of(sold, "m").tenders] == [("gift_card", 3000)]
    assert card(sold).balance == 2000
    assert done(sold, RefundOrder("m", "r", START), CancelOrder("n", START)) == ""
    assert card(sold).balance == 5000


REFUSED = {
    "exchange_empty": ExchangeItems("o", "x", "n", (), goods(1000), START),
    "exchange_itself": exchanged(into="o"),
    "exchange_worthless": exchanged(price=0),
    "nothing_left": exchanged(units=9),
    "line_unknown": ExchangeItems("o", "x", "n", (LineUnits(7, 1),), goods(1000), START),
    "order_unknown": ExchangeItems("nowhere", "x", "n", (LineUnits(1, 1),), goods(1000), START),
    "order_exists": exchanged(into="other"),
    "out_of_stock": ExchangeItems("o", "x", "n", (LineUnits(1, 1),), goods(1000, "rare"), START),
    "tax_too_high": exchanged(tax=1001),
}


@pytest.mark.parametrize("code", sorted(REFUSED))
def test_what_cannot_be_exchanged_is_refused_and_nothing_happens(code: str, sold: App) -> None:
    assert done(sold, ListProduct("rare", START, stock=0), place("other", "bob", line("tea", 1, 5))) == ""
    before = sold.log.head()
    assert done(sold, REFUSED[code]) == code
    assert sold.log.head() == before
    assert of(sold, "n").placed is None


def test_an_order_that_is_not_paid_and_an_erased_members_are_refused(app: App) -> None:
    assert done(app, PLACED, exchanged()) == "order_not_paid"
    assert done(app, RegisterMember("ada", START, "Ada"), PLACED, PayOrder("o", START), EraseMember("ada", START)) == ""
    assert done(app, exchanged()) == "member_erased"


def test_stock_goes_out_with_the_exchange(sold: App) -> None:
    assert done(sold, ListProduct("cup", START, stock=2), exchanged(price=900)) == ""
    assert sold.log.left("stock:cup", START) == 1
    assert done(sold, RefundOrder("n", "r", START)) == ""


def test_a_preview_says_what_the_exchange_then_does(sold: App) -> None:
    told = preview(sold, exchanged())
    assert done(sold, exchanged()) == ""
    refunded = facts(sold, OrderRefunded)[0]
    assert (told.refund.moved, told.refund.tenders, told.amount) == (refunded.moved, refunded.tenders, refunded.parts[0][2])
    with pytest.raises(Refusal, match="before"):
        preview(sold, exchanged())


def test_points_follow_the_goods(app: App) -> None:
    assert done(app, place("o", "ada", line("tea", 2, 10_000)), PayOrder("o", START)) == ""
    assert done(app, exchanged(price=3000)) == ""
    granted = [(event.order, event.points) for event in facts(app, PointsGranted)]
    assert granted == [("o", 200), ("n", 30)]
    assert [event.points for event in facts(app, PointsClawedBack)] == [100]
    assert [(tender.id, tender.kind) for tender in of(app, "n").tenders] == [("o", "other")]


def facts(app: App, *kinds: type) -> list[Any]:
    return [recorded.event for recorded in app.log.recorded(0, 10_000) if isinstance(recorded.event, kinds)]


@pytest.mark.parametrize(("price", "to_pay", "back"), [(12990, 2922, ()), (7990, 0, (TenderBack("card", 2078),))])
def test_a_shoe_of_the_worked_example_is_exchanged_to_the_cent(
    app: App, price: int, to_pay: int, back: tuple[TenderBack, ...]
) -> None:
    trace = price_of(order_of_2_4(rules=PriceRules("USD"))).trace
    placed = PlaceOrder("o", lines_of_trace(trace), "USD", START, "ada", tax=trace.tax, priced=trace)
    assert done(app, IssueGiftCard("g", 10_000, START), placed, TenderOrder("o", "card", "card", 19_080, START)) == ""
    assert done(app, TenderOrder("o", "gift", "gift_card", 10_000, START, "g")) == ""
    assert done(app, exchanged(price=price)) == ""
    refunded = facts(app, OrderRefunded)[0]
    assert (sum(money for _, _, money in refunded.parts), refunded.tax, refunded.points) == (10_068, 1678, 519)
    assert refunded.tenders == back
    assert price - sum(tender.amount for tender in of(app, "n").tenders) == to_pay
    assert done(app, RefundOrder("o", "rest", START), CancelOrder("n", START)) == ""
    assert sum(each.amount for event in facts(app, OrderRefunded, OrderCancelled) for each in event.tenders) == 29_080
    assert card(app).balance == 10_000


@pytest.fixture(scope="module")
def racers() -> Iterator[Racers]:
    with started() as racers:
        yield racers


@in_both_databases
def test_racers_exchange_each_unit_once(settings: Settings, racers: Racers) -> None:
    with running(settings) as app:
        assert (
            done(app, ListProduct("cup", START, stock=9), place("o", "ada", line("tea", 7, 7000)), PayOrder("o", START)) == ""
        )
    wishes = [[exchanged(f"n-{racer}-{n}", 800, f"x-{racer}-{n}") for n in range(3)] for racer in range(RACERS)]
    asked_for = [[Request(f"{wish.into}", (wish,), settled=False) for wish in mine] for mine in wishes]
    outcomes = racers.race(settings, asked_for, abreast=True)
    assert sum(outcome.accepted for outcome in outcomes) == 7
    assert {outcome.code for outcome in outcomes if not outcome.accepted} == {"nothing_left"}
    with running(settings) as app:
        assert (of(app, "o").status, app.log.left("stock:cup", START)) == ("refunded", 2)
        assert sum(of(app, wish.into).status == "paid" for mine in wishes for wish in mine) == 7
        assert sum(refund.moved for refund in facts(app, OrderRefunded)) == 7 * 800


# Any history returns exactly what was paid

DIGITS = {"JPY": 0, "USD": 2, "KWD": 3}


@dataclass
class Ledger:
    """Carries commands out as the handler does, in memory, and keeps the events."""

    codec: Codec
    currency: str
    states: dict[str, Stream] = field(default_factory=dict)
    events: list[Any] = field(default_factory=list)

    def give(self, *commands: object) -> str:
        policies = Policies.first("UTC", self.currency, DIGITS[self.currency])
        work = Execution(policies, self.codec, frozenset(), self.load, "behaviour")
        try:
            work.carry_out(Request("r", commands))
        except Refusal as refusal:
            return refusal.code
        self.states |= work.streams
        self.events += [event for _, _, event in work.events]
        return ""

    def load(self, stream: str, decider: Decider[Any, Any, Any]) -> Stream:
        return self.states.get(stream, (0, decider.initial))

    def order(self, name: str) -> Order:
        found: Order = self.load(stream_id("order", name), order)[1]
        return found

    def of(self, kind: type) -> Iterator[Any]:
        return (event for event in self.events if isinstance(event, kind))

    def paid_in(self) -> Counter[str]:
        """Return what each means of payment brought in; what moved came in before."""
        return Counter(
            {kind: sum(t.amount for t in self.of(OrderTendered) if t.moved_from is None and t.kind == kind) for kind in KINDS}
        )

    def paid_out(self) -> Counter[str]:
        out: Counter[str] = Counter()
        for event in (*self.of(OrderRefunded), *self.of(OrderCancelled)):
            kinds = {tender.id: tender.kind for tender in self.order(event.order).tenders}
            for back in event.tenders:
                out[kinds[back.tender]] += back.amount
        return out


KINDS = ("card", "gift_card")


@pytest.fixture(scope="module")
def codec(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Codec]:
    keys = KeyRing(SqliteKeys(tmp_path_factory.mktemp("keys") / "keys.db"))
    yield Codec(EVENTS.values(), keys)
    keys.close()


def priced(currency: str, prices: list[tuple[int, int]], rule: str) -> Trace:
    terms, _ = read_campaign({**TERMS, "refund": rule})
    running = (Running("tenth", terms, 2),) if terms else ()
    items = tuple(LineItem(f"p{n}", f"p{n}", units, unit, (1, 5)) for n, (unit, units) in enumerate(prices))
    rules = PriceRules(currency, DIGITS[currency])
    return price_of(PriceRequest(items, campaigns=running, codes=(Entered("TENTH", "tenth"),), rules=rules)).trace


KINDS_OF_ACTS = st.sampled_from(["exchange", "exchange", "exchange", "refund", "money", "pay", "cancel"])
ACTS = st.lists(st.tuples(KINDS_OF_ACTS, *[st.integers(0, 10**6)] * 4), min_size=1, max_size=8)


@given(
    currency=st.sampled_from(sorted(DIGITS)),
    prices=st.lists(st.tuples(st.integers(1, 9999), st.integers(1, 4)), min_size=1, max_size=4),
    rule=st.sampled_from(["proportional", "recompute"]),
    has_trace=st.booleans(),
    gift=st.integers(0, 100),
    acts=ACTS,
)
@examples(deadline=None)
def test_any_history_with_exchanges_returns_exactly_what_was_paid(
    codec: Codec, currency: str, prices: list[Any], rule: str, has_trace: bool, gift: int, acts: list[Any]
) -> None:
    ledger, trace = Ledger(codec, currency), priced(currency, prices, rule)
    by_gift = trace.payable * gift // 100
    first = PlaceOrder("o-0", lines_of_trace(trace), currency, START, "ada", tax=trace.tax, priced=trace if has_trace else None)
    assert ledger.give(IssueGiftCard("g", by_gift + 1, START), first) == ""
    if by_gift:
        assert ledger.give(TenderOrder("o-0", "gift", "gift_card", by_gift, START, "g")) == ""
    if trace.payable - by_gift:
        assert ledger.give(TenderOrder("o-0", "card", "card", trace.payable - by_gift, START)) == ""
    names = ["o-0"]
    for number, (act, which, where, how_many, cost) in enumerate(acts):
        name = names[which % len(names)]
        at_line = where % len(ledger.order(name).lines) + 1
        part = RefundPart(at_line, how_many % 3 + 1) if act == "refund" else RefundPart(at_line, 0, cost % 500 + 1)
        match act:
            case "refund" | "money":
                ledger.give(RefundOrder(name, f"r-{number}", START, (part,)))
            case "exchange":
                sold = priced(currency, [(cost % 20_000 + 1, 1)], rule)
                out = lines_of_trace(sold)
                into, back = f"o-{number + 1}", (LineUnits(at_line, how_many % 3 + 1),)
                if not ledger.give(ExchangeItems(name, f"x-{number}", into, back, out, START, sold.tax, (), sold)):
                    names.append(into)
            case "pay":
                pay_rest(ledger, name, f"t-{number}")
            case "cancel":
                ledger.give(CancelOrder(name, START, recorded=how_many % 2 == 0))
    assert all(sum(order_.given_back) <= payable_of(order_) for order_ in map(ledger.order, names))
    for number, name in enumerate(reversed(names)):
        if (gift + number) % 2:
            ledger.give(CancelOrder(name, START, recorded=True))
        ledger.give(RefundOrder(name, "the rest", START))
        ledger.give(CancelOrder(name, START))
    assert {ledger.order(name).status for name in names} <= {"refunded", "cancelled"}
    assert +ledger.paid_out() == +ledger.paid_in()
    assert ledger.load(stream_id("gift_card", "g"), gift_card)[1].balance == by_gift + 1
    granted = sum(event.points for event in ledger.of(PointsGranted))
    assert granted == sum(event.points for event in ledger.of(PointsClawedBack))


def payable_of(order_: Order) -> int:
    return sum(sold.paid for sold in order_.lines)


def pay_rest(ledger: Ledger, name: str, tender: str) -> None:
    known = ledger.order(name)
    left = payable_of(known) - sum(tender.amount for tender in known.tenders)
    if left > 0:
        ledger.give(TenderOrder(name, tender, "card", left, START))


def test_a_blocked_card_still_has_its_money_back_after_an_exchange(sold: App) -> None:
    assert done(sold, ExchangeItems("o", "y", "m", (LineUnits(1, 2), LineUnits(2, 2)), goods(7000), START)) == ""
    assert done(sold, BlockGiftCard("g", "kim", "stolen", START), RefundOrder("m", "r", START)) == ""
    assert card(sold).balance == 5000
