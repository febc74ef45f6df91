"""What a visit is shown: its candidates in the order of the ranker, and a page for as long as the visit lasts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeAlias

import numpy as np

from aggregates.value import Value
from models.evaluation.quality import VISIT_LISTS
from models.recommender.habits import Habits, RepeatBuyers
from models.recommender.items import Floats, Items
from models.recommender.lists import LISTED, Entry, Rules, Slots
from models.recommender.ranker import Ranker, softmax
from models.recommender.top_k import Leaders
from models.recommender.transitions import FORWARD, Paths, TransitionCounts
from models.recommender.visit_candidates import FEATURES, HISTORY, SOURCES, VisitCandidates, VisitCandidateSet
from models.recommender.visits import Visit, Visits, is_guest

AVERAGED = 500
"""Looks over which the weights are averaged: the latest ones alone are too restless for a list."""


Leads: TypeAlias = list[tuple[str, Paths]]


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


@dataclass(slots=True)
class RankedVisit:
    """The candidates of a visit with the ranker's scores."""

    offer: VisitCandidateSet
    scores: Floats


class VisitLists:
    def __init__(
        self, items: Items, repeat: RepeatBuyers, visits: Visits, transitions: TransitionCounts, slots: Slots, hot: Leaders[str]
    ) -> None:
        self._items = items
        self._repeat = repeat
        self._visits = visits
        self._transitions = transitions
        self._slots = slots
        self._hot = hot
        self._rules = Rules(items)
        self._candidates = VisitCandidates(items, transitions)
        self.ranker = Ranker(FEATURES, averaged=AVERAGED, key="visit-ranker")

    # Ranking

    def ranked(self, shopper: str) -> RankedVisit | None:
        """Return the candidates of a shopper's visit, scored; None if it has no product. No rule of a slot is applied."""
        visit = self._visits.live.get(shopper)
        if visit is None or not visit.products:
            return None
        offer = self._candidates.offer(visit, self._visits.clock, *self._history(shopper))
        return RankedVisit(offer, self.ranker.score(offer.rows))

    def offered(self, shopper: str, product: str) -> VisitCandidateSet | None:
        """Return the candidates of a visit that has a product; None if another product would not be among them."""
        visit = self._visits.live[shopper]
        habits, history = self._history(shopper)
        if not self._candidates.may_offer(visit, product, history):
            return None
        return self._candidates.offer(visit, self._visits.clock, habits, history)

    def _history(self, shopper: str) -> tuple[Habits | None, Sequence[str]]:
        habits = None if is_guest(shopper) else self._repeat.members.get(shopper[2:])
        return habits, self._repeat.ranked(shopper[2:], HISTORY) if habits else ()

    def products(self, shopper: str, count: int) -> list[str]:
        """Return the first products of a visit by the ranker's order, before any rule of a slot."""
        found = self.ranked(shopper)
        return self.names(found, count) if found else []

    def names(self, found: RankedVisit, count: int) -> list[str]:
        """Return the first products of a ranking."""
        names, numbers = self._transitions.looks.products, found.offer.numbers
        return [names[numbers[at]] for at in (-found.scores).argsort(kind="stable")[:count].tolist()]

    def by_source(self, found: RankedVisit, count: int) -> dict[str, list[str]]:
        """Return the first products of each source alone, as far as they are candidates."""
        names, offer = self._transitions.looks.products, found.offer
        lists = {"revisit": [names[offer.numbers[at]] for at in offer.seen[:count].tolist()]}
        for source, scores in zip(SOURCES, offer.scores.T, strict=True):
            order = (-scores).argsort(kind="stable")[:count]
            lists[source] = [names[offer.numbers[at]] for at in order[scores[order] > 0].tolist()]
        return lists

    def test(self, offer: VisitCandidateSet | None, product: str) -> dict[str, int]:
        """Return the place of a product in each of :data:`VISIT_LISTS`, 0 for none.

        ``offer``: the candidates; None if the product is none.
        """
        number = self._transitions.looks.numbers.get(product)
        places = dict.fromkeys(VISIT_LISTS, 0) | {"popular": self._place_of_popular(number)}
        at = offer.place_of(number) if offer else None
        if offer is None or at is None:
            return places
        scores = dict(zip(SOURCES, offer.scores.T, strict=True))
        order = np.flatnonzero(offer.seen == at)
        joined = reciprocal_places(scores["forward"])
        joined[offer.seen] += 1.0 / np.arange(1, len(offer.seen) + 1)
        return places | {
            "regulars": place(self.ranker.score(offer.rows), at),
            "transitions": place_if_any(scores["forward"], at),
            "together": place_if_any(scores["together"], at),
            "revisit": int(order[0]) + 1 if len(order) else 0,
            "transitions+revisit": place_if_any(joined, at),
            "hour": place_if_any(scores["hour"], at),
        }

    def learn_one(self, offer: VisitCandidateSet, product: str) -> None:
        """Learn that a product was looked at next."""
        at = offer.place_of(self._transitions.looks.numbers.get(product))
        if at is not None:
            goals = np.zeros(len(offer.rows))
            goals[at] = 1.0
            self.ranker.learn(offer.rows, goals)

    def _place_of_popular(self, number: int | None) -> int:
        month = self._transitions.looks.hottest[2].ranked()[:LISTED]
        return month.index(number) + 1 if number is not None and number in month else 0

    # Showing

    def page(self, shopper: str, position: int) -> VisitPage:
        """Return the page of a visit that goes on."""
        visit = self._visits.live[shopper]
        seen = tuple(Seen(product, did) for product, did in reversed(visit.products.items()))
        liked, searched = tuple(reversed(visit.liked)), tuple(reversed(visit.searched))
        member, session = (None, shopper[2:]) if is_guest(shopper) else (shopper[2:], None)
        return VisitPage(member, session, seen, liked, searched, tuple(self.shown(shopper)), visit.at, position)

    def shown(self, shopper: str) -> list[Entry]:
        """Return what to show: the ranker's order without what the slot must not show, filled up with what is popular.

        The slot shows neither the product that the shopper looks at now nor what they have just bought.
        """
        visit = self._visits.live.get(shopper) or Visit(0)
        out = set(self._visits.unwanted(shopper))
        out.update(visit.latest(1))
        out.update(product for product, did in visit.products.items() if did == "buy")
        habits = None if is_guest(shopper) else self._repeat.members.get(shopper[2:])
        hidden = self._rules.hidden(out, habits)
        entries = list(islice(self._ranked_entries(shopper, visit, hidden), LISTED))
        if len(entries) < LISTED:
            shown = {entry.product for entry in entries} | visit.products.keys()
            more = self._popular(entries[-1].score if entries else 1.0)
            entries += islice((e for e in more if e.product not in shown and not hidden(e.product)), LISTED - len(entries))
        return entries

    def _ranked_entries(self, shopper: str, visit: Visit, hidden: Callable[[str], bool]) -> Iterator[Entry]:
        found = self.ranked(shopper)
        if found is None:
            return
        looks, shares = self._transitions.looks, softmax(found.scores).round(6).tolist()
        numbers, leads = found.offer.numbers.tolist(), self._leads(found.offer)
        for at in (-found.scores).argsort(kind="stable").tolist():
            number = numbers[at]
            product = looks.products[number]
            if hidden(product):
                continue
            source, reason = self._why(visit, product, number, leads)
            yield Entry(product, self._slots.name(product), shares[at], source, reason)

    def _why(self, visit: Visit, product: str, number: int, leads: Leads) -> tuple[str, str]:
        if product in visit.products:
            return "revisit", "You looked at this"
        for lead, paths in leads:
            place = paths.places.get(number)
            if place is not None and paths.table[place, FORWARD]:
                return "onward", lead
        return "popular", self._slots.popular_in(product)

    def _leads(self, offer: VisitCandidateSet) -> Leads:
        """Return the latest products of the visit, each as the reason it gives, with its paths."""
        names, paths = self._transitions.looks.products, self._transitions.paths
        return [
            (f"Shoppers who looked at {self._slots.name(names[lead])} went on to this", paths[lead])
            for lead in offer.leads
            if lead in paths
        ]

    def _popular(self, highest: float) -> Iterator[Entry]:
        """Return what sells, then what is looked at: a shop without a sale has something to show.

        ``highest``: the score of what stands before them. The scores fall all along the list.
        """
        names = self._transitions.looks.products
        looked_at = [names[number] for number in self._transitions.looks.hottest[2].ranked()]
        for order, product in enumerate(dict.fromkeys((*self._hot.ranked(), *looked_at))):
            share = round(highest / (1 + order), 6)
            yield Entry(product, self._slots.name(product), share, "popular", self._slots.popular_in(product))


def place(scores: Floats, at: int) -> int:
    """Return the place of a candidate by score, 1 for the first; of equal scores the first candidate comes first."""
    return 1 + int(np.count_nonzero(scores > scores[at])) + int(np.count_nonzero(scores[:at] == scores[at]))


def place_if_any(scores: Floats, at: int) -> int:
    return place(scores, at) if scores[at] > 0 else 0


def reciprocal_places(scores: Floats) -> Floats:
    """Return 1 over the place of each candidate, 0 for those without a score."""
    found = np.zeros(len(scores))
    found[(-scores).argsort(kind="stable")] = 1.0 / np.arange(1, len(scores) + 1)
    found[scores <= 0] = 0
    return found


def page_of(shopper: str) -> str:
    """Return the key of a visit's page.

    >>> page_of("s.7"), page_of("m.42")
    ('visit:7', 'member-visit:42')
    """
    return f"visit:{shopper[2:]}" if is_guest(shopper) else f"member-visit:{shopper[2:]}"
