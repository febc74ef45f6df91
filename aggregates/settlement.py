"""What becomes of an order's promotions and gift cards when it is paid, cancelled or given back.

It follows from the order's events, so it happens in their append: no way that an order can end forgets what the order held.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TypeAlias

from aggregates.campaign import Campaign, campaign
from aggregates.coupon import RedeemReserved, ReleaseCoupon, ReserveCoupon, RestoreCoupon, coupon
from aggregates.decider import Look, Refusal
from aggregates.gift_card import ChargeGiftCard, CreditGiftCard, ReleaseGiftCard, gift_card
from aggregates.guest_coupon import (
    RedeemReservedGuest,
    ReleaseGuestCoupon,
    ReserveGuestCoupon,
    RestoreGuestCoupon,
    guest_coupon,
)
from aggregates.order.decider import order
from aggregates.order.events import (
    Order,
    OrderCancelled,
    OrderExchanged,
    OrderPaid,
    OrderPaymentFailed,
    OrderPaymentPending,
    OrderRefunded,
    OrderTendered,
)
from aggregates.order.exchange import TakeExchanged
from aggregates.order.placing import PlaceOrder
from aggregates.order.stock import HELD, ReserveStock
from aggregates.pricing.terms import needs_reservation
from aggregates.pricing.trace import Trace
from aggregates.product import product
from aggregates.value import asdict

OfPayment: TypeAlias = OrderTendered | OrderPaymentPending | OrderPaymentFailed | OrderPaid | OrderCancelled | OrderRefunded


def settle(event: OfPayment, look: Look, erased: Collection[str] = ()) -> Iterator[object]:
    """Yield the commands that settle what an order used, in order."""
    if isinstance(event, OrderTendered):
        if event.gift_card is not None and event.moved_from is None:
            yield ChargeGiftCard(event.gift_card, event.order, event.tender, event.amount, event.at)
        return
    placed = look(order, event.order)
    if event.member not in erased:
        yield from settle_coupons(event, placed, look)
    if isinstance(event, OrderCancelled):
        yield from give_back_tenders(event, placed, look)
    elif isinstance(event, OrderRefunded):
        for back in event.tenders:
            if back.tender in placed.gift_cards:
                card = placed.gift_cards[back.tender]
                yield CreditGiftCard(card, source_of(event, event.refund, back.tender), back.amount, event.at, event.order)


def send_out(event: OrderExchanged, look: Look, erased: Collection[str] = ()) -> Iterator[object]:
    """Yield the order of the goods that go out in exchange, the hold of their stock, and its payment by what came back."""
    if event.member in erased:
        raise Refusal("member_erased", "This member was erased: refund what comes back.")
    if look(order, event.into).placed is not None:
        raise Refusal("order_exists", "Another order with this id was placed before.")
    yield PlaceOrder(
        event.into,
        event.lines,
        event.currency,
        event.at,
        event.member,
        event.session,
        tax=event.tax,
        coupons=event.coupons,
        priced=event.priced,
    )
    if any(look(product, line.product).tracked for line in event.lines):
        yield ReserveStock(event.into, event.at + HELD, event.at)
    yield TakeExchanged(event.into, event.order, event.money, event.at)


def settle_coupons(event: OfPayment, placed: Order, look: Look) -> Iterator[object]:
    """Yield what becomes of each promotion that the order has reserved."""
    if placed.priced is None:
        return
    if event.member is None:
        yield from settle_guest_coupons(event, placed.priced.trace, look)
        return
    for name in reserved(placed.priced.trace, look):
        use = look(coupon, name, event.member).orders.get(event.order)
        if use is None:
            continue
        is_held = use.state == "reserved" and event.at < use.until
        match event:
            case OrderPaymentPending(until=until) if is_held and until > use.until:
                yield ReserveCoupon(name, event.member, event.order, event.at, until, **asdict(use.reservation))
            case OrderPaymentFailed() if is_held and use.until > event.at + HELD:
                yield ReleaseCoupon(name, event.member, event.order, event.at, "failed")
            case OrderPaid():
                yield RedeemReserved(name, event.member, event.order, event.at)
            case OrderCancelled():
                yield ReleaseCoupon(name, event.member, event.order, event.at)
                yield RestoreCoupon(name, event.member, event.order, event.at)
            case OrderRefunded(complete=True):
                yield RestoreCoupon(name, event.member, event.order, event.at)


def settle_guest_coupons(event: OfPayment, trace: Trace, look: Look) -> Iterator[object]:
    """Yield the same for a guest's order."""
    for name in reserved(trace, look):
        state = look(guest_coupon, name, event.order)
        use = state.order
        if use is None:
            continue
        is_held = use.state == "reserved" and event.at < use.until
        match event:
            case OrderPaymentPending(until=until) if is_held and until > use.until:
                yield ReserveGuestCoupon(name, event.order, event.at, until, state.session, **asdict(use.reservation))
            case OrderPaymentFailed() if is_held and use.until > event.at + HELD:
                yield ReleaseGuestCoupon(name, event.order, event.at, "failed")
            case OrderPaid():
                yield RedeemReservedGuest(name, event.order, event.at)
            case OrderCancelled():
                yield ReleaseGuestCoupon(name, event.order, event.at)
                yield RestoreGuestCoupon(name, event.order, event.at)
            case OrderRefunded(complete=True):
                yield RestoreGuestCoupon(name, event.order, event.at)


def give_back_tenders(event: OrderCancelled, placed: Order, look: Look) -> Iterator[object]:
    """Yield the end of an order's holds of gift cards, and the credit of what they paid and have not had back."""
    for card in sorted(set(placed.gift_cards.values())):
        if event.order in look(gift_card, card).holds:
            yield ReleaseGiftCard(card, event.order, event.at)
    for back in event.tenders:
        if back.tender in placed.gift_cards:
            card = placed.gift_cards[back.tender]
            yield CreditGiftCard(card, source_of(event, "cancelled", back.tender), back.amount, event.at, event.order)


def source_of(event: OrderCancelled | OrderRefunded, name: str, tender: str) -> str:
    """Return the name of a credit: of the order, what happened to it, and the tender."""
    return "/".join(part.replace("%", "%25").replace("/", "%2F") for part in (event.order, name, tender))[-200:]


def promotions(trace: Trace) -> list[str]:
    """Return the campaigns that an order used, each once."""
    return sorted({name for name, _ in used(trace)})


def reserved(trace: Trace, look: Look) -> list[str]:
    """Return those that the order may have reserved. What never needs a reservation costs no look into another stream."""
    return sorted({name for name, version in used(trace) if may_be_reserved(look(campaign, name), version)})


def may_be_reserved(known: Campaign, version: str) -> bool:
    return known.terms is None or str(known.version) != version or needs_reservation(known.terms)


def used(trace: Trace) -> Iterator[tuple[str, str]]:
    """Yield the campaigns of a trace, with the version of their terms."""
    for step in trace.steps:
        if step.stage in (3, 4, 5, 7):
            name, _, version = step.source.rpartition("@")
            yield name, version
