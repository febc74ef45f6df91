"""The one learner: folds the log in its own order, each basket tested before it is learned, and keeps the lists up.

Counters depend on the order across members, so one learner folds them all. It holds its state in memory and writes every
change with its checkpoint; what it does not hold is read for it (:meth:`Learner.needs`, :meth:`Learner.restore`). A list is
computed at its owner's latest event with the model as of that event, so chunks, restarts and replays all give the same lists.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np

from aggregates.behaviour import Clicked, Dismissed, Favourited, Searched, Unfavourited, Viewed
from aggregates.calendar import local_day
from aggregates.cart import CartItemAdded
from aggregates.decider import Recorded
from aggregates.delta import Delta
from aggregates.member import MemberErased
from aggregates.order.events import OrderPaid
from aggregates.product import ProductListed, ProductRetired
from models.evaluation.drift import Watch
from models.evaluation.quality import Quality, measure
from models.learner_chunk import acts, baskets, touched
from models.learner_state import StateKeeper
from models.recommender.browsing import Browsing, shopper_of
from models.recommender.browsing import Event as Act
from models.recommender.browsing_state import PARTS, BrowsingState
from models.recommender.candidates import Candidates, Occasion
from models.recommender.co_occurrence import CoOccurrence, Neighbours
from models.recommender.items import Items
from models.recommender.lists import LISTED, Companions, Entry, Popular, Recommendations, Slots
from models.recommender.offers import Offer
from models.recommender.ranker import Ranker
from models.recommender.ranker_state import PARTS as RANKER
from models.recommender.ranker_state import RankerState
from models.recommender.repeat import RepeatBuyers
from models.recommender.top_k import Leaders
from models.recommender.visitors import Visitors, page_of

Event: TypeAlias = OrderPaid | ProductListed | ProductRetired | MemberErased | Act

HOT = 60
"""Popular products kept at hand: enough that no list runs out, whatever the member has bought of them."""


class Learner:
    name = "learner"
    version = 1
    events: frozenset[type] = frozenset(Event.__args__)
    parts = (
        *("recommend", "also", "popular", "quality", "visit", "member-visit"),
        *("items", "learner", "repeat", "pairs", "once", *PARTS, *RANKER),
    )

    def __init__(self, zone: str) -> None:
        self._zone = zone
        self.forget()

    def forget(self) -> None:
        """Know nothing: everything will be brought again."""
        self.items = Items()
        self.repeat = RepeatBuyers(self.items)
        self.pairs = CoOccurrence(self.items)
        self.quality, self.watch = Quality(), Watch()
        self.hot, self.sold = Leaders(HOT), Leaders(2 * LISTED)
        self.slots = Slots(self.items, self.pairs, self.hot)
        self.candidates = Candidates(self.items, self.repeat, self.hot, LISTED)
        self.ranker = Ranker()
        self.offers: dict[str, Offer] = {}
        self.shown: dict[str, tuple[str, ...]] = {}
        self.erased: set[str] = set()
        self.browsing = Browsing()
        self.visitors = Visitors(self.items, self.browsing, self.hot)
        self._state = StateKeeper(self)
        self._browsing_state = BrowsingState(self.browsing)
        self._ranker_state = RankerState(self.ranker, self.items, self.watch)

    def needs(self, chunk: Sequence[Recorded]) -> list[str]:
        """Return the keys of the maps that a chunk needs and that are not in memory.

        Read them, give them to :meth:`restore`, and call this again: what they hold may name further ones.
        """
        own = (*self._state.needs(chunk, self._zone), *self._ranker_state.needs())
        return [*own, *self._browsing_state.needs(*touched(chunk))]

    def restore(self, maps: Mapping[str, Mapping[str, str]]) -> None:
        """Take maps of the state into memory, by key; a map that is not stored is empty."""
        self._state.restore(maps)
        self._ranker_state.restore(maps)
        self._browsing_state.restore(maps)

    def fold(self, chunk: Sequence[Recorded]) -> Delta:
        """Learn a chunk whose state is in memory, and return what to write."""
        delta = Delta()
        latest = {line.product: position for position, event in baskets(chunk) for line in event.lines if line.quantity}
        last = max(latest.values(), default=0)
        last_acts = {shopper_of(event): position for position, event in acts(chunk)}
        for recorded in chunk:
            match recorded.event:
                case OrderPaid() as event:
                    self._learn_basket(delta, event, recorded.position, latest)
                    if recorded.position == last:
                        delta.documents["popular"] = Popular(tuple(self.slots.popular()), event.at, last)
                case ProductListed() as event:
                    self._state.describe(event)
                case ProductRetired() as event:
                    self._state.retire(event.product)
                case MemberErased() as event:
                    self._erase(delta, event.member)
                case Viewed() | Clicked() | Favourited() | Unfavourited() | Dismissed() | Searched() | CartItemAdded() as event:
                    self._learn_act(delta, event, recorded.position, last_acts)
        for shopper in self.visitors.ended():
            delta.documents[page_of(shopper)] = None
        self._state.write(delta)
        self._ranker_state.write(delta)
        self._browsing_state.write(delta)
        return delta

    def _learn_act(self, delta: Delta, event: Act, position: int, last_acts: Mapping[str, int]) -> None:
        shopper = self.browsing.learn_one(event)
        if shopper is not None and last_acts[shopper] == position:
            delta.documents[page_of(shopper)] = self.visitors.page(shopper, position)

    def _learn_basket(self, delta: Delta, event: OrderPaid, position: int, latest: Mapping[str, int]) -> None:
        basket = list(dict.fromkeys(line.product for line in event.lines if line.quantity))
        if not basket:
            return
        member = None if event.member in self.erased else event.member  # an order may outlive its member
        if member is not None:
            self._test(member, basket, event.at, position)
        self._learn(member, basket, event.at)
        self.browsing.learn_basket(event, basket)
        neighbours = self.slots.neighbours(basket)
        if member is not None:
            self.offers[member], entries = self.listed(member, neighbours, event.at)
            self.shown[member] = tuple(entry.product for entry in entries)
            delta.documents[f"recommend:{member}"] = Recommendations(member, entries, event.at, position)
        for product in basket:
            if latest[product] == position:
                companions = tuple(self.slots.product(product, neighbours[product]))
                delta.documents[f"also:{product}"] = Companions(product, companions, event.at, position)

    def listed(self, member: str, neighbours: Mapping[str, Neighbours], at: int) -> tuple[Offer, tuple[Entry, ...]]:
        """What a member is offered after a basket with these neighbours, and the list that is made of it."""
        occasion = Occasion(member, self.repeat.members[member], neighbours, at)
        offer = self.candidates.offer(occasion, self.browsing.unwanted(f"m.{member}"))
        scores = self.ranker.score(offer.rows.astype(np.float64), self.items.category_of[offer.numbers])
        return offer, tuple(self.slots.member(occasion, offer, scores))

    def _test(self, member: str, basket: Sequence[str], at: int, position: int) -> None:
        """Hold the basket against what was shown before it, and learn what should have been."""
        offer, hot = self.offers.get(member), self.hot.ranked()[:LISTED]
        lists = {
            "regulars": self.shown.get(member) or hot,
            "repeat": offer.of("repeat") if offer else (),
            "companion": offer.of("companion") if offer else (),
            "popular-now": hot,
            "personal": self.repeat.favourites(member, LISTED),
            "popular": self.sold.ranked()[:LISTED],
        }
        truth = frozenset(basket)
        day = local_day(at, self._zone)
        self.quality.learn_one(day, lists, truth, self.items.staples)
        self.watch.learn_one(measure(lists["regulars"], truth)[0], day, position)
        if offer:
            goals = np.array([1 / len(truth) if product in truth else 0.0 for product in offer.products])
            self.ranker.learn(offer.rows.astype(np.float64), self.items.category_of[offer.numbers], goals)

    def _learn(self, member: str | None, basket: Sequence[str], at: int) -> None:
        items = self.items
        items.baskets += 1
        if items.moved_on(at):
            self._state.touch(product for product, item in items.items() if item.baskets)
        times = self.repeat.learn_one(member, basket, at) if member is not None else [(None, 0.0)] * len(basket)
        for product, (count, gap) in zip(basket, times, strict=True):
            items.learn_one(product, count, at, gap)
            item = items[product]
            self.hot.grow(product, item.heat)
            self.sold.grow(product, item.baskets)
        items.mirror(basket)
        self.pairs.learn_one(basket)
        self._state.touch(basket)

    def _erase(self, delta: Delta, member: str) -> None:
        self.shown.pop(member, None)
        self.offers.pop(member, None)
        self.browsing.forget(f"m.{member}")
        self.erased.add(member)
        delta.documents[f"recommend:{member}"] = None
        self._state.erase(member)
