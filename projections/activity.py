"""What a member looked at, searched, likes, dismissed and reviewed: the latest of each, newest first.

The newest is what happened last, even if its event comes late; of several at one instant, the one whose event comes last. A
favourite that is taken back leaves no trace, so a like that comes after its withdrawal counts. The document of an erased member
says that they were erased, and nothing else. Guests have none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any, Protocol, TypeAlias, TypeVar, assert_never

from aggregates.behaviour import Clicked, Dismissed, Favourited, Searched, Unfavourited, Viewed
from aggregates.member import MemberErased
from aggregates.review import ProductReviewed
from aggregates.value import Value, replace
from projections.projection import Documents

VIEWED = 50
SEARCHED = 20
MARKED = 500
"""How many favourites are kept, and how many dismissals."""

REVIEWED = 200


class Dated(Protocol):
    @property
    def at(self) -> int: ...


D = TypeVar("D", bound=Dated)


class ProductEntry(Value):
    product: str
    at: int


class SearchEntry(Value):
    query: str
    at: int


class ReviewEntry(Value):
    """``half_stars``: 2 (one star) to 10 (five)."""

    product: str
    half_stars: int
    at: int


class Activity(Value):
    """A product, or a search's text, is in a list once. No product is both a favourite and dismissed."""

    member: str
    erased: bool = False
    viewed: tuple[ProductEntry, ...] = ()
    searched: tuple[SearchEntry, ...] = ()
    favourites: tuple[ProductEntry, ...] = ()
    dismissed: tuple[ProductEntry, ...] = ()
    reviews: tuple[ReviewEntry, ...] = ()
    as_of: int = 0
    position: int = 0


Noted: TypeAlias = Viewed | Clicked | Searched | Favourited | Unfavourited | Dismissed | ProductReviewed
Event: TypeAlias = Noted | MemberErased

the_product: Callable[[ProductEntry | ReviewEntry], str] = attrgetter("product")
the_query: Callable[[SearchEntry], str] = attrgetter("query")


def project(documents: Mapping[str, Activity | None], event: Event, position: int) -> Mapping[str, Activity | None]:
    if event.member is None:
        return {}
    key = f"activity:{event.member}"
    before = documents.get(key)
    if before and before.erased:
        return {}
    if isinstance(event, MemberErased):
        return {key: Activity(event.member, erased=True, as_of=event.at, position=position)}
    activity = before or Activity(event.member)
    changed = changed_fields(activity, event)
    if not changed:
        return {}
    as_of = activity.as_of if activity.as_of > event.at else event.at
    return {key: replace(activity, **changed, as_of=as_of, position=position)}


def changed_fields(activity: Activity, event: Noted) -> dict[str, Any]:
    """Return what an event changes, by field; nothing if it is older than what is known."""
    match event:
        case Viewed() | Clicked():
            return with_entry("viewed", activity.viewed, ProductEntry(event.product, event.at), the_product, VIEWED)
        case Searched():
            return with_entry("searched", activity.searched, SearchEntry(event.query, event.at), the_query, SEARCHED)
        case Favourited():
            return mark(event, "favourites", activity.favourites, "dismissed", activity.dismissed)
        case Dismissed():
            return mark(event, "dismissed", activity.dismissed, "favourites", activity.favourites)
        case Unfavourited():
            return take_back("favourites", activity.favourites, event.product, event.at)
        case ProductReviewed():
            review = ReviewEntry(event.product, event.half_stars, event.at)
            return with_entry("reviews", activity.reviews, review, the_product, REVIEWED)
        case _:
            assert_never(event)


def with_entry(field: str, entries: tuple[D, ...], new: D, what: Callable[[D], str], most: int) -> dict[str, tuple[D, ...]]:
    """Return the entries with a new one in its place by time. Of two for the same thing, the later stays."""
    mine = what(new)
    if entries and what(entries[0]) == mine:
        held = 0
    else:
        names = [*map(what, entries)]
        held = names.index(mine) if mine in names else len(names)
    if held < len(entries):
        if entries[held].at > new.at:
            return {}
        entries = entries[:held] + entries[held + 1 :]
    if not entries or entries[0].at <= new.at:
        return {field: (new, *entries[: most - 1])}
    place = next((place for place, entry in enumerate(entries) if entry.at <= new.at), len(entries))
    return {field: (*entries[:place], new, *entries[place : most - 1])} if place < most else {}


def mark(
    event: Favourited | Dismissed, field: str, entries: tuple[ProductEntry, ...], other: str, others: tuple[ProductEntry, ...]
) -> dict[str, tuple[ProductEntry, ...]]:
    """Put the product into one list and take it out of the other, unless it came into that one later."""
    if any(entry.product == event.product and entry.at > event.at for entry in others):
        return {}
    added = with_entry(field, entries, ProductEntry(event.product, event.at), the_product, MARKED)
    return added | take_back(other, others, event.product, event.at)


def take_back(field: str, entries: tuple[ProductEntry, ...], product: str, at: int) -> dict[str, tuple[ProductEntry, ...]]:
    left = tuple(entry for entry in entries if entry.product != product or entry.at > at)
    return {field: left} if len(left) < len(entries) else {}


def key_of(event: Event) -> tuple[str, ...]:
    return (f"activity:{event.member}",) if event.member is not None else ()


activity = Documents("activity", 1, {"activity": Activity}, dict.fromkeys(Event.__args__, key_of), project)
