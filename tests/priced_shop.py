"""Orders of the small shop that carry their price trace: by a campaign with terms, paid in parts, given back."""

from __future__ import annotations

from collections.abc import Iterator

from aggregates.campaign import ChangeCampaign, EndCampaign, LaunchCampaign
from aggregates.cart import (
    AbandonCart,
    AddToCart,
    EnterCode,
    MergeCart,
    MoveToCart,
    OpenCart,
    RemoveCode,
    SaveForLater,
)
from aggregates.code_batches import IssueCodes, RevokeCodes
from aggregates.coupon import RedeemReserved, ReleaseCoupon, ReserveCoupon, RestoreCoupon
from aggregates.gift_card import (
    BlockGiftCard,
    ChargeGiftCard,
    CreditGiftCard,
    HoldGiftCard,
    IssueGiftCard,
    ReleaseGiftCard,
)
from aggregates.guest_coupon import RedeemReservedGuest, ReleaseGuestCoupon, ReserveGuestCoupon, RestoreGuestCoupon
from aggregates.order.decider import CancelOrder, PayOrder
from aggregates.order.events import OrderLine
from aggregates.order.exchange import ExchangeItems
from aggregates.order.fulfilment import LineUnits, ReturnGoods, ShipOrder
from aggregates.order.payment import AwaitPayment, FailPayment, TenderOrder
from aggregates.order.placing import PlaceOrder
from aggregates.order.priced import lines_of_trace
from aggregates.order.refund import RefundOrder, RefundPart
from aggregates.order.stock import ReserveStock
from aggregates.pricing.campaign_document import read_campaign
from aggregates.pricing.pipeline import price
from aggregates.pricing.request import Entered, LineItem, PriceRequest, PriceRules, Running
from aggregates.pricing.trace import Trace
from aggregates.product import ListProduct, RestockProduct

TERMS = {"effect": {"percent": "10 %"}, "stage": "code", "by_code": True}


def trace_of(*products: str) -> Trace:
    """Return the price of two of each product, with a code for a tenth."""
    terms, _ = read_campaign(TERMS)
    running = (Running("tenth", terms, 2),) if terms else ()
    items = tuple(LineItem(product, product, 2, 1999, (1, 5)) for product in products)
    return price(PriceRequest(items, campaigns=running, codes=(Entered("TENTH", "tenth"),), rules=PriceRules("USD"))).trace


def priced_orders(members: list[str], products: list[str], at: int) -> Iterator[list[object]]:
    """An order paid at once, one in parts after a failure, one given back in part, and the end of the campaign."""
    trace = trace_of(products[0], products[1])
    yield [LaunchCampaign("tenth", at), ChangeCampaign("tenth", TERMS, "ada", at)]
    for number, member in enumerate(members):
        name = f"priced-{number}"
        yield [PlaceOrder(name, lines_of_trace(trace), "USD", at, member, tax=trace.tax, coupons=("TENTH",), priced=trace)]
    yield [ReserveCoupon("tenth", member, f"priced-{n}", at, at + 900_000, 2, "17", 400) for n, member in enumerate(members)]
    yield [PayOrder("priced-0", at), RedeemReserved("tenth", members[0], "priced-0", at)]
    yield [ReleaseCoupon("tenth", members[2], "priced-2", at, "failed")]
    yield [RestoreCoupon("tenth", members[0], "priced-0", at)]
    yield [AwaitPayment("priced-1", "pay-1", at + 1000, at), FailPayment("priced-1", "pay-1", at)]
    yield [TenderOrder("priced-1", "t-1", "gift_card", 1000, at)]
    yield [TenderOrder("priced-1", "t-2", "card", trace.payable - 1000, at)]
    yield [RefundOrder("priced-1", "r-1", at, (RefundPart(1, 1),), reason="too large")]
    yield [RefundOrder("priced-1", "r-2", at, goodwill=100)]
    out = (OrderLine(products[2 % len(products)], 1, 1500, 1500, 1500),)
    yield [ExchangeItems("priced-1", "x-1", "exchanged-1", (LineUnits(2, 1),), out, at, 250, reason="too small")]
    yield [IssueGiftCard("g-1", 5000, at), IssueGiftCard("g-2", 700, at, members[0], expires=at + 900_000)]
    yield [
        HoldGiftCard("g-1", "1", 400, at + 900_000, at),
        ReleaseGiftCard("g-1", "1", at),
        BlockGiftCard("g-2", "ada", "lost", at),
    ]
    yield [ChargeGiftCard("g-1", "1", "t", 400, at), CreditGiftCard("g-1", "1/r/t", 400, at, "1")]
    yield [ListProduct("stocked", at, stock=1), RestockProduct("stocked", 1, at)]
    goods = (OrderLine("stocked", 1, 100, 100, 100),)
    for name in ("taken", "given-up"):
        yield [PlaceOrder(name, goods, "USD", at, members[0]), ReserveStock(name, at + 900_000, at)]
    yield [PayOrder("taken", at), ShipOrder("taken", at), ReturnGoods("taken", "back", at), CancelOrder("given-up", at)]
    yield [OpenCart("guest", at, session="s-merge"), AddToCart("guest", products[0], at), AbandonCart("guest", at)]
    yield [SaveForLater("guest", products[0], at), MoveToCart("guest", products[0], at)]
    yield [EnterCode("guest", "TENTH", at), EnterCode("guest", "GONE", at), RemoveCode("guest", "GONE", at)]
    yield [MergeCart("guest", "into", members[0], at)]
    for use in ("g-paid", "g-given-up"):
        yield [ReserveGuestCoupon("tenth", use, at, at + 900_000, "s-guest", 2, "18", 400)]
    yield [RedeemReservedGuest("tenth", "g-paid", at), RestoreGuestCoupon("tenth", "g-paid", at)]
    yield [ReleaseGuestCoupon("tenth", "g-given-up", at, "failed")]
    yield [IssueCodes("tenth", "letters", 10, "ada", at), RevokeCodes("tenth", "letters", "ada", at)]
    yield [EndCampaign("tenth", "ada", at, "sold out")]
