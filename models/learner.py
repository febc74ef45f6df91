"""The one learner: folds the log in its own order, tests each basket and each look before learning it, and makes the lists.

Counters depend on the order across members, so one learner folds them all. It holds its state in memory and writes every
change with its checkpoint; what it does not hold is read for it (:meth:`Learner.needs`, :meth:`Learner.restore`). A list is
computed at its owner's latest event with the model as of that event, so chunks, restarts and replays all give the same lists.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from aggregates.behaviour import Clicked, Dismissed, Favourited, Searched, Unfavourited, Viewed
from aggregates.calendar import local_day
from aggregates.cart_events import (
    CartItemAdded,
)
from aggregates.decider import Recorded
from aggregates.delta import Delta
from aggregates.member import MemberClosed, MemberErased, MemberRegistered
from aggregates.order.events import OrderCancelled, OrderPaid, OrderRefunded
from aggregates.product import ProductListed, ProductRestocked, ProductRetired
from aggregates.session import SessionsForgotten
from models.acts import ACTS, Act, clock_after, last_positions, left_by, moves_clock, shopper_of
from models.evaluation import drift
from models.evaluation.drift import Watch
from models.evaluation.quality import TOP, Quality
from models.needed import Needed
from models.purchases import PurchaseLearner
from models.recommender import items as of_items
from models.recommender import transitions as of_transitions
from models.recommender import visits as of_visits
from models.recommender.candidates import Candidates, CandidateSet, Occasion
from models.recommender.co_occurrence import CoOccurrence
from models.recommender.features import FEATURES
from models.recommender.habits import DAY, RepeatBuyers
from models.recommender.items import Floats, Items, Moment, moment
from models.recommender.list_index import LISTING, ListIndex
from models.recommender.lists import LISTED, PLAIN, Companions, Entry, Popular, Recommendations, Slots, Variety, filled
from models.recommender.ranker import Ranker
from models.recommender.receipts import BOUGHT
from models.recommender.settings import SHIPPED, RecommenderSettings
from models.recommender.top_k import Leaders
from models.recommender.transitions import DISTANCES, TransitionCounts
from models.recommender.trending import SELLS
from models.recommender.visit_lists import VisitLists, page_of
from models.recommender.visitors import MET, Visitors
from models.recommender.visits import IDLE, Visits, add

Described: TypeAlias = ProductListed | ProductRestocked | ProductRetired
GivenBack: TypeAlias = OrderCancelled | OrderRefunded
Bought: TypeAlias = OrderPaid | GivenBack
Event: TypeAlias = Bought | Described | MemberRegistered | MemberClosed | MemberErased | SessionsForgotten | Act

HOT = 80
"""Popular products that are kept: enough that no list runs out, whatever the member has bought of them."""

WHOLE = (
    *(*of_items.PARTS, "ranker", "visit-ranker", drift.WATCH, of_transitions.LOOKS),
    *of_visits.PARTS,
    *(MET, BOUGHT, SELLS),
)
"""Maps that are read at once, before anything else."""

OF_THE_SHOP = (*of_items.PARTS, "ranker")
"""Maps that the list of any member needs."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A member's candidates with their scores."""

    occasion: Occasion
    offer: CandidateSet
    scores: Floats

    @property
    def products(self) -> list[str]:
        """Return all candidates in the ranker's order, before any rule of a slot."""
        return [self.offer.products[at] for at in (-self.scores).argsort(kind="stable").tolist()]


class Learner:
    name = "learner"
    version = 4
    events: frozenset[type] = frozenset(Event.__args__)
    parts = (
        *("recommend", "also", "popular", "trending", "quality", "visit", "member-visit"),
        *("items", "learner", "repeat", "pairs", "once", "listed", LISTING, "ranker", "visit-ranker", *drift.PARTS),
        *(*of_transitions.PARTS, *of_visits.PARTS, MET, BOUGHT, SELLS),
    )

    def __init__(self, zone: str, settings: RecommenderSettings = SHIPPED) -> None:
        self._zone = zone
        self._settings = settings
        self.forget()

    def forget(self) -> None:
        """Know nothing: everything will be read again."""
        self.items = Items()
        self.repeat = RepeatBuyers(self.items)
        self.pairs = CoOccurrence(self.items)
        self.hot, self.sold = Leaders[str](HOT), Leaders[str](2 * LISTED)
        self.slots = Slots(self.items, self.hot)
        chosen = self._settings
        sizes = chosen.repeats, chosen.companions, chosen.popular
        self.candidates = Candidates(self.items, self.repeat, self.pairs, self.hot, *sizes)
        self.ranker = Ranker(FEATURES, FEATURES[0], chosen.bends, chosen.rate, chosen.averaged)
        self.transitions = TransitionCounts()
        self.visits = Visits()
        self.visitors = Visitors()
        self.index = ListIndex()
        self.purchases = PurchaseLearner(self.items, self.repeat, self.pairs, self.visitors, self.hot, self.sold)
        self.visit_lists = VisitLists(self.items, self.repeat, self.visits, self.transitions, self.slots, self.hot)
        self.quality, self.watch = Quality(), Watch()
        self._models = (
            *(self.repeat, self.index, self.pairs, self.purchases.trending, self.purchases.receipts, self.quality, self.watch),
            *(self.candidates.size, self.transitions, self.visits, self.visitors),
        )
        receipts = self.purchases.receipts
        self.needed = Needed(self._zone, self.repeat, self.pairs, self.visits, receipts, self.index)
        self._held: set[str] = set()
        self._closing = 0  # an instant that the clock has reached when the chunk ends

    # State

    def needs(self, chunk: Sequence[Recorded]) -> list[str]:
        """Return the keys of the maps that a chunk needs and that are not in memory.

        Read them, give them to :meth:`restore`, and call this again: what they hold may name further ones.
        """
        missing = [key for key in dict.fromkeys(WHOLE) if key not in self._held]
        return missing or [key for key in dict.fromkeys(self.needed.of_chunk(chunk)) if key not in self._held]

    def needs_of_list(self, member: str) -> list[str]:
        """Return the keys that :meth:`shown` needs and that are not in memory; use it as :meth:`needs`."""
        missing = [key for key in (*OF_THE_SHOP, of_visits.DISMISSED) if key not in self._held]
        return missing or [key for key in dict.fromkeys(self.needed.of_member(member)) if key not in self._held]

    def forget_member(self, member: str) -> None:
        """Hold nothing of a member, so that their state is read anew for their next list."""
        self._held.discard(f"repeat:{member}")
        self.repeat.members.pop(member, None)
        self.visits.dismissed.pop(f"m.{member}", None)

    def restore(self, maps: Mapping[str, Mapping[str, str]]) -> None:
        """Take maps of the state into memory, by key; a map that is not stored is empty."""
        self._held.update(maps)
        self.items.load(maps)
        for product in maps.get(of_items.ITEMS, ()):
            if (item := self.items[product]).baskets:
                self.hot.grow(product, item.heat)
                self.sold.grow(product, item.baskets)
        for product in maps.get(of_items.NAMES, ()):
            if not self.items[product].sells:
                self.purchases.trending.hide(product)
        for model in self._models:
            model.load(maps)
        self.ranker.load(maps, self.items.categories)
        self.visit_lists.ranker.load(maps, {"": 0})

    def _dump(self, delta: Delta) -> None:
        self._held.update(self.transitions.dropped())  # until they are gone from Redis, reading would bring them back
        self.items.dump(delta)
        for model in self._models:
            model.dump(delta)
        self.ranker.dump(delta, self.items.categories)
        self.visit_lists.ranker.dump(delta, {"": 0})

    # Learning

    def fold(self, chunk: Sequence[Recorded]) -> Delta:
        """Learn a chunk whose state is in memory, and return what to write."""
        delta, last = Delta(), last_positions(chunk)
        self._closing = clock_after(self.visits.time, chunk)
        for recorded in chunk:
            position = recorded.position
            if moves_clock(recorded.event):
                self.visits.pass_time(shopper_of(recorded.event), recorded.event.at)
            for shopper in left_by(recorded.event):
                self.visits.forget(shopper)
                self.visitors.forget(shopper)
            match recorded.event:
                case OrderPaid() as event:
                    self._learn_basket(delta, event, position, last)
                case OrderCancelled() | OrderRefunded() as event:
                    self._unlearn(delta, event, position, last)
                case ProductListed() | ProductRestocked() | ProductRetired() as event:
                    self._describe(delta, event, position, last)
                case MemberRegistered() as event:
                    self.repeat.reopen(delta, event.member)
                case MemberClosed() | MemberErased() as event:
                    leave = self.repeat.erase if isinstance(event, MemberErased) else self.repeat.close
                    if isinstance(event, MemberErased):
                        self.purchases.receipts.forget(event.member)
                    leave(delta, event.member)
                    self._remove_list(delta, event.member)
                case event if isinstance(event, ACTS) and not self.repeat.has_left(event.member):
                    self._learn_act(event)
                    self._write_page(delta, shopper_of(event), position, last)
                    if isinstance(event, Dismissed) and (habits := self.repeat.members.get(event.member or "")):
                        self._write_list(delta, str(event.member), habits.last, position, last)
        for shopper in self.visits.gone:
            if shopper not in self.visits.live:
                delta.documents[page_of(shopper)] = None
        self._dump(delta)
        self._held.difference_update(self.index.end_chunk())
        return delta

    def _learn_act(self, event: Act) -> None:
        shopper, visits = shopper_of(event), self.visits
        match event:
            case Viewed() | Clicked():
                self._act(shopper, event.product, "view", event.at)
            case Favourited():
                self._act(shopper, event.product, "like", event.at)
                add(visits.visit(shopper, event.at).liked, event.product, None)
                visits.want(shopper, event.product)
            case Unfavourited():
                visits.visit(shopper, event.at).liked.pop(event.product, None)
            case Dismissed():
                visits.refuse(shopper, event.product, event.at)
            case Searched():
                add(visits.visit(shopper, event.at).searched, event.query, None)
            case CartItemAdded():
                if shopper in visits.live:  # who only shops is known by their baskets
                    self._act(shopper, event.product, "cart", event.at)

    def see(self, shopper: str, product: str, kind: str, at: int) -> None:
        """Add an act to its visit, and learn nothing from it. ``kind``: ``view``, ``like``, ``cart`` or ``buy``."""
        self.transitions.looks.number(product)
        self.visits.visit(shopper, at).act(product, kind)

    def _act(self, shopper: str, product: str, kind: str, at: int) -> None:
        """Learn what counts of an act: each visitor counts once a day. A look is tested before it is learned,
        for the first looks of a visitor at a product that day."""
        now, visit = self.visits.clock, self.visits.live.get(shopper)
        before = [other for other in visit.latest(DISTANCES + 1) if other != product][:DISTANCES] if visit else []
        fresh, counted, teaches = self.visitors.learn_one(shopper, product, kind, before, now)
        if teaches and visit is not None:
            self._test_look(shopper, product, local_day(at, self._zone))
        self.transitions.learn_one(product, kind, counted, now, fresh)
        self.visits.visit(shopper, at).act(product, kind)

    def _test_look(self, shopper: str, product: str, day: str) -> None:
        """Hold a look against the list of its visit, and learn it; of many looks some (:meth:`Visits.due`)."""
        learned, measured = self.visits.due()
        if not learned or not self.visits.live[shopper].products:
            return
        found = self.visit_lists.offered(shopper, product)
        if measured:
            self.quality.learn_look(day, self.visit_lists.test(found, product))
        if found is not None:
            self.visit_lists.learn_one(found, product)

    def _learn_basket(self, delta: Delta, event: OrderPaid, position: int, last: Mapping[str, int]) -> None:
        basket = list(dict.fromkeys(line.product for line in event.lines if line.quantity))
        if not basket:
            return
        now = moment(event.at, self._zone)
        member = None if self.repeat.has_left(event.member) else event.member  # an order may outlive its member
        if member is not None:
            self._test(member, basket, now, position)
        self.purchases.learn_one(event, member, basket, now, self.visits.clock)
        remade = self.pairs.refresh(basket)
        self._learn_purchases(event, basket)
        for product in remade:
            self._write_companions(delta, product, event.at, position)
        if member is not None:
            self._write_list(delta, member, event.at, position, last)
        if member is not None or event.session is not None:
            self._write_page(delta, shopper_of(event), position, last)
        self._write_popular(delta, event.at, position, last)

    def _unlearn(self, delta: Delta, event: GivenBack, position: int, last: Mapping[str, int]) -> None:
        """Take back what an order taught, and write the lists anew."""
        receipt, member = self.purchases.receipts.get(event.order), event.member
        if receipt is not None:
            slots = moment(receipt.at, self._zone).slots
            gone = self.purchases.take_back(event, slots, receipt)
            for product in receipt.products if gone else ():
                self._write_companions(delta, product, event.at, position)
            self.visits.give_back(shopper_of(event), gone)
        if member is not None and not self.repeat.has_left(member):
            if habits := self.repeat.members.get(member):
                self._write_list(delta, member, habits.last, position, last)
            else:
                self._remove_list(delta, member)
        if member is not None or event.session is not None:
            self._write_page(delta, shopper_of(event), position, last)
        self._write_popular(delta, event.at, position, last)

    def _learn_purchases(self, event: OrderPaid, basket: Sequence[str]) -> None:
        """Learn what was bought in a visit that had looked at other things before."""
        if (event.member is not None or event.session is not None) and shopper_of(event) in self.visits.live:
            for product in basket:
                self._act(shopper_of(event), product, "buy", event.at)

    def _test(self, member: str, basket: Sequence[str], now: Moment, position: int) -> None:
        """Hold a basket against the lists of its moment, and learn what should have been on ours."""
        truth, day, hot = frozenset(basket), local_day(now.at, self._zone), self.hot.ranked()[: 2 * LISTED]
        sold, repeat = self.sold.ranked()[: 2 * LISTED], self.repeat
        listed = self.listed(member, now) if member in repeat.members else None
        lists = {
            "regulars": filled(listed.products, hot, 2 * LISTED) if listed else hot,
            "repeat": listed.offer.of("repeat") if listed else (),
            "companion": listed.offer.of("companion") if listed else (),
            "popular-now": hot,
            "personal": filled(repeat.favourites(member, LISTED), sold, LISTED),
            "decayed": filled(repeat.decayed(member, LISTED, now.at), sold, LISTED),
            "popular": sold,
        }
        self._measure(day, lists, truth, position, first=listed is None)
        if listed is None:
            return
        self._test_new(listed, lists, truth, day)
        goals = np.array([1 / len(truth) if product in truth else 0.0 for product in listed.offer.products])
        self.ranker.learn(listed.offer.rows, goals, self.items.category_of[listed.offer.numbers])
        self.candidates.size.learn_one(listed.occasion.habits, now, len(basket))

    def _measure(self, day: str, lists: Mapping[str, Sequence[str]], truth: frozenset[str], position: int, first: bool) -> None:
        """Measure all lists, with and without staples."""
        scopes, staples = (("all", "first") if first else ("all",)), self.items.staples
        if staples and not staples.isdisjoint((*truth, *(product for shown in lists.values() for product in shown[:TOP]))):
            rest = {name: [p for p in shown if p not in staples] for name, shown in lists.items()}
            if truth - staples:
                self.quality.learn_one(day, ("no-staples",), rest, truth - staples)
        else:
            scopes = (*scopes, "no-staples")
        ours = self.quality.learn_one(day, scopes, lists, truth)["regulars"]
        self.watch.learn_one(ours[0], day, position)

    def _test_new(self, listed: Listed, lists: Mapping[str, Sequence[str]], truth: frozenset[str], day: str) -> None:
        """Hold what the member had never bought against the lists of such products."""
        known = listed.occasion.habits.places
        if any(product not in known for product in truth):
            new = {name: [p for p in lists[name] if p not in known] for name in ("companion", "popular-now", "popular")}
            ours = [product for product in listed.products if product not in known]
            self.quality.learn_one(day, ("new",), {"regulars": ours, **new}, truth - known.keys())

    # Lists

    def listed(self, member: str, now: Moment, basket: Sequence[str] | None = None) -> Listed:
        """Return the candidates of a member who has bought before, scored for a moment.

        ``basket``: what calls for companions, such as an open cart; without it, the member's latest basket.
        """
        occasion = self.candidates.occasion(member, now, basket)
        offer = self.candidates.offer(occasion)
        return Listed(occasion, offer, self.ranker.score(offer.rows, self.items.category_of[offer.numbers]))

    def shown(self, member: str, at: int, variety: Variety = PLAIN) -> tuple[tuple[Entry, ...], tuple[Entry, ...]]:
        """Return a member's list and the list of what is new to them, as they are to be shown at an instant."""
        found = self.listed(member, moment(at, self._zone))
        unwanted = self.visits.unwanted(f"m.{member}")
        return self.slots.member(found.occasion, found.offer, found.scores, unwanted, variety)

    def _write_list(self, delta: Delta, member: str, at: int, position: int, last: Mapping[str, int]) -> None:
        """Write a member's list with the last event in a chunk that changes it."""
        if last.get(f"list of {member}", position) <= position:
            found = delta.documents[f"recommend:{member}"] = self._recommendations(member, at, position)
            self.index.put(member, (entry.product for entry in (*found.items, *found.discover)))

    def _remove_list(self, delta: Delta, member: str) -> None:
        delta.documents[f"recommend:{member}"] = None
        self.index.put(member, ())

    def _describe(self, delta: Delta, event: Described, position: int, last: Mapping[str, int]) -> None:
        """Take what the shop says of a product, and write the lists anew that it leaves, filled up, and what is popular."""
        sold = self.items[event.product].sells
        if isinstance(event, ProductListed):
            words = (event.name or "", event.department or "", event.category or "")
            self.items.describe(event.product, *words, staple="staple" in event.attributes, sold_out=event.stock == 0)
        elif isinstance(event, ProductRetired):
            self.items.retire(event.product)
        elif event.units > 0:
            self.items.restock(event.product)
        sells = self.items[event.product].sells
        self.purchases.trending.show(event.product, sells)
        if not sells:
            for product in self.pairs.leave(event.product):
                self._write_companions(delta, product, event.at, position)
            if sold:
                self._leave_lists(delta, event.product, position, last)
        self._write_popular(delta, event.at, position, last)

    def _leave_lists(self, delta: Delta, product: str, position: int, last: Mapping[str, int]) -> None:
        """Make the lists anew that hold a product which is no longer sold, and the pages of visits."""
        for member in self.index.holders(product):
            self._write_list(delta, member, self.repeat.members[member].last, position, last)
        for shopper in self.visits.live:
            self._write_page(delta, shopper, position, last)

    def _write_companions(self, delta: Delta, product: str, at: int, position: int) -> None:
        companions = tuple(self.slots.product(product, self.pairs.strongest(product)))
        delta.documents[f"also:{product}"] = Companions(product, companions, at, position)

    def _write_popular(self, delta: Delta, at: int, position: int, last: Mapping[str, int]) -> None:
        """Write what is popular with the last event in a chunk that changes it."""
        if last["popular"] == position and (self.hot.ranked() or self.items.landmark is not None):
            delta.documents["popular"] = Popular(tuple(self.slots.popular()), at, position)

    def _recommendations(self, member: str, at: int, position: int) -> Recommendations:
        """Return the list for the moment at which the member's next basket is expected."""
        pace = round(self.repeat.members[member].pace * DAY)
        items, new = self.shown(member, at + pace)
        return Recommendations(member, items, new, at, at + pace, at + 2 * pace, position)

    def _write_page(self, delta: Delta, shopper: str, position: int, last: Mapping[str, int]) -> None:
        """Write the page of a visit with its last event in a chunk, unless the visit ends before the chunk does."""
        visit = self.visits.live.get(shopper)
        if visit is None or last.get(shopper, position) > position:
            return
        if max(visit.at, visit.clock) >= self._closing - 2 * IDLE:
            delta.documents[page_of(shopper)] = self.visit_lists.page(shopper, position)
