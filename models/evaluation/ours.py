"""The recommender itself, as the evaluation asks it: taught by events in their order, asked before each is learned.

This is the one place that knows how the learner's lists are had before a storefront's rules take anything off them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aggregates.behaviour import Favourited
from aggregates.cart import CartItemAdded
from aggregates.decider import Recorded
from aggregates.order.events import OrderPaid
from models.evaluation.facts import Act, products_in
from models.learner import Learner
from models.recommender.browsing import shopper_of
from models.recommender.lists import LISTED
from models.recommender.visits import Visit, add

OURS = "regulars"

DID: dict[type, str] = {Favourited: "like", CartItemAdded: "cart", OrderPaid: "buy"}
"""What an act does in a visit, if it is more than a look."""


class Ours:
    def __init__(self, zone: str) -> None:
        self.learner = Learner(zone)

    def learn(self, chunk: Sequence[Recorded]) -> None:
        self.learner.fold(chunk)

    def freeze(self) -> None:
        """Learn nothing from now on, not even from visits that end; :meth:`see` is for what still happens in visits."""
        self.learner.browsing.visits.learning = False

    def see(self, event: Act) -> None:
        """Add an act to its visit, and learn nothing from it."""
        visit = self.learner.browsing.visits.visit(shopper_of(event), event.at)
        for product in products_in(event):
            add(visit.products, product, DID.get(type(event), "view"))

    def for_member(self, member: str, at: int) -> Mapping[str, list[str]]:
        """Return the list for a member's next basket, and each source's alone."""
        learner = self.learner
        hot, offer = learner.hot.ranked()[:LISTED], learner.offers.get(member)
        return {
            OURS: list(learner.shown.get(member) or hot),
            "repeat": offer.of("repeat") if offer else [],
            "companion": offer.of("companion") if offer else [],
            "popular": hot,
        }

    def for_cart(self, member: str, cart: Sequence[str], at: int) -> Mapping[str, list[str]]:
        """Return the list for the rest of a member's basket, the cart being its latest one so far."""
        learner = self.learner
        neighbours = learner.slots.neighbours([product for product in cart if learner.items[product].baskets])
        hot = learner.hot.ranked()
        if member in learner.repeat.members:
            offer, entries = learner.listed(member, neighbours, at)
            lists = {
                OURS: [entry.product for entry in entries],
                "repeat": offer.of("repeat"),
                "companion": offer.of("companion"),
            }
        else:
            strongest = sorted((-score, other) for found in neighbours.values() for other, _, score in found)
            companions = list(dict.fromkeys(other for _, other in strongest))
            lists = {OURS: [*companions, *hot], "repeat": [], "companion": companions}
        return {
            name: list(dict.fromkeys(product for product in listed if product not in cart))
            for name, listed in {**lists, "popular": hot}.items()
        }

    def for_visit(self, member: str | None, session: str | None, at: int) -> Mapping[str, list[str]]:
        """Return the list for what comes next in a visit, and each source's alone."""
        learner = self.learner
        shopper = f"m.{member}" if member is not None else f"s.{session}"
        visit = learner.browsing.visits.live.get(shopper) or Visit(0)
        popular = dict.fromkeys((*learner.hot.ranked(), *learner.browsing.paths.hot.ranked()))
        return {
            OURS: [entry.product for entry in learner.visitors.shown(shopper)],
            "revisit": learner.browsing.revisit(visit, LISTED),
            "onward": [found.product for found in learner.browsing.onward(visit, LISTED)] if visit.products else [],
            "popular": list(popular)[:LISTED],
        }
