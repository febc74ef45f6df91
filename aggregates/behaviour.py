"""Behaviour: what shoppers view, search, click, favourite, dismiss and share, and what they were shown.

An event of behaviour is its own command: it happened, so only its form is checked. The events of one append are a stream
(``behaviour-{position of the first}``), so no two shoppers wait for each other.
"""

from __future__ import annotations

from typing import TypeAlias

from aggregates.decider import Context, Decider, Refusal, require_count, require_id, require_shopper, require_text
from aggregates.value import Value

LONGEST_QUERY = 2000
MOST_SHOWN = 1000
"""Products of one slot, or of one search's results."""


class BehaviourOfProduct(Value, kw_only=True):
    """``slot`` and ``place``: the list in which the product was found, and its place there (from 1)."""

    product: str
    member: str | None
    session: str | None
    at: int
    slot: str | None = None
    place: int | None = None


class Viewed(BehaviourOfProduct):
    """A shopper looked at a product. ``slot`` and ``place``: the list in which it was found, and its place there (from 1)."""


class Clicked(BehaviourOfProduct):
    """A shopper clicked on a product that was shown."""


class Favourited(BehaviourOfProduct):
    """A shopper marked a product as a favourite."""


class Unfavourited(BehaviourOfProduct):
    """A shopper took the mark away."""


class Dismissed(BehaviourOfProduct):
    """A shopper does not want to see this product."""


class Shared(BehaviourOfProduct):
    """A shopper shared a product."""


class Searched(Value, kw_only=True):
    """``shown``: the results in order, as far as they are known."""

    query: str
    member: str | None
    session: str | None
    shown: tuple[str, ...]
    at: int


class Impressed(Value, kw_only=True):
    """A slot was shown. ``propensities``: how likely each product was in its place; ``strategy``: what chose them."""

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


def decide(fact: Command, _: None, __: Context) -> list[Event]:
    require_shopper(fact.member, fact.session)
    match fact:
        case Searched():
            if not 1 <= len(fact.query) <= LONGEST_QUERY:
                raise Refusal("query_invalid", f"A search's text has 1 to {LONGEST_QUERY} characters.")
            require_products(fact.shown)
        case Impressed():
            require_id("slot", fact.slot)
            require_text("strategy", fact.strategy)
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
    """Keep nothing: no decision depends on behaviour."""


behaviour: Decider[Command, None, Event] = Decider("behaviour", None, decide, evolve)
