"""Complete Journey's campaigns run through prices, reservations and limits, and reconcile to the cent with the till.

The data tells what each coupon took off at the till, and no terms. So a campaign takes off exactly that, as a fixed amount on
the products that its coupon covers; coupon money of makers that no campaign explains is a tender. What then has to be paid is
what the till took.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from msgspec import to_builtins

from aggregates.campaign import ChangeCampaign, LaunchCampaign
from aggregates.coupon import CouponRedeemed, ReserveCoupon
from aggregates.order.decider import PayOrder, order
from aggregates.order.payment import TenderOrder
from aggregates.order.placing import PlaceOrder
from aggregates.order.priced import lines_of_trace
from aggregates.pricing.pipeline import price
from aggregates.pricing.request import Entered, LineItem, PriceRequest, PriceRules, Running
from aggregates.pricing.terms import CampaignTerms, Effect
from aggregates.pricing.trace import Trace
from aggregates.programme.earning import Selection
from infra.settings import Settings
from streams.commands.checkout import states_in
from streams.commands.limit_rows import rebuild
from streams.commands.request import Request
from streams.imports.complete_journey import SHOP, Offers, attribute
from streams.imports.journey_files import Basket, JourneyFiles, JourneyRedemption
from streams.running.app import App, running
from tests.aggregates.pricing.checker import objections

pytestmark = pytest.mark.slow

TOGETHER = 64


@dataclass(frozen=True)
class Sale:
    """A basket with coupons of campaigns. ``off``: what each campaign took off. ``tender``: coupon money of makers.

    ``over``: what coupons were worth beyond their lines, which the till gave in money.
    """

    basket: Basket
    off: dict[str, int]
    products: dict[str, tuple[str, ...]]
    tender: int
    over: int

    @property
    def paid(self) -> int:
        return sum(line.paid for line in self.basket.lines)


def sale(basket: Basket, redemptions: Sequence[JourneyRedemption], offers: Offers) -> Sale:
    """Assign each line's coupon money to the first redemption that covers its product."""
    off: Counter[str] = Counter()
    products: defaultdict[str, dict[str, None]] = defaultdict(dict)
    tender = over = 0
    for line in basket.lines:
        money = line.total - line.paid
        beyond = max(0, money - max(0, line.total))
        over += beyond
        covers = [r for r in redemptions if line.product in offers.get(r.campaign, {}).get(r.coupon, ())]
        if covers and money > beyond:
            off[covers[0].campaign] += money - beyond
            products[covers[0].campaign][line.product] = None
        else:
            tender += money - beyond
    return Sale(basket, dict(off), {name: tuple(found) for name, found in products.items()}, tender, over)


def priced(told: Sale) -> Trace:
    """Return the price of a basket by its campaigns; each line as it left the shelf, after the shop's own discounts."""
    lines = enumerate(told.basket.lines)
    items = tuple(LineItem(f"{n:04}", line.product, 1, line.total) for n, line in lines if line.total > 0)
    campaigns = tuple(
        Running(
            name,
            CampaignTerms(
                Effect(fixed=amount),
                stage="code",
                by_code=True,
                only=Selection(products=told.products[name]),
                combines_with=("all",),
            ),
            2,
        )
        for name, amount in sorted(told.off.items())
    )
    codes = tuple(Entered(running.id, running.id) for running in campaigns)
    return price(PriceRequest(items, campaigns=campaigns, codes=codes, rules=PriceRules(SHOP.currency))).trace


def commands_of(told: Sale, trace: Trace) -> Iterator[object]:
    basket = told.basket
    name, member, at = basket.basket, basket.household, basket.at
    yield PlaceOrder(name, lines_of_trace(trace), SHOP.currency, at, member, tax=trace.tax, priced=trace)
    for campaign, amount in sorted(told.off.items()):
        yield ReserveCoupon(campaign, member, name, at, at + 900_000, 2, amount=amount)
    if told.tender:
        yield TenderOrder(name, "makers", "other", told.tender, at)
    if (rest := trace.payable - told.tender) > 0:
        yield TenderOrder(name, "till", "card", rest, at)
    elif not told.tender:
        yield PayOrder(name, at)


@pytest.fixture(scope="module")
def sales() -> list[Sale]:
    files = JourneyFiles()
    offers = files.offers()
    placed, _, _ = attribute(files.redemptions(), files.baskets(None), offers, SHOP.zone)
    return [sale(basket, placed[basket.basket], offers) for basket in files.baskets(None) if basket.basket in placed]


def test_every_price_is_the_tills_and_an_independent_checker_agrees(sales: list[Sale]) -> None:
    assert len(sales) > 1000
    for told in sales:
        trace = priced(told)
        assert trace.payable - told.tender - told.over == told.paid, told.basket.basket
        assert {step.source.partition("@")[0]: step.amount for step in trace.steps if step.stage == 5} == told.off
        assert objections(to_builtins(trace)) == []


def test_all_uses_fit_into_their_limits_and_sum_to_what_was_taken_off(sales: list[Sale], tmp_path: Path) -> None:
    uses = Counter(name for told in sales for name in told.off)
    with running(Settings(tmp_path), SHOP) as app:
        at = min(told.basket.at for told in sales)
        for name, number in uses.items():
            document: dict[str, Any] = {"effect": {"fixed": 1}, "stage": "code", "by_code": True, "limits": {"total": number}}
            launched = LaunchCampaign(name, at), ChangeCampaign(name, document, "till", at)
            assert app.handler.handle(Request(f"launch {name}", launched)).accepted
        requests = [Request(told.basket.basket, tuple(commands_of(told, priced(told)))) for told in sales]
        for first in range(0, len(requests), TOGETHER):
            assert {outcome.code for outcome in app.handler.handle_all(requests[first : first + TOGETHER])} == {""}
        redeemed = list(redemptions_in(app))
        assert Counter(event.campaign for event in redeemed) == uses
        assert sum(event.amount or 0 for event in redeemed) == sum(sum(told.off.values()) for told in sales)
        assert not any(event.overrun for event in redeemed)
        assert {app.log.left(f"campaign:{name}", at) for name in uses} == {0}
        assert {states_in(app.log)(order, told.basket.basket).status for told in sales} == {"paid"}
        assert rebuild(app.log, app.keys) == []


def redemptions_in(app: App) -> Iterator[CouponRedeemed]:
    position = 0
    while chunk := app.log.recorded(position, 2000):
        yield from (one.event for one in chunk if isinstance(one.event, CouponRedeemed))
        position = chunk[-1].position
