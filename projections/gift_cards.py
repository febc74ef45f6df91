"""What is on a gift card, and a member's store credit: balance, what orders hold of it, and when it ends."""

from __future__ import annotations

from typing import TypeAlias, assert_never

from aggregates.gift_card import (
    GiftCardBlocked,
    GiftCardCharged,
    GiftCardCredited,
    GiftCardExpired,
    GiftCardHeld,
    GiftCardIssued,
    GiftCardReleased,
)
from aggregates.member import MemberErased
from aggregates.value import Value, replace
from projections.projection import one_document


class HeldAmount(Value):
    """Nobody else's until ``until``; from then on it counts no more, recorded or not."""

    order: str
    amount: int
    until: int


class GiftCardView(Value):
    """``balance`` includes what is held, in minor units of ``currency``; from ``expires`` on it cannot be spent."""

    card: str
    currency: str
    balance: int
    held: tuple[HeldAmount, ...] = ()
    expires: int | None = None
    blocked: bool = False
    as_of: int = 0
    position: int = 0


class StoreCredit(Value):
    """All accounts of a member, in the order in which they were opened."""

    member: str
    accounts: tuple[GiftCardView, ...] = ()
    as_of: int = 0
    position: int = 0


OfCard: TypeAlias = (
    GiftCardIssued | GiftCardHeld | GiftCardCharged | GiftCardReleased | GiftCardCredited | GiftCardExpired | GiftCardBlocked
)
Event: TypeAlias = OfCard | MemberErased


def project(view: GiftCardView | StoreCredit | None, event: Event, position: int) -> GiftCardView | StoreCredit | None:
    if isinstance(event, MemberErased):
        return None
    if event.member is None:
        return change(view if isinstance(view, GiftCardView) else None, event, position)
    credit = view if isinstance(view, StoreCredit) else StoreCredit(event.member)
    known = {account.card: account for account in credit.accounts}
    after = change(known.get(event.card), event, position)
    accounts = known if after is None else {**known, event.card: after}
    return StoreCredit(credit.member, tuple(accounts.values()), max(credit.as_of, event.at), position)


def change(card: GiftCardView | None, event: OfCard, position: int) -> GiftCardView | None:
    """Return a card after an event."""
    if isinstance(event, GiftCardIssued):
        card = GiftCardView(event.card, event.currency, event.amount, expires=event.expires)
    if card is None:
        return None
    card = replace(card, as_of=event.at, position=position)
    match event:
        case GiftCardIssued():
            return card
        case GiftCardHeld():
            return replace(card, held=(*others(card, event.order), HeldAmount(event.order, event.amount, event.until)))
        case GiftCardCharged():
            return replace(card, balance=event.left, held=others(card, event.order))
        case GiftCardReleased():
            return replace(card, held=others(card, event.order))
        case GiftCardCredited():
            return replace(card, balance=event.left, expires=event.expires)
        case GiftCardExpired():
            return replace(card, balance=0)
        case GiftCardBlocked():
            return replace(card, blocked=True)
        case _:
            assert_never(event)


def others(card: GiftCardView, order: str) -> tuple[HeldAmount, ...]:
    return tuple(held for held in card.held if held.order != order)


def key(event: Event) -> str:
    if isinstance(event, MemberErased) or event.member is not None:
        return f"store-credit:{event.member}"
    return f"gift-card:{event.card}"


gift_cards = one_document(
    "giftcards", 1, {"gift-card": GiftCardView, "store-credit": StoreCredit}, Event.__args__, key, project
)
