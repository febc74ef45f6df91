"""The member's card: who they are, their points, their tier, and what changes next.

Money is minor units, instants are UTC epoch milliseconds. Points are right as of ``as_of``; a reader at a later instant takes
the latest of ``changes`` that is due by then, so the card needs no job to stay true: what is above nothing can be spent, what
is below is owed. An erased member's card says that and nothing else, whatever is still to happen to their orders.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from aggregates.member import MemberClosed, MemberErased, MemberProfileChanged, MemberRegistered
from aggregates.membership.events import PointsClawedBack, PointsGranted
from aggregates.membership.ledger.lots import DEFAULT_WALLET
from aggregates.programme import ENTRY_TIER, Benefits, Metric
from aggregates.value import Value, asdict, field_names, replace
from projections.card_tier import Event as TierEvent
from projections.card_tier import Override, tier_changes, towards
from projections.projection import one_document
from projections.purse import Activation, Change, Expiry, Told, WalletView, after
from projections.purse import Event as PointsEvent
from projections.purse_time import next_record, settled, summed


class Card(Value):
    """The points are those of the wallet ``points``, with the fields of a purse; other ``wallets`` by name."""

    member: str
    status: str = "unregistered"  # unregistered, registered, closed, erased
    name: str | None = None
    email: str | None = None
    birthday: str | None = None
    profile: Mapping[str, str] = {}
    registered_at: int | None = None
    points: int = 0
    pending: int = 0
    debt: int = 0
    tier: str = ENTRY_TIER
    tier_until: int | None = None
    qualifying: int = 0
    next_tier: str | None = None
    to_next_tier: int | None = None
    balance: int = 0
    activations: tuple[Activation, ...] = ()
    undelivered: Mapping[str, int] = {}
    as_of: int = 0
    position: int = 0
    earned_tier: str = ENTRY_TIER
    grace_until: int | None = None
    provisional_until: int | None = None
    override: Override | None = None
    benefits: Benefits = Benefits()
    metric: Metric = "spend"
    leaving: int = 0
    forecast: int | None = None
    held: int = 0
    expiries: tuple[Expiry, ...] = ()
    holds: Mapping[str, Mapping[str, int]] = {}
    changes: tuple[Change, ...] = ()
    wallets: Mapping[str, WalletView] = {}


Event: TypeAlias = MemberRegistered | MemberProfileChanged | MemberClosed | MemberErased | PointsEvent | TierEvent

PERSONAL = (MemberRegistered, MemberProfileChanged, MemberClosed, MemberErased)
OF_A_WALLET: frozenset[type] = frozenset(PointsEvent.__args__)
IN_A_PURSE = field_names(WalletView)
EMPTY: Told = asdict(WalletView())  # nobody changes it, nor what is in it


def project(card: Card | None, event: Event, position: int) -> Card:
    if card and card.status == "erased":
        return card
    if isinstance(event, MemberErased):
        return Card(event.member, "erased", as_of=event.at, position=position)
    card = card or Card(event.member)
    now = max(card.as_of, event.at)
    if isinstance(event, PERSONAL) and recorded_before(card, now):
        now = card.as_of  # what is due meanwhile is recorded soon: till then the card is right as of before
    purses = {DEFAULT_WALLET: {name: getattr(card, name) for name in IN_A_PURSE}}
    purses |= {name: asdict(purse) for name, purse in card.wallets.items()}
    wallet = getattr(event, "wallet", DEFAULT_WALLET)
    if type(event) in OF_A_WALLET:
        purses[wallet] = after(settled(purses.get(wallet) or EMPTY, now), event)  # type: ignore[arg-type]
    return shown(card, changes(card, event), purses, now, position)


def recorded_before(card: Card, now: int) -> bool:
    """Whether time brings something by ``now`` that will be recorded."""
    purses: tuple[Card | WalletView, ...] = (card, *card.wallets.values())
    ends = [next_record(purse.expiries, purse.holds) for purse in purses]
    return any(end is not None and end <= now for end in ends)


def changes(card: Card, event: Event) -> dict[str, Any]:
    """What an event changes of a card but for its points, by field."""
    match event:
        case MemberRegistered() | MemberProfileChanged():
            told = {name: getattr(event, name) for name in ("name", "email", "birthday", "profile")}
            registered_at = event.at if isinstance(event, MemberRegistered) else card.registered_at
            return {"status": "registered", "registered_at": registered_at, **told}
        case MemberClosed():
            return {"status": "closed"}
        case PointsGranted():
            return towards(event.qualifying, event.ahead)
        case PointsClawedBack():
            return towards(event.qualifying, event.ahead)
        case _:
            return {} if type(event) in OF_A_WALLET else tier_changes(event)  # type: ignore[arg-type]


def shown(card: Card, changed: dict[str, Any], purses: dict[str, Told], now: int, position: int) -> Card:
    """The card with what an event changed and what follows from it."""
    mine, *others = [(name, summed(settled(purse, now))) for name, purse in purses.items()]
    wallets = {name: WalletView(**purse) for name, purse in others}
    return replace(card, **(changed | mine[1]), wallets=wallets, as_of=now, position=position)


card = one_document("card", 1, {"card": Card}, Event.__args__, lambda event: f"card:{event.member}", project)
