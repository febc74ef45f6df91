"""The member's card: who they are, their points, their tier, and what changes next.

Money is minor units, instants are UTC epoch milliseconds. Points are right as of ``as_of``. A reader at a later instant takes
the latest of ``changes`` that is due by then, so no job is needed to keep the card true. A balance above 0 can be spent, one
below is owed. The card of an erased member says that they were erased, and nothing else, even if their orders go on.
"""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from typing import Any, TypeAlias

from aggregates.member import MemberClosed, MemberErased, MemberProfileChanged, MemberRegistered
from aggregates.membership.events import (
    PointsClawedBack,
    PointsGranted,
    TierExtended,
    TierGraceStarted,
    TierLowered,
    TierOverridden,
    TierOverrideEnded,
    TierRaised,
)
from aggregates.membership.ledger.lots import DEFAULT_WALLET
from aggregates.membership.tiers.state import TierProgress, TierView
from aggregates.programme import ENTRY_TIER, Benefits, Metric
from aggregates.value import Value, asdict, field_names, replace
from projections.card_wallet import (
    DERIVED,
    Activation,
    Change,
    Expiry,
    WalletFields,
    WalletView,
    apply_event,
    derived_fields,
    next_record,
    settle,
)
from projections.card_wallet import Event as PointsEvent
from projections.projection import one_document


class Override(Value):
    """``kind``: ``pin`` or ``floor``. It ends at ``until``, if there is one."""

    kind: str
    tier: str
    until: int | None


class Card(Value):
    """The points are those of the wallet ``points``, with the fields of a :class:`WalletView`; other ``wallets`` by name."""

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


PersonalEvent: TypeAlias = MemberRegistered | MemberProfileChanged | MemberClosed | MemberErased
TierEvent: TypeAlias = TierRaised | TierExtended | TierGraceStarted | TierLowered | TierOverridden | TierOverrideEnded
Event: TypeAlias = PersonalEvent | PointsEvent | TierEvent

PERSONAL: tuple[type, ...] = PersonalEvent.__args__
OF_A_WALLET: frozenset[type] = frozenset(PointsEvent.__args__)
HELD_FIELDS = tuple(name for name in field_names(WalletView) if name not in DERIVED)
"""Of the wallet ``points``; its other fields follow from these."""
held_of = attrgetter(*HELD_FIELDS)

EMPTY_WALLET: WalletFields = asdict(WalletView())


def project(card: Card | None, event: Event, position: int) -> Card:
    """Return the card after an event; :func:`render` fills in what follows from the lots."""
    if card and card.status == "erased":
        return card
    if isinstance(event, MemberErased):
        return Card(event.member, "erased", as_of=event.at, position=position)
    card = card or Card(event.member)
    now = max(card.as_of, event.at)
    if isinstance(event, PERSONAL) and awaits_event(card, now):
        now = card.as_of  # an event will record what is due meanwhile: until then the card is right as of before
    wallets = wallets_of(card)
    if type(event) in OF_A_WALLET:
        name = getattr(event, "wallet", DEFAULT_WALLET)
        wallets[name] = apply_event(settle(wallets.get(name) or EMPTY_WALLET, now), event)  # type: ignore[arg-type]
    mine, *others = [(name, settle(wallet, now)) for name, wallet in wallets.items()]
    views = {name: WalletView(**wallet) for name, wallet in others}
    return replace(card, **(changed_fields(card, event) | mine[1]), wallets=views, as_of=now, position=position)


def render(card: Card) -> Card:
    """Return the card with the sums of its lots, and what changes next."""
    mine, *others = wallets_of(card).items()
    wallets = {name: WalletView(**(wallet | derived_fields(wallet))) for name, wallet in others}
    return replace(card, **derived_fields(mine[1]), wallets=wallets)


def wallets_of(card: Card) -> dict[str, WalletFields]:
    """Return the fields of each wallet, that of ``points`` first."""
    wallets: dict[str, WalletFields] = {DEFAULT_WALLET: dict(zip(HELD_FIELDS, held_of(card), strict=True))}
    if card.wallets:
        wallets |= {name: asdict(wallet) for name, wallet in card.wallets.items()}
    return wallets


def awaits_event(card: Card, now: int) -> bool:
    """Return whether something is due by ``now`` that an event will record."""
    wallets: tuple[Card | WalletView, ...] = (card, *card.wallets.values())
    ends = [next_record(wallet.expiries, wallet.holds) for wallet in wallets]
    return any(end is not None and end <= now for end in ends)


def changed_fields(card: Card, event: Event) -> dict[str, Any]:
    """Return what an event changes of a card, except its points, by field."""
    match event:
        case MemberRegistered() | MemberProfileChanged():
            profile = {name: getattr(event, name) for name in ("name", "email", "birthday", "profile")}
            registered_at = event.at if isinstance(event, MemberRegistered) else card.registered_at
            return {"status": "registered", "registered_at": registered_at, **profile}
        case MemberClosed():
            return {"status": "closed"}
        case PointsGranted() | PointsClawedBack():
            return {"qualifying": event.qualifying} | (progress_fields(event.ahead) if event.ahead else {})
        case TierRaised():
            limits = {"tier_until": event.valid_until, "grace_until": None, "provisional_until": event.provisional_until}
            return earned_fields(event.tier, event.qualifying, event.shown) | limits
        case TierExtended() | TierLowered():
            limits = {"tier_until": event.valid_until, "grace_until": None, "provisional_until": None}
            return earned_fields(event.tier, event.qualifying, event.shown) | limits
        case TierGraceStarted():
            return earned_fields(event.tier, event.qualifying, event.shown) | {"grace_until": event.grace_until}
        case TierOverridden():
            return {"override": Override(event.kind, event.tier, event.until)} | tier_fields(event.shown)
        case TierOverrideEnded():
            return {"override": None} | tier_fields(event.shown)
        case _:
            return {}


def earned_fields(tier: str, qualifying: int, shown: TierView | None) -> dict[str, Any]:
    """``shown``: None in events from before it was part of them, when the tier earned was in effect."""
    earned = {"earned_tier": tier, "qualifying": qualifying}
    return earned | ({"tier": tier} if shown is None else tier_fields(shown))


def tier_fields(shown: TierView) -> dict[str, Any]:
    return {"tier": shown.tier, "benefits": shown.benefits} | progress_fields(shown.ahead)


def progress_fields(ahead: TierProgress) -> dict[str, Any]:
    return {
        "metric": ahead.metric,
        "next_tier": ahead.tier,
        "to_next_tier": None if ahead.tier is None else ahead.missing,
        "leaving": ahead.leaving,
        "forecast": ahead.forecast,
    }


card = one_document("card", 1, {"card": Card}, Event.__args__, lambda event: f"card:{event.member}", project, render=render)
