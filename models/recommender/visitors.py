"""What a visit is shown: what was looked at and left, where that leads, then what is popular; a page as long as it lasts."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import chain

from aggregates.value import Value
from models.recommender.browsing import Browsing, is_guest
from models.recommender.items import Items
from models.recommender.lists import LISTED, Entry
from models.recommender.reasons import looked_at, popular_in, seen_after
from models.recommender.top_k import Leaders
from models.recommender.visits import Visit

REVISITED = 5
LED_TO = 10
"""Places of a guest's list for what they looked at, and for where that leads."""


class Seen(Value):
    """``did``: the last thing done with it (``view``, ``like``, ``cart``, ``buy``)."""

    product: str
    did: str


class VisitPage(Value):
    """A member's or a guest's visit as it goes on, each list with the latest first; gone once it is over.

    ``items``: what to show now, best first.
    """

    member: str | None
    session: str | None
    seen: tuple[Seen, ...]
    favourites: tuple[str, ...]
    searched: tuple[str, ...]
    items: tuple[Entry, ...]
    as_of: int
    position: int


class Visitors:
    def __init__(self, items: Items, browsing: Browsing, hot: Leaders) -> None:
        self._items = items
        self._browsing = browsing
        self._hot = hot

    def page(self, shopper: str, position: int) -> VisitPage:
        visit = self._browsing.visits.live[shopper]
        seen = tuple(Seen(product, did) for product, did in reversed(visit.products.items()))
        liked, searched = tuple(reversed(visit.liked)), tuple(reversed(visit.searched))
        member, session = (None, shopper[2:]) if is_guest(shopper) else (shopper[2:], None)
        return VisitPage(member, session, seen, liked, searched, tuple(self.shown(shopper)), visit.at, position)

    def shown(self, shopper: str) -> list[Entry]:
        """A list for somebody of whom nothing is known but this visit."""
        visit = self._browsing.visits.live.get(shopper) or Visit(0)
        out = set(self._browsing.unwanted(shopper))
        entries: list[Entry] = []
        for entry in chain(self.revisits(visit, out), self.led_to(visit, out), self._popular(out)):
            entries.append(entry)
            out.add(entry.product)
            if len(entries) == LISTED:
                break
        return entries

    def revisits(self, visit: Visit, out: Collection[str]) -> Iterator[Entry]:
        for place, product in enumerate(self._browsing.revisit(visit, REVISITED)):
            if product not in out and not self._items[product].retired:
                yield Entry(product, self._name(product), 1.0 - place / REVISITED, "revisit", looked_at())

    def led_to(self, visit: Visit, out: Collection[str], count: int = LED_TO) -> Iterator[Entry]:
        for found in self._browsing.onward(visit, count):
            if found.product not in out and not self._items[found.product].retired:
                reason = seen_after(self._name(found.because))
                yield Entry(found.product, self._name(found.product), round(found.score, 6), "onward", reason)

    def ended(self) -> Iterator[str]:
        """Shoppers whose visit ended since the state was written last."""
        return (shopper for shopper in self._browsing.visits.ended if shopper not in self._browsing.visits.live)

    def _popular(self, out: Collection[str]) -> Iterator[Entry]:
        """What sells, then what is looked at: a shop without a sale has something to show."""
        for leaders in (self._hot, self._browsing.paths.hot):
            for place, product in enumerate(leaders.ranked()):
                item = self._items[product]
                if product not in out and not item.retired:
                    score = round(1.0 / (1 + place), 6)
                    yield Entry(product, item.name or product, score, "popular", popular_in(item.department))

    def _name(self, product: str) -> str:
        return self._items[product].name or product


def page_of(shopper: str) -> str:
    """The key of a visit's page.

    >>> page_of("s.7"), page_of("m.42")
    ('visit:7', 'member-visit:42')
    """
    return f"visit:{shopper[2:]}" if is_guest(shopper) else f"member-visit:{shopper[2:]}"
