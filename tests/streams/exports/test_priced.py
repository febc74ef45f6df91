"""Orders with a price trace, their payments, coupons, codes and refunds come back from a file."""

from __future__ import annotations

import pytest

from aggregates.campaign import ChangeCampaign, EndCampaign, LaunchCampaign
from aggregates.cart import (
    AbandonCart,
    AddToCart,
    ChangeQuantity,
    CheckOutCart,
    EnterCode,
    MergeCart,
    OpenCart,
    RemoveCode,
    SaveForLater,
)
from aggregates.code_batches import IssueCodes, RevokeCodes
from aggregates.coupon import RedeemReserved, ReleaseCoupon, ReserveCoupon, RestoreCoupon
from aggregates.gift_card import IssueGiftCard
from aggregates.guest_coupon import (
    RedeemGuestCoupon,
    RedeemReservedGuest,
    ReleaseGuestCoupon,
    ReserveGuestCoupon,
    RestoreGuestCoupon,
)
from aggregates.membership.commands import AdjustPoints, RedeemPoints
from aggregates.order.decider import CancelOrder, PayOrder
from aggregates.order.events import OrderLine, OrderRefunded
from aggregates.order.exchange import ExchangeItems
from aggregates.order.fulfilment import DeliverOrder, LineUnits
from aggregates.order.payment import AwaitPayment, FailPayment, TenderOrder
from aggregates.order.placing import PlaceOrder
from aggregates.order.priced import lines_of_trace
from aggregates.order.refund import RefundOrder, RefundPart
from aggregates.product import ListProduct
from aggregates.value import replace
from streams.exports.shop_log.exporting import alike
from tests.priced_shop import TERMS, trace_of
from tests.redis_content import digests_of
from tests.samples import SAMPLES
from tests.shop import HOUR, START
from tests.streams.exports.test_points import asked
from tests.streams.exports.test_round_trip import exported
from tests.streams.imports.lines import another, import_file

TRACE = trace_of("tea", "milk")
PLACED = PlaceOrder("o", lines_of_trace(TRACE), "USD", START, "ada", tax=TRACE.tax, coupons=("TENTH",), priced=TRACE)


def assert_comes_back(valkey_url: str, *history: object) -> None:
    with another(valkey_url, 1) as first, another(valkey_url, 2) as second:
        asked(first, *history)
        assert import_file(second, exported(first)).rejects == []
        assert list(second.log.recorded(0, 1000)) != []
        assert [each.event for each in second.log.recorded(0, 1000)] == [each.event for each in first.log.recorded(0, 1000)]
        assert digests_of(second) == digests_of(first)


def test_a_reservation_comes_back_replaced_expired_released_and_overrun(valkey_url: str) -> None:
    def reserve(order: str, at: int, amount: int = 400) -> ReserveCoupon:
        return ReserveCoupon(
            "tenth", "ada", order, at, at + HOUR, 2, "17", amount, code_limit=9, budget="may", budget_amount=9000
        )

    assert_comes_back(
        valkey_url,
        LaunchCampaign("tenth", START, limit=2),
        ChangeCampaign("tenth", TERMS, "ada", START),
        IssueCodes("tenth", "letters", 10, "ada", START),
        reserve("replaced", START),
        reserve("replaced", START + 1, 300),
        RedeemReserved("tenth", "ada", "replaced", START + 2),
        RestoreCoupon("tenth", "ada", "replaced", START + 3),
        reserve("expired", START),
        reserve("expired", START + 2 * HOUR),
        ReleaseCoupon("tenth", "ada", "expired", START + 2 * HOUR, "failed"),
        reserve("late", START + 2 * HOUR),
        ReleaseCoupon("tenth", "ada", "late", START + 9 * HOUR, "failed"),
        RedeemReserved("tenth", "ada", "late", START + 10 * HOUR, overrun=True),
        RevokeCodes("tenth", "letters", "ada", START + 10 * HOUR, "leaked"),
        EndCampaign("tenth", "ada", START + 10 * HOUR, "sold out"),
    )


def test_a_guests_use_comes_back_with_its_flags(valkey_url: str) -> None:
    use = RedeemGuestCoupon("c", "k", "u", START, "s", recorded=True)
    uses = (replace(use, use="u1", starts=START + HOUR), replace(use, use="u2", ends=START - HOUR), use)
    assert_comes_back(valkey_url, LaunchCampaign("c", START, limit=1), *uses)


def test_a_guests_reservation_comes_back_replaced_expired_released_and_overrun(valkey_url: str) -> None:
    def reserve(use: str, at: int, amount: int = 400) -> ReserveGuestCoupon:
        return ReserveGuestCoupon("tenth", use, at, at + HOUR, "s", 2, "17", amount, 9, "may", 9000)

    assert_comes_back(
        valkey_url,
        LaunchCampaign("tenth", START, limit=2),
        ChangeCampaign("tenth", TERMS, "ada", START),
        reserve("replaced", START),
        reserve("replaced", START + 1, 300),
        RedeemReservedGuest("tenth", "replaced", START + 2),
        RestoreGuestCoupon("tenth", "replaced", START + 3),
        reserve("late", START + 2 * HOUR),
        ReleaseGuestCoupon("tenth", "late", START + 9 * HOUR, "failed"),
        RedeemReservedGuest("tenth", "late", START + 10 * HOUR, overrun=True),
        reserve("failed", START + 10 * HOUR),
        ReleaseGuestCoupon("tenth", "failed", START + 10 * HOUR, "failed"),
    )


def test_a_refund_of_an_old_log_is_told_by_the_line_that_decides_the_same_money() -> None:
    new = next(sample for sample in SAMPLES if isinstance(sample, OrderRefunded))
    old = replace(new, kind="not told", reason="", tax=0, shipping=0, fee=0, points=0, tenders=(), shares=())
    assert alike([new], [old])
    assert not alike([new], [replace(old, parts=(*old.parts, (2, 0, 1)))])


REFUNDS = {
    "one unit, for a fee": [{"parts": (RefundPart(1, 1),), "fee": 50, "reason": "too large"}],
    "money of a line": [{"parts": (RefundPart(2, 0, 333),)}],
    "goodwill, then the rest": [{"goodwill": 100}, {}],
    "units and goodwill": [{"parts": (RefundPart(1, 1),), "goodwill": 77, "fee": 20}],
    "units and money of both lines": [{"parts": (RefundPart(1, 1), RefundPart(1, 0, 40), RefundPart(2, 0, 60))}, {"fee": 10}],
}


@pytest.mark.parametrize("refunds", REFUNDS.values(), ids=REFUNDS)
def test_a_refund_of_a_priced_order_comes_back(valkey_url: str, refunds: list[dict[str, object]]) -> None:
    asked_for = [RefundOrder("o", f"r{n}", START + HOUR, **refund) for n, refund in enumerate(refunds)]  # type: ignore[arg-type]
    assert_comes_back(valkey_url, PLACED, PayOrder("o", START), DeliverOrder("o", START), *asked_for)


def test_payments_in_parts_come_back(valkey_url: str) -> None:
    assert_comes_back(
        valkey_url,
        PLACED,
        AwaitPayment("o", "pay-1", START + HOUR, START),
        FailPayment("o", "pay-1", START, "declined"),
        TenderOrder("o", "t-1", "gift_card", 1000, START),
        TenderOrder("o", "t-2", "card", TRACE.payable - 1000, START),
        RefundOrder("o", "r", START, (RefundPart(1, 1),)),
    )


@pytest.mark.parametrize("price", [900, 5000], ids=["cheaper", "dearer"])
@pytest.mark.parametrize("has_trace", [True, False], ids=["priced", "told"])
def test_an_exchange_comes_back(valkey_url: str, price: int, has_trace: bool) -> None:
    out = lines_of_trace(TRACE) if has_trace else (OrderLine("cup", 1, price, price, price),)
    asked_for = ExchangeItems(
        "o", "x", "n", (LineUnits(1, 2),), out, START, TRACE.tax if has_trace else 0, (), TRACE if has_trace else None, "small"
    )
    assert_comes_back(
        valkey_url,
        ListProduct("cup", START, price=900, stock=3),
        IssueGiftCard("g", 2000, START),
        PLACED,
        TenderOrder("o", "t-1", "gift_card", 2000, START, "g"),
        TenderOrder("o", "t-2", "card", TRACE.payable - 2000, START),
        asked_for,
        CancelOrder("n", START),
        RefundOrder("o", "r", START),
    )


def test_an_exchange_that_gave_points_back_comes_back(valkey_url: str) -> None:
    assert_comes_back(
        valkey_url,
        AdjustPoints("ada", "gift", 500, "gift", "eve", START),
        PLACED,
        RedeemPoints("ada", "spent", 400, START, order="o"),
        PayOrder("o", START),
        ExchangeItems("o", "x", "n", (LineUnits(1, 2),), (OrderLine("cup", 1, 900, 900, 900),), START),
        PayOrder("n", START),
    )


def test_codes_of_carts_come_back(valkey_url: str) -> None:
    assert_comes_back(
        valkey_url,
        OpenCart("g", START, session="s"),
        EnterCode("g", "SPRING", START),
        EnterCode("g", "GONE", START),
        RemoveCode("g", "GONE", START),
        MergeCart("g", "c", "ada", START),
    )


def test_what_a_merge_put_into_a_cart_is_used_by_later_lines(valkey_url: str) -> None:
    assert_comes_back(
        valkey_url,
        OpenCart("c", START, "ada"),
        *(step for cart in ("g", "h") for step in (OpenCart(cart, START, session=f"s-{cart}"), EnterCode(cart, "A", START))),
        AddToCart("g", "tea", START, 2),
        AddToCart("h", "cup", START, 3),
        MergeCart("g", "c", "ada", START),
        SaveForLater("c", "tea", START),
        MergeCart("h", "c", "ada", START),
        RemoveCode("c", "A", START),
        ChangeQuantity("c", "cup", 1, START),
        CheckOutCart("c", START),
    )


def test_a_cart_that_is_resumed_is_abandoned_again(valkey_url: str) -> None:
    assert_comes_back(
        valkey_url,
        OpenCart("c", START, "ada"),
        AddToCart("c", "tea", START),
        AbandonCart("c", START + 1),
        AddToCart("c", "tea", START + 2),
        AbandonCart("c", START + 3),
    )
