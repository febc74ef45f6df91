"""Gift cards and store credit: money that the shop owes, in one account a card. Store credit is a card of a member.

``card`` names the account and is not the number that opens it: numbers never enter the log. A hold lapses at ``until`` whether
or not anybody records it. What is charged goes back to the same card, even if it has expired meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeAlias, assert_never

from aggregates.decider import Context, Decider, Refusal
from aggregates.fields import ActorId, Count, Id, Instant, IsInstant, MemberId, OrderId, Reason
from aggregates.value import Value, replace

GRACE = 30 * 86_400_000
"""How long money can be spent that comes back to a card, at least."""

CardId: TypeAlias = Annotated[str, Id("card")]
Amount: TypeAlias = Annotated[int, Count("amount", least=1)]

# Commands


class IssueGiftCard(Value):
    """Open an account with money on it.

    ``member``: whose store credit it is. ``expires``: the first instant at which it is worth nothing.
    """

    card: CardId
    amount: Amount
    at: Instant
    member: MemberId | None = None
    expires: Annotated[int, IsInstant("expires")] | None = None


class HoldGiftCard(Value):
    """Keep money for an order until it is charged, released, or ``until`` comes."""

    card: CardId
    order: OrderId
    amount: Amount
    until: Annotated[int, IsInstant("until")]
    at: Instant


class ChargeGiftCard(Value):
    """Take money for an order; ``tender`` names the payment within it."""

    card: CardId
    order: OrderId
    tender: Annotated[str, Id("tender")]
    amount: Amount
    at: Instant


class ReleaseGiftCard(Value):
    card: CardId
    order: OrderId
    at: Instant


class CreditGiftCard(Value):
    """Put money on a card. ``source`` names why, as a refund does: the same one counts once."""

    card: CardId
    source: Annotated[str, Id("source")]
    amount: Amount
    at: Instant
    order: OrderId | None = None


class BlockGiftCard(Value):
    """Let nothing more be spent: the card was stolen, or sold by mistake. Its money stays."""

    card: CardId
    actor: ActorId
    reason: Annotated[str, Reason("reason")]
    at: Instant


class RecordGiftCardDue(Value):
    """Record what time alone has brought: holds that lapsed, and the end of the card."""

    card: CardId
    at: Instant


Command: TypeAlias = (
    IssueGiftCard | HoldGiftCard | ChargeGiftCard | ReleaseGiftCard | CreditGiftCard | BlockGiftCard | RecordGiftCardDue
)

# Events


class GiftCardIssued(Value, kw_only=True):
    card: str
    member: str | None
    currency: str
    amount: int
    expires: int | None
    at: int


class GiftCardHeld(Value, kw_only=True):
    """It replaces what the order held before."""

    card: str
    member: str | None
    order: str
    amount: int
    until: int
    at: int


class GiftCardCharged(Value, kw_only=True):
    """Money was taken, and the order's hold is over. ``left``: the balance after it."""

    card: str
    member: str | None
    order: str
    tender: str
    amount: int
    left: int
    at: int


class GiftCardReleased(Value, kw_only=True):
    """``lapsed``: its time was over; else it was given up."""

    card: str
    member: str | None
    order: str
    amount: int
    lapsed: bool
    at: int


class GiftCardCredited(Value, kw_only=True):
    """``expires``: when the card ends from now on."""

    card: str
    member: str | None
    order: str | None
    source: str
    amount: int
    left: int
    expires: int | None
    at: int


class GiftCardExpired(Value, kw_only=True):
    """``amount`` was on it and is owed to nobody any more."""

    card: str
    member: str | None
    amount: int
    at: int


class GiftCardBlocked(Value, kw_only=True):
    card: str
    member: str | None
    actor: str
    reason: str
    at: int


Event: TypeAlias = (
    GiftCardIssued | GiftCardHeld | GiftCardCharged | GiftCardReleased | GiftCardCredited | GiftCardExpired | GiftCardBlocked
)

# State


@dataclass(frozen=True)
class CardHold:
    amount: int
    until: int


@dataclass(frozen=True)
class GiftCard:
    """``balance`` includes what is held. ``charges``: by order and tender. ``sources``: of credits, each with its amount."""

    issued: GiftCardIssued | None = None
    balance: int = 0
    expires: int | None = None
    blocked: bool = False
    holds: Mapping[str, CardHold] = field(default_factory=dict)
    charges: Mapping[tuple[str, str], int] = field(default_factory=dict)
    sources: Mapping[str, int] = field(default_factory=dict)

    def available(self, at: int, order: str | None = None) -> int:
        """Return what an order can spend now: what others do not hold; after the end, only what it held itself."""
        live = {name: hold.amount for name, hold in self.holds.items() if at < hold.until}
        own = live.pop(order, 0) if order is not None else 0
        if self.expires is not None and at >= self.expires:
            return min(own, self.balance)
        return self.balance - sum(live.values())


def decide(command: Command, card: GiftCard, context: Context) -> list[Event]:
    if isinstance(command, IssueGiftCard):
        return issue(command, card, context.currency)
    issued = card.issued
    if issued is None:
        raise Refusal("gift_card_unknown", "There is no gift card of this name; issue it first.")
    whose: dict[str, Any] = {"card": command.card, "member": issued.member, "at": command.at}
    match command:
        case HoldGiftCard():
            return hold(command, card, whose)
        case ChargeGiftCard():
            return charge(command, card, whose)
        case ReleaseGiftCard():
            held = card.holds.get(command.order)
            if held is None:
                return []
            lapsed = command.at >= held.until
            whose["at"] = min(command.at, held.until)
            return [GiftCardReleased(**whose, order=command.order, amount=held.amount, lapsed=lapsed)]
        case CreditGiftCard():
            return credit(command, card, whose)
        case BlockGiftCard():
            return [] if card.blocked else [GiftCardBlocked(**whose, actor=command.actor, reason=command.reason)]
        case RecordGiftCardDue():
            return due_events(command, card, whose)
        case _:
            assert_never(command)


def issue(command: IssueGiftCard, card: GiftCard, currency: str) -> list[Event]:
    if command.expires is not None and command.expires <= command.at:
        raise Refusal("expires_invalid", "A gift card ends after it is issued.")
    issued = GiftCardIssued(
        card=command.card,
        member=command.member,
        currency=currency,
        amount=command.amount,
        expires=command.expires,
        at=command.at,
    )
    if card.issued is None:
        return [issued]
    if replace(issued, at=card.issued.at) == card.issued:
        return []
    raise Refusal("gift_card_exists", "Another gift card of this name was issued before.")


def hold(command: HoldGiftCard, card: GiftCard, whose: dict[str, Any]) -> list[Event]:
    if command.until <= command.at:
        raise Refusal("until_invalid", "Money is held until a later instant.")
    if any(order == command.order for order, _ in card.charges):
        return []
    if card.holds.get(command.order) == CardHold(command.amount, command.until):
        return []
    require_money(card, command.order, command.amount, command.at)
    return [GiftCardHeld(**whose, order=command.order, amount=command.amount, until=command.until)]


def charge(command: ChargeGiftCard, card: GiftCard, whose: dict[str, Any]) -> list[Event]:
    before = card.charges.get((command.order, command.tender))
    if before == command.amount:
        return []
    if before is not None:
        raise Refusal("tender_exists", "Another tender of this order has this name.")
    require_money(card, command.order, command.amount, command.at)
    left = card.balance - command.amount
    return [GiftCardCharged(**whose, order=command.order, tender=command.tender, amount=command.amount, left=left)]


def require_money(card: GiftCard, order: str, amount: int, at: int) -> None:
    if card.blocked:
        raise Refusal("gift_card_blocked", "This gift card is blocked.")
    there = card.available(at, order)
    if there >= amount:
        return
    if card.expires is not None and at >= card.expires:
        raise Refusal("gift_card_expired", "This gift card has expired.")
    raise Refusal("gift_card_short", f"Only {there} (minor units) can be spent from this gift card.")


def credit(command: CreditGiftCard, card: GiftCard, whose: dict[str, Any]) -> list[Event]:
    before = card.sources.get(command.source)
    if before == command.amount:
        return []
    if before is not None:
        raise Refusal("source_exists", "Another credit of this card has this source.")
    return [
        GiftCardCredited(
            **whose,
            order=command.order,
            source=command.source,
            amount=command.amount,
            left=card.balance + command.amount,
            expires=None if card.expires is None else max(card.expires, command.at + GRACE),
        )
    ]


def due_events(command: RecordGiftCardDue, card: GiftCard, whose: dict[str, Any]) -> list[Event]:
    """Return the holds that lapsed, the earliest first, and the end of the card once nothing is held any more."""
    lapsed = sorted((held.until, order) for order, held in card.holds.items() if held.until <= command.at)
    events: list[Event] = [
        GiftCardReleased(**whose | {"at": until}, order=order, amount=card.holds[order].amount, lapsed=True)
        for until, order in lapsed
    ]
    if card.balance and len(lapsed) == len(card.holds) and card.expires is not None and card.expires <= command.at:
        ended = max([card.expires, *(until for until, _ in lapsed)])
        events.append(GiftCardExpired(**whose | {"at": ended}, amount=card.balance))
    return events


def due(card: GiftCard, _: Context) -> int | None:
    """Return when a hold lapses, or the card ends; a card that is held from ends once the holds are over."""
    if card.holds:
        return min(hold.until for hold in card.holds.values())
    return card.expires if card.balance else None


def evolve(card: GiftCard, event: Event) -> GiftCard:
    match event:
        case GiftCardIssued():
            return GiftCard(event, event.amount, event.expires)
        case GiftCardHeld():
            return replace(card, holds={**card.holds, event.order: CardHold(event.amount, event.until)})
        case GiftCardCharged():
            charges = {**card.charges, (event.order, event.tender): event.amount}
            return replace(card, balance=event.left, charges=charges, holds=without(card.holds, event.order))
        case GiftCardReleased():
            return replace(card, holds=without(card.holds, event.order))
        case GiftCardCredited():
            sources = {**card.sources, event.source: event.amount}
            return replace(card, balance=event.left, sources=sources, expires=event.expires)
        case GiftCardExpired():
            return replace(card, balance=0)
        case GiftCardBlocked():
            return replace(card, blocked=True)
        case _:
            assert_never(event)


def without(holds: Mapping[str, CardHold], order: str) -> dict[str, CardHold]:
    return {name: hold for name, hold in holds.items() if name != order}


gift_card = Decider("gift_card", GiftCard(), decide, evolve, due=due)
