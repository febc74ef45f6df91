"""The lists a storefront shows: which product in which place, with its score and its reason.

The ranker orders all candidates. What a slot must not show is left out afterwards, and the list is filled up from the rest,
then from what is popular. Variety and novelty are a re-ranking with a strength, not places kept for them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from aggregates.value import Value
from models.recommender.candidates import CandidateSet, Occasion
from models.recommender.co_occurrence import Neighbours
from models.recommender.habits import Habit, Habits
from models.recommender.items import Floats, Items
from models.recommender.ranker import softmax
from models.recommender.top_k import Leaders

LISTED = 20
DISCOVERED = 10
"""Places of a member's list, and of the list of what is new to them."""


class Entry(Value):
    """``score``: on a member's or a visit's list, the share that is expected of the product among all candidates."""

    product: str
    name: str
    score: float
    source: str
    reason: str


class Recommendations(Value):
    """What to show a member, best first.

    ``as_of``: their latest basket. ``for_time``: when their next one is expected, for which the list is made. ``until``:
    when it no longer holds, and `regulars recommend` should make it anew. All are UTC epoch milliseconds.
    """

    member: str
    items: tuple[Entry, ...]
    discover: tuple[Entry, ...]
    as_of: int
    for_time: int
    until: int
    position: int


class Companion(Value):
    product: str
    name: str
    score: float
    together: int
    reason: str


class Companions(Value):
    """What a product is bought with, best first, as of the sale with which the list was made."""

    product: str
    items: tuple[Companion, ...]
    as_of: int
    position: int


class Popular(Value):
    """What to show a shopper of whom nothing is known."""

    items: tuple[Entry, ...]
    as_of: int
    position: int


@dataclass(frozen=True)
class Variety:
    """How far a list departs from the ranker's order, in units of its scores.

    ``diversity``: what each earlier product of the same category costs. ``novelty``: what a product gains that is new to
    the member.
    """

    diversity: float = 0.0
    novelty: float = 0.0


PLAIN = Variety()


class Rules:
    """What a slot must not show: retired, sold out, dismissed, and durable things that the member has."""

    def __init__(self, items: Items) -> None:
        self._items = items

    def hidden(self, unwanted: Collection[str], habits: Habits | None = None) -> Callable[[str], bool]:
        """Return a test for one shopper. ``unwanted``: what they are not to be shown."""
        items = self._items

        def is_hidden(product: str) -> bool:
            item = items[product]
            owned = habits is not None and product in habits.places
            return product in unwanted or item.retired or item.sold_out or (owned and item.durable)

        return is_hidden


class Slots:
    def __init__(self, items: Items, hot: Leaders[str]) -> None:
        self._items = items
        self._hot = hot
        self._rules = Rules(items)

    def member(
        self, occasion: Occasion, offer: CandidateSet, scores: Floats, unwanted: Collection[str], variety: Variety = PLAIN
    ) -> tuple[tuple[Entry, ...], tuple[Entry, ...]]:
        """Return a member's list, and the list of what is new to them, by the ranker's scores."""
        habits, shares = occasion.habits, softmax(scores).round(6).tolist()
        hidden = self._rules.hidden(unwanted, habits)
        order: list[int] = []
        new: list[int] = []
        for at in self._order(habits, offer, scores, variety):
            is_new = offer.products[at] not in habits.places
            if (len(order) < LISTED or (is_new and len(new) < DISCOVERED)) and not hidden(offer.products[at]):
                if len(order) < LISTED:
                    order.append(at)
                if is_new and len(new) < DISCOVERED:
                    new.append(at)
        entries = {at: self._entry(occasion, offer.products[at], offer.sources[at], shares[at]) for at in (*order, *new)}
        listed = [entries[at] for at in order]
        more = self._popular({entry.product for entry in listed}, hidden, listed[-1].score if listed else 1.0)
        return (*listed, *islice(more, LISTED - len(listed))), tuple(entries[at] for at in new)

    def product(self, product: str, neighbours: Neighbours) -> list[Companion]:
        """Return what a product is bought with."""
        reason = f"Often bought with {self.name(product)}"
        return [Companion(other, self.name(other), round(score, 4), together, reason) for other, together, score in neighbours]

    def popular(self) -> list[Entry]:
        """Return what sells now."""
        return list(islice(self._popular((), self._rules.hidden(())), LISTED))

    def name(self, product: str) -> str:
        return self._items[product].name or product

    def popular_in(self, product: str) -> str:
        """Return the reason for a popular product."""
        department = self._items[product].department
        return f"Popular in {department}" if department else "Popular right now"

    def _order(self, habits: Habits, offer: CandidateSet, scores: Floats, variety: Variety) -> Sequence[int]:
        if variety.novelty:
            scores = scores + [variety.novelty * (product not in habits.places) for product in offer.products]
        if variety.diversity:
            return diverse(scores, self._items.category_of[offer.numbers].tolist(), variety.diversity)
        order: list[int] = (-scores).argsort(kind="stable").tolist()
        return order

    def _entry(self, occasion: Occasion, product: str, source: str, share: float) -> Entry:
        habits = occasion.habits
        place = habits.places.get(product)
        if place is not None:
            reason = bought_before(habits.habit(place))
        elif source == "companion":
            reason = f"Often bought with {self.name(occasion.calls[product][1])}"
        else:
            reason = self.popular_in(product)
        return Entry(product, self.name(product), share, source, reason)

    def _popular(self, shown: Collection[str], hidden: Callable[[str], bool], highest: float = 1.0) -> Iterator[Entry]:
        for product in self._hot.ranked():
            if product not in shown and not hidden(product):
                share = round(highest * self._items[product].heat / self._hot.highest, 6)
                yield Entry(product, self.name(product), share, "popular", self.popular_in(product))


def diverse(scores: Floats, groups: Sequence[int], cost: float) -> Sequence[int]:
    """Return the order in which each product is the best once ``cost`` is taken off for every earlier one of its group.

    >>> list(diverse(np.array([3.0, 2.9, 2.5]), [1, 1, 2], 1.0))
    [0, 2, 1]
    """
    left, of_group, order = scores.astype(float), np.array(groups), []
    for _ in range(len(scores)):
        best = int(left.argmax())
        order.append(best)
        left[best] = -np.inf
        left[of_group == of_group[best]] -= cost
    return order


def filled(lists: Iterable[str], with_what: Sequence[str], count: int) -> list[str]:
    """Return a list, filled up to ``count`` places.

    >>> filled(["tea"], ["pot", "tea", "cup"], 2)
    ['tea', 'pot']
    """
    return list(dict.fromkeys((*lists, *with_what)))[:count]


def bought_before(habit: Habit) -> str:
    """Return the reason for what a member has bought.

    >>> bought_before(Habit(times=4, weight=1.0, recent=0.0, small=0.0, first=0, last=63 * 24, seen=9))
    'You buy this about every 3 weeks'
    >>> bought_before(Habit(times=1, weight=1.0, recent=0.0, small=0.0, first=0, last=0, seen=1))
    'You bought this before'
    """
    if habit.times < 2:
        return "You bought this before"
    if habit.times < 3:
        return "You bought this twice"
    return f"You buy this {rhythm((habit.last - habit.first) / (habit.times - 1) / 24)}"


def rhythm(days: float) -> str:
    """Return an interval in words.

    >>> rhythm(1.2), rhythm(4.4), rhythm(7.3), rhythm(30), rhythm(100)
    ('almost every day', 'about every 4 days', 'about every week', 'about every 4 weeks', 'about every 3 months')
    """
    if days < 1.5:
        return "almost every day"
    if days < 6.5:
        return f"about every {round(days)} days"
    if days < 59.5:
        weeks = round(days / 7)
        return "about every week" if weeks == 1 else f"about every {weeks} weeks"
    return f"about every {round(days / 30.4)} months"
