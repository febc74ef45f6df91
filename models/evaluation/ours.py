"""The recommender itself, as the evaluation asks it: taught by events in their order, asked before each is learned.

This is the one place that knows how the learner's lists are had before a storefront's rules take anything off them. A list is
scored for the moment of the case.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aggregates.behaviour import Favourited
from aggregates.cart_events import (
    CartItemAdded,
)
from aggregates.decider import Recorded
from aggregates.order.events import OrderPaid
from models.acts import shopper_of
from models.evaluation.facts import Act, products_in
from models.learner import Learner
from models.recommender.items import moment
from models.recommender.lists import LISTED, filled

OURS = "regulars"

DID: dict[type, str] = {Favourited: "like", CartItemAdded: "cart", OrderPaid: "buy"}
"""What an act does in a visit, if it is more than a look."""


class Ours:
    def __init__(self, zone: str) -> None:
        self.learner = Learner(zone)
        self._zone = zone

    def learn(self, chunk: Sequence[Recorded]) -> None:
        self.learner.fold(chunk)

    def see(self, event: Act) -> None:
        """Add an act to its visit, and learn nothing from it."""
        for product in products_in(event):
            self.learner.see(shopper_of(event), product, DID.get(type(event), "view"), event.at)

    def for_member(self, member: str, at: int) -> Mapping[str, list[str]]:
        """Return the list for a member's next basket, and each source's alone."""
        return self._lists(member, at, None)

    def for_cart(self, member: str, cart: Sequence[str], at: int) -> Mapping[str, list[str]]:
        """Return the list for the rest of a member's basket, the cart being its latest one so far."""
        return {
            name: [product for product in listed if product not in cart]
            for name, listed in self._lists(member, at, cart).items()
        }

    def for_visit(self, member: str | None, session: str | None, at: int) -> Mapping[str, list[str]]:
        """Return the list for what comes next in a visit, and each source's alone."""
        learner = self.learner
        shopper = f"m.{member}" if member is not None else f"s.{session}"
        learner.visits.pass_time(shopper, at)
        looks = learner.transitions.looks
        popular = [looks.products[number] for number in looks.hottest[2].ranked()[:LISTED]]
        found = learner.visit_lists.ranked(shopper)
        if found is None:
            return {OURS: popular, "popular": popular}
        sources = learner.visit_lists.by_source(found, LISTED)
        return {OURS: filled(learner.visit_lists.names(found, LISTED), popular, LISTED), **sources, "popular": popular}

    def _lists(self, member: str, at: int, cart: Sequence[str] | None) -> Mapping[str, list[str]]:
        """Return the lists for a basket. ``cart``: what it holds already."""
        learner, hot = self.learner, list(self.learner.hot.ranked())
        most = LISTED + len(cart or ())
        if member not in learner.repeat.members:
            calls = [found for product in cart or () for found in learner.pairs.strongest(product)]
            companions = list(dict.fromkeys(other for other, _, _ in sorted(calls, key=lambda found: (-found[2], found[0]))))
            return {OURS: filled(companions, hot, most), "repeat": [], "companion": companions, "popular": hot[:most]}
        listed = learner.listed(member, moment(at, self._zone), cart)
        return {
            OURS: filled(listed.products, hot, most),
            "repeat": listed.offer.of("repeat"),
            "companion": listed.offer.of("companion"),
            "popular": hot[:most],
        }
