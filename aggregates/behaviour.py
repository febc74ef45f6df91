"""What shoppers do besides buying: they look, search, click, like, dismiss, share; and what they were shown.

A fact of behaviour is its own command: it happened, so there is nothing to decide but whether it is well formed. Those of one
append are a stream of their own (``behaviour-{position of the first}``), so no two shoppers ever wait for each other.
"""

from __future__ import annotations

from typing import TypeAlias

from aggregates.decider import Decider, Refusal, require_count, require_id, require_shopper
from aggregates.value import Value

LONGEST_QUERY = 2000
MOST_SHOWN = 1000
"""Products of one slot, or of one search's answer."""


class Viewed(Value):
    """``slot``, ``place``: the list it was found in, and where in it (from 1), if it was found in one; so for all of these."""

    product: str
    member: str | None
    session: str | None
    at: int
    slot: str | None = None
    place: int | None = None


class Clicked(Value):
    product: str
    member: str | None
    session: str | None
    at: int
    slot: str | None = None
    place: int | None = None


class Favourited(Value):
    product: str
    member: str | None
    session: str | None
    at: int
    slot: str | None = None
    place: int | None = None


class Unfavourited(Value):
    product: str
    member: str | None
    session: str | None
    at: int
    slot: str | None = None
    place: int | None = None


class Dismissed(Value):
    """The shopper does not want to be shown this."""

    product: str
    member: str | None
    session: str | None
    at: int
    slot: str | None = None
    place: int | None = None


class Shared(Value):
    product: str
    member: str | None
    session: str | None
    at: int
    slot: str | None = None
    place: int | None = None


class Searched(Value):
    """``shown``: the answer, in its order, as far as it is known."""

    query: str
    member: str | None
    session: str | None
    shown: tuple[str, ...]
    at: int


class Impressed(Value):
    """A slot was shown. ``propensities``: how likely each product was to be in its place; ``strategy``: who chose."""

    slot: str
    products: tuple[str, ...]
    member: str | None
    session: str | None
    propensities: tuple[float, ...]
    strategy: str | None
    at: int


OfProduct: TypeAlias = Viewed | Clicked | Favourited | Unfavourited | Dismissed | Shared
Event: TypeAlias = OfProduct | Searched | Impressed
Command: TypeAlias = Event


def decide(fact: Command, _: None) -> list[Event]:
    require_shopper(fact.member, fact.session)
    match fact:
        case Searched():
            if not 1 <= len(fact.query) <= LONGEST_QUERY:
                raise Refusal("query_invalid", f"A search's text has 1 to {LONGEST_QUERY} characters.")
            require_products(fact.shown)
        case Impressed():
            require_id("slot", fact.slot)
            require_products(fact.products)
            if fact.propensities and len(fact.propensities) != len(fact.products):
                raise Refusal("propensities_invalid", "There is one propensity for each product, or none at all.")
            if not all(0 <= propensity <= 1 for propensity in fact.propensities):
                raise Refusal("propensities_invalid", "A propensity is a number from 0 to 1.")
        case _:
            require_id("product", fact.product)
            if fact.slot is not None:
                require_id("slot", fact.slot)
            if fact.place is not None:
                require_count("place", fact.place, least=1)
    return [fact]


def require_products(products: tuple[str, ...]) -> None:
    if len(products) > MOST_SHOWN:
        raise Refusal("too_many_products", f"At most {MOST_SHOWN} products are shown at a time.")
    for product in products:
        require_id("product", product)


def evolve(_: None, __: Event) -> None:
    """Nothing is decided over behaviour, so nothing is kept."""


behaviour: Decider[Command, None, Event] = Decider("behaviour", None, decide, evolve)
