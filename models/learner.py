"""The one learner: folds the log in its own order, tests each basket and each look before learning it, and makes the lists.

Counters depend on the order across members, so one learner folds them all. It holds its state in memory and writes every
change with its checkpoint; what it does not hold is read for it (:meth:`Learner.needs`, :meth:`Learner.restore`). A list is
computed at its owner's latest event with the model as of that event, so chunks, restarts and replays all give the same lists.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
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
from aggregates.member import MemberErased
from aggregates.order.events import OrderPaid
from aggregates.product import ProductListed, ProductRetired
from aggregates.session import SessionsForgotten
from models.evaluation import drift
from models.evaluation.drift import Watch
from models.evaluation.quality import TOP, Quality
from models.recommender import items as of_items
from models.recommender import transitions as of_transitions
from models.recommender import visits as of_visits
from models.recommender.candidates import Candidates, CandidateSet, Occasion
from models.recommender.co_occurrence import CoOccurrence
from models.recommender.features import FEATURES
from models.recommender.habits import DAY, RepeatBuyers
from models.recommender.items import Floats, Items, Moment, moment
from models.recommender.lists import LISTED, PLAIN, Companions, Entry, Popular, Recommendations, Slots, Variety, filled
from models.recommender.ranker import Ranker
from models.recommender.top_k import Leaders
from models.recommender.transitions import DISTANCES, TransitionCounts
from models.recommender.visit_lists import VisitLists, page_of
from models.recommender.visits import IDLE, Visits, add

Act: TypeAlias = Viewed | Clicked | Favourited | Unfavourited | Dismissed | Searched | CartItemAdded
Event: TypeAlias = OrderPaid | ProductListed | ProductRetired | MemberErased | SessionsForgotten | Act
ACTS: tuple[type[Act], ...] = Act.__args__

HOT = 80
"""Popular products that are kept: enough that no list runs out, whatever the member has bought of them."""

AVERAGED = 100
"""Baskets over which the ranker's weights are averaged."""

WHOLE = (
    *(*of_items.PARTS, "ranker", "visit-ranker", drift.WATCH, of_transitions.LOOKS),
    *of_visits.PARTS,
)
"""Maps that are read at once, before anything else."""


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
    version = 2
    events: frozenset[type] = frozenset(Event.__args__)
    parts = (
        *("recommend", "also", "popular", "quality", "visit", "member-visit"),
        *("items", "learner", "repeat", "pairs", "once", "ranker", "visit-ranker", *drift.PARTS),
        *(*of_transitions.PARTS, *of_visits.PARTS),
    )

    def __init__(self, zone: str) -> None:
        self._zone = zone
        self.forget()

    def forget(self) -> None:
        """Know nothing: everything will be read again."""
        self.items = Items()
        self.repeat = RepeatBuyers(self.items)
        self.pairs = CoOccurrence(self.items)
        self.hot, self.sold = Leaders[str](HOT), Leaders[str](2 * LISTED)
        self.slots = Slots(self.items, self.hot)
        self.candidates = Candidates(self.items, self.repeat, self.pairs, self.hot)
        self.ranker = Ranker(FEATURES, best=FEATURES[0], averaged=AVERAGED)
        self.transitions = TransitionCounts()
        self.visits = Visits(self.transitions.looks.number)
        self.visit_lists = VisitLists(self.items, self.repeat, self.visits, self.transitions, self.slots, self.hot)
        self.quality, self.watch = Quality(), Watch()
        self._held: set[str] = set()
        self._closing = 0  # an instant that the clock has reached when the chunk ends

    # State

    def needs(self, chunk: Sequence[Recorded]) -> list[str]:
        """Return the keys of the maps that a chunk needs and that are not in memory.

        Read them, give them to :meth:`restore`, and call this again: what they hold may name further ones.
        """
        missing = [key for key in dict.fromkeys(WHOLE) if key not in self._held]
        return missing or [key for key in dict.fromkeys(self._needed(chunk)) if key not in self._held]

    def needs_of_list(self, member: str) -> list[str]:
        """Return the keys that :meth:`shown` needs and that are not in memory; use it as :meth:`needs`."""
        missing = [key for key in (*of_items.PARTS, "ranker", of_visits.DISMISSED) if key not in self._held]
        return missing or [key for key in dict.fromkeys(self._needed_of(member)) if key not in self._held]

    def restore(self, maps: Mapping[str, Mapping[str, str]]) -> None:
        """Take maps of the state into memory, by key; a map that is not stored is empty."""
        self._held.update(maps)
        self.items.load(maps)
        for product in maps.get(of_items.ITEMS, ()):
            self.hot.grow(product, self.items[product].heat)
            self.sold.grow(product, self.items[product].baskets)
        for model in (self.repeat, self.pairs, self.quality, self.watch, self.candidates.size, self.transitions, self.visits):
            model.load(maps)
        self.ranker.load(maps, self.items.categories)
        self.visit_lists.ranker.load(maps, {"": 0})

    def _dump(self, delta: Delta) -> None:
        for model in (self.items, self.repeat, self.pairs, self.quality, self.watch, self.candidates.size, self.transitions):
            model.dump(delta)
        self.visits.dump(delta)
        self.ranker.dump(delta, self.items.categories)
        self.visit_lists.ranker.dump(delta, {"": 0})

    def _needed(self, chunk: Sequence[Recorded]) -> Iterator[str]:
        visiting = {shopper_of(r.event) for r in chunk if isinstance(r.event, ACTS) and not isinstance(r.event, CartItemAdded)}
        for recorded in chunk:
            match recorded.event:
                case OrderPaid() as event:
                    products = [line.product for line in event.lines]
                    yield f"quality:{local_day(event.at, self._zone)}"
                    for product in products:
                        yield from (f"pairs:{product}", f"once:{product}")
                    if event.member is not None:
                        yield from self._needed_of(event.member)
                    if event.member is not None or event.session is not None:
                        yield from self._needed_of_visit(shopper_of(event), products, visiting)
                case MemberErased() as event:
                    yield f"repeat:{event.member}"
                case event if isinstance(event, ACTS):
                    if event.member is not None:
                        yield f"repeat:{event.member}"
                    if isinstance(event, Viewed | Clicked):
                        yield f"quality:{local_day(event.at, self._zone)}"
                    products = [] if isinstance(event, Searched) else [event.product]
                    yield from self._needed_of_visit(shopper_of(event), products, visiting)

    def _needed_of(self, member: str) -> Iterator[str]:
        yield f"repeat:{member}"
        if habits := self.repeat.members.get(member):
            for product in habits.latest_basket():
                yield f"once:{product}"

    def _needed_of_visit(self, shopper: str, products: Sequence[str], visiting: Collection[str]) -> Iterator[str]:
        """Return the paths of what an act concerns. ``visiting``: shoppers who may begin a visit in this chunk."""
        visit = self.visits.live.get(shopper)
        if visit is not None or shopper in visiting:
            for product in (*products, *(visit.products if visit else ())):
                yield f"{of_transitions.PATHS}:{product}"

    # Learning

    def fold(self, chunk: Sequence[Recorded]) -> Delta:
        """Learn a chunk whose state is in memory, and return what to write."""
        delta, last = Delta(), last_positions(chunk)
        self._closing = latest_instant(chunk)
        for recorded in chunk:
            position = recorded.position
            match recorded.event:
                case OrderPaid() as event:
                    self._learn_basket(delta, event, position, last)
                case ProductListed() as event:
                    words = (event.name or "", event.department or "", event.category or "")
                    self.items.describe(event.product, *words, staple="staple" in event.attributes, sold_out=event.stock == 0)
                case ProductRetired() as event:
                    self.items.retire(event.product)
                case MemberErased() as event:
                    self.visits.forget(f"m.{event.member}")
                    self.repeat.erase(delta, event.member)
                    delta.documents[f"recommend:{event.member}"] = None
                case SessionsForgotten() as event:
                    for session in event.sessions:
                        self.visits.forget(f"s.{session}")
                case event if isinstance(event, ACTS):
                    self._learn_act(event)
                    self._write_page(delta, shopper_of(event), position, last)
        for shopper in self.visits.gone:
            if shopper not in self.visits.live:
                delta.documents[page_of(shopper)] = None
        self._dump(delta)
        return delta

    def _learn_act(self, event: Act) -> None:
        shopper, visits = shopper_of(event), self.visits
        match event:
            case Viewed() | Clicked():
                visits.pass_time(event.at)
                self._test_look(shopper, event.product, local_day(event.at, self._zone))
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

    def freeze(self) -> None:
        """Learn nothing from visits that end; :meth:`see` is for what still happens in visits."""
        self.visits.learning = False

    def see(self, shopper: str, product: str, kind: str, at: int) -> None:
        """Add an act to its visit, and learn nothing from it. ``kind``: ``view``, ``like``, ``cart`` or ``buy``."""
        self.transitions.looks.number(product)
        self.visits.visit(shopper, at).act(product, kind)

    def _act(self, shopper: str, product: str, kind: str, at: int) -> None:
        visit = self.visits.visit(shopper, at)
        before = [other for other in visit.latest(DISTANCES + 1) if other != product][:DISTANCES]
        self.transitions.learn_one(product, kind, before, self.visits.clock)
        visit.act(product, kind)

    def _test_look(self, shopper: str, product: str, day: str) -> None:
        """Hold a look against the list of its visit, and learn it: every look at first, then one of some."""
        if shopper not in self.visits.live or not self.visits.due():
            return
        if found := self.visit_lists.ranked(shopper):
            self.quality.learn_look(day, self.visit_lists.test(found, product))
            self.visit_lists.learn_one(found, product)

    def _learn_basket(self, delta: Delta, event: OrderPaid, position: int, last: Mapping[str, int]) -> None:
        basket = list(dict.fromkeys(line.product for line in event.lines if line.quantity))
        if not basket:
            return
        now = moment(event.at, self._zone)
        member = None if event.member in self.repeat.erased else event.member  # an order may outlive its member
        if member is not None:
            self._test(member, basket, now, position)
        self._learn(member, basket, now)
        remade = self.pairs.refresh(basket)
        self._learn_purchases(event, basket)
        for product in remade:
            companions = tuple(self.slots.product(product, self.pairs.strongest(product)))
            delta.documents[f"also:{product}"] = Companions(product, companions, event.at, position)
        if member is not None and last[f"basket of {member}"] == position:
            delta.documents[f"recommend:{member}"] = self._recommendations(member, event.at, position)
        if member is not None or event.session is not None:
            self._write_page(delta, shopper_of(event), position, last)
        if last["popular"] == position:
            delta.documents["popular"] = Popular(tuple(self.slots.popular()), event.at, position)

    def _learn_purchases(self, event: OrderPaid, basket: Sequence[str]) -> None:
        """Learn what was bought in a visit that had looked at other things before."""
        self.visits.pass_time(event.at)
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

    def _learn(self, member: str | None, basket: Sequence[str], now: Moment) -> None:
        items, size = self.items, float(np.log(len(basket)))
        items.baskets += 1
        items.move_landmark(now.at)
        times = self.repeat.learn_one(member, basket, now.at) if member is not None else [(None, 0.0)] * len(basket)
        for product, (count, gap) in zip(basket, times, strict=True):
            items.learn_one(product, count, now.at, gap, size, now.slots)
            item = items[product]
            self.hot.grow(product, item.heat)
            self.sold.grow(product, item.baskets)
        items.mirror(basket)
        self.pairs.learn_one(basket)

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

    def _recommendations(self, member: str, at: int, position: int) -> Recommendations:
        """Return the list for the moment at which the member's next basket is expected."""
        pace = round(self.repeat.members[member].pace * DAY)
        items, new = self.shown(member, at + pace)
        return Recommendations(member, items, new, at, at + pace, at + 2 * pace, position)

    def _write_page(self, delta: Delta, shopper: str, position: int, last: Mapping[str, int]) -> None:
        """Write the page of a visit with its last event in a chunk, unless the visit ends before the chunk does."""
        goes_on = self.visits.clock >= self._closing - IDLE
        if last[shopper] == position and shopper in self.visits.live and goes_on:
            delta.documents[page_of(shopper)] = self.visit_lists.page(shopper, position)


def last_positions(chunk: Sequence[Recorded]) -> dict[str, int]:
    """Return the positions of each shopper's last act or basket, of each member's last basket, and of the last of all."""
    last: dict[str, int] = {}
    for recorded in chunk:
        event = recorded.event
        if isinstance(event, OrderPaid):
            if not any(line.quantity for line in event.lines):
                continue
            last["popular"] = recorded.position
            if event.member is None and event.session is None:
                continue
            last[shopper_of(event)] = last[f"basket of {event.member}"] = recorded.position
        elif isinstance(event, ACTS):
            last[shopper_of(event)] = recorded.position
    return last


def latest_instant(chunk: Sequence[Recorded]) -> int:
    """Return the latest instant of a chunk that certainly moves the clock of visits."""
    looks = (r.event.at for r in chunk if isinstance(r.event, ACTS) and not isinstance(r.event, CartItemAdded))
    return max(looks, default=0)


def shopper_of(event: Act | OrderPaid) -> str:
    """Return who did it: a member, else a session, as in ``m.42`` and ``s.a7``."""
    return f"m.{event.member}" if event.member is not None else f"s.{event.session}"
