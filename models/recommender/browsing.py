"""What a shopper may want next, told from what they are looking at: for guests, and for members of whom nothing else is known.

First what they looked at and did not take (going back to it is what shoppers do most), then where those products lead: paths
from each of the latest, and what the most similar visits before had besides.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from aggregates.behaviour import Clicked, Dismissed, Favourited, Searched, Unfavourited, Viewed
from aggregates.cart import CartItemAdded
from aggregates.order.events import OrderPaid
from models.recommender.strongest import strongest
from models.recommender.transitions import BACK, Paths
from models.recommender.visits import Visit, Visits, add

LATEST = 5
"""Products of a visit that a list is made from."""

PATHS = 20  # from each of them
RECENT, ALIKE = 100, 50  # visits with a product that are compared; those most alike that are asked
NOTHING = (0.0, "")
MOST_DISMISSED = 200  # products a member or a guest does not want to see, the latest

Event: TypeAlias = Viewed | Clicked | Favourited | Unfavourited | Dismissed | Searched | CartItemAdded


@dataclass(frozen=True)
class Onward:
    """A product, how strongly the visit leads to it, and the product of the visit that leads to it most."""

    product: str
    score: float
    because: str


class Browsing:
    """``dismissed``: by shopper, what they do not want to see."""

    def __init__(self) -> None:
        self.visits = Visits(self._over)
        self.paths = Paths()
        self.dismissed: dict[str, dict[str, None]] = {}
        self.refused: set[str] = set()  # shoppers whose dismissed products are not as they were written last

    def learn_one(self, event: Event) -> str | None:
        """Learn from one act; the shopper whose list is another one now, if any."""
        shopper = shopper_of(event)
        match event:
            case Viewed() | Clicked():
                self._act(shopper, event.product, "view", event.at)
            case Favourited():
                self._act(shopper, event.product, "like", event.at)
                add(self.visits.visit(shopper, event.at).liked, event.product, None)
                self._want(shopper, event.product)
            case Unfavourited():
                self.visits.visit(shopper, event.at).liked.pop(event.product, None)
            case Dismissed():
                self._refuse(shopper, event.product, event.at)
            case Searched():
                add(self.visits.visit(shopper, event.at).searched, event.query, None)
            case CartItemAdded():
                if shopper not in self.visits.live:
                    return None  # who only shops is told by their baskets
                self._act(shopper, event.product, "cart", event.at)
        return shopper

    def learn_basket(self, event: OrderPaid, basket: Collection[str]) -> None:
        """What was bought in a visit that had looked at other things before."""
        self.visits.pass_time(event.at)
        if (event.member is None and event.session is None) or (shopper := shopper_of(event)) not in self.visits.live:
            return
        for product in basket:
            self._act(shopper, product, "buy", event.at)

    def forget(self, shopper: str) -> None:
        self.visits.forget(shopper)
        if self.dismissed.pop(shopper, None) is not None:
            self.refused.add(shopper)

    def revisit(self, visit: Visit, count: int) -> list[str]:
        """What was looked at and not taken, the latest first; the very latest is before the shopper's eyes."""
        seen = [product for product, kind in visit.products.items() if kind in ("view", "like")]
        if seen and seen[-1] == next(reversed(visit.products)):
            seen.pop()
        return seen[: -count - 1 : -1]

    def onward(self, visit: Visit, count: int) -> list[Onward]:
        """Where the visit leads, to what it has not seen; strongest first, ties by id."""
        latest = visit.latest(LATEST)
        scores: dict[str, float] = {}
        because: dict[str, tuple[float, str]] = {}
        for place, product in enumerate(latest):
            weight = 1.0 - place / LATEST
            for other, strength in self.paths.onward(product, PATHS):
                gain = weight * strength
                scores[other] = scores.get(other, 0.0) + gain
                if gain > because.get(other, NOTHING)[0]:
                    because[other] = gain, product
        alike = list(self.visits.neighbours(latest, RECENT, ALIKE))
        whole = sum(likeness for likeness, _ in alike)
        for likeness, had in alike:
            share = likeness / whole
            for other in had:
                scores[other] = scores.get(other, 0.0) + share
        for seen in visit.products:
            scores.pop(seen, None)
        return [Onward(other, score, because.get(other, (0.0, latest[0]))[1]) for other, score in strongest(scores, count)]

    def unwanted(self, shopper: str) -> Mapping[str, None]:
        return self.dismissed.get(shopper, {})

    def _act(self, shopper: str, product: str, kind: str, at: int) -> None:
        visit = self.visits.visit(shopper, at)
        before = [other for other in visit.latest(BACK + 1) if other != product][:BACK]
        self.paths.learn_one(product, kind, before, at)
        add(visit.products, product, kind)

    def _refuse(self, shopper: str, product: str, at: int) -> None:
        visit = self.visits.visit(shopper, at)
        visit.products.pop(product, None)
        visit.liked.pop(product, None)
        unwanted = self.dismissed.setdefault(shopper, {})
        unwanted.pop(product, None)
        unwanted[product] = None
        if len(unwanted) > MOST_DISMISSED:
            del unwanted[next(iter(unwanted))]
        self.refused.add(shopper)

    def _over(self, shopper: str) -> None:
        """A guest is nobody once their visit is over."""
        if is_guest(shopper) and self.dismissed.pop(shopper, None) is not None:
            self.refused.add(shopper)

    def _want(self, shopper: str, product: str) -> None:
        if product in self.dismissed.get(shopper, ()):
            del self.dismissed[shopper][product]
            self.refused.add(shopper)


def shopper_of(event: Event | OrderPaid) -> str:
    """A member, else a session: ``m.42``, ``s.a7``."""
    return f"m.{event.member}" if event.member is not None else f"s.{event.session}"


def is_guest(shopper: str) -> bool:
    return shopper.startswith("s.")
