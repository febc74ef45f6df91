"""Payment of an order: in parts, pending at a provider, failed. It is paid when its tenders sum to its price."""

from __future__ import annotations

from typing import Annotated

from aggregates.decider import Refusal
from aggregates.fields import Count, Id, Instant, IsInstant, OrderId
from aggregates.order.events import Order, OrderPaymentFailed, OrderPaymentPending, OrderPlaced, OrderTendered
from aggregates.pricing.tenders import CREDIT, KINDS, TenderKind
from aggregates.value import Value

WAITED_FOR = 7 * 86_400_000
"""The longest that a provider's answer is waited for."""


class TenderOrder(Value):
    """Pay a part of an order. ``tender`` names it; ``kind``: ``card``, ``cash``, ``transfer``, ``gift_card``, ``other``.

    ``gift_card``: the account of this log to take it from; with None, another system took it.
    """

    order: OrderId
    tender: Annotated[str, Id("tender")]
    kind: TenderKind
    amount: Annotated[int, Count("amount", least=1)]
    at: Instant
    gift_card: Annotated[str, Id("card")] | None = None


class AwaitPayment(Value):
    """The provider will answer later; ``payment`` is its id. ``until``: at most 7 days on."""

    order: OrderId
    payment: Annotated[str, Id("payment")]
    until: Annotated[int, IsInstant("until")]
    at: Instant


class FailPayment(Value):
    """A payment did not succeed; the order can still be paid in another way."""

    order: OrderId
    payment: Annotated[str, Id("payment")]
    at: Instant
    reason: str = ""


def tender(command: TenderOrder, order: Order, placed: OrderPlaced) -> list[OrderTendered]:
    """Return the event of a part that is paid, none if it was paid before. Refuse more than is left to pay."""
    if command.kind not in KINDS:
        raise Refusal("tender_kind_invalid", f"A tender is one of {', '.join(KINDS)}.")
    if command.gift_card is not None and command.kind not in CREDIT:
        raise Refusal("tender_kind_invalid", "What a gift card pays is of kind gift_card or store_credit.")
    for known in order.tenders:
        if known.id == command.tender:
            told = (known.kind, known.amount, order.gift_cards.get(known.id))
            if told == (command.kind, command.amount, command.gift_card):
                return []
            raise Refusal("tender_exists", "Another tender of this order has this name.")
    left = sum(line.paid for line in placed.lines) - sum(known.amount for known in order.tenders) - command.amount
    if left < 0:
        raise Refusal("tender_too_high", f"Only {left + command.amount} (minor units) of this order is left to pay.")
    return [
        OrderTendered(
            order=command.order,
            member=placed.member,
            session=placed.session,
            tender=command.tender,
            kind=command.kind,
            amount=command.amount,
            left=left,
            at=command.at,
            gift_card=command.gift_card,
        )
    ]


def await_payment(command: AwaitPayment, order: Order, placed: OrderPlaced) -> list[OrderPaymentPending]:
    if not command.at < command.until <= command.at + WAITED_FOR:
        raise Refusal("until_invalid", "A payment is waited for until a later instant, 7 days on at most.")
    event = OrderPaymentPending(
        order=command.order,
        member=placed.member,
        session=placed.session,
        payment=command.payment,
        until=command.until,
        at=command.at,
    )
    return [event] if mark_of(event) not in order.payments else []


def fail_payment(command: FailPayment, order: Order, placed: OrderPlaced) -> list[OrderPaymentFailed]:
    event = OrderPaymentFailed(
        order=command.order,
        member=placed.member,
        session=placed.session,
        payment=command.payment,
        reason=command.reason,
        at=command.at,
    )
    return [event] if mark_of(event) not in order.payments else []


def mark_of(event: OrderPaymentPending | OrderPaymentFailed) -> str:
    """Return what an attempt is known by, so that the provider may tell it twice."""
    return f"{'failed' if isinstance(event, OrderPaymentFailed) else 'pending'}:{event.payment}"
