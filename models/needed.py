"""The keys of the learner's state that a chunk needs, as far as they can be told from what was read so far."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from aggregates.behaviour import Clicked, Dismissed, Searched, Viewed
from aggregates.calendar import local_day
from aggregates.cart_events import CartItemAdded
from aggregates.decider import Recorded
from aggregates.member import MemberClosed, MemberErased, MemberRegistered
from aggregates.order.events import OrderCancelled, OrderPaid, OrderRefunded
from aggregates.product import ProductListed, ProductRetired
from models.acts import ACTS, shopper_of
from models.recommender import transitions as of_transitions
from models.recommender.co_occurrence import CoOccurrence
from models.recommender.habits import RepeatBuyers
from models.recommender.list_index import LISTING, ListIndex
from models.recommender.receipts import Receipts
from models.recommender.visits import Visits, is_guest


class Needed:
    def __init__(
        self,
        zone: str,
        repeat: RepeatBuyers,
        pairs: CoOccurrence,
        visits: Visits,
        receipts: Receipts,
        index: ListIndex,
    ) -> None:
        self._zone = zone
        self._repeat = repeat
        self._pairs = pairs
        self._visits = visits
        self._receipts = receipts
        self._index = index

    def of_chunk(self, chunk: Sequence[Recorded]) -> Iterator[str]:
        visiting = {shopper_of(r.event) for r in chunk if isinstance(r.event, ACTS) and not isinstance(r.event, CartItemAdded)}
        for recorded in chunk:
            match recorded.event:
                case OrderPaid() as event:
                    products = [line.product for line in event.lines]
                    yield f"quality:{local_day(event.at, self._zone)}"
                    for product in products:
                        yield from (f"pairs:{product}", f"once:{product}")
                    if event.member is not None:
                        yield from self.of_member(event.member)
                    if event.member is not None or event.session is not None:
                        yield from self._of_visit(shopper_of(event), products, visiting)
                case OrderCancelled() | OrderRefunded() as event:
                    yield from self._to_take_back(event)
                    if event.member is not None or event.session is not None:
                        yield from self._of_visit(shopper_of(event), (), visiting)
                case ProductRetired() | ProductListed(stock=0) as event:
                    yield from self._to_leave_lists(event.product)
                case MemberRegistered() | MemberClosed() | MemberErased() as event:
                    yield f"repeat:{event.member}"
                case Dismissed() as event if event.member is not None:
                    yield from self.of_member(event.member)
                    yield from self._of_visit(shopper_of(event), [event.product], visiting)
                case event if isinstance(event, ACTS):
                    if event.member is not None:
                        yield f"repeat:{event.member}"
                    if isinstance(event, Viewed | Clicked):
                        yield f"quality:{local_day(event.at, self._zone)}"
                    products = [] if isinstance(event, Searched) else [event.product]
                    yield from self._of_visit(shopper_of(event), products, visiting)

    def of_member(self, member: str) -> Iterator[str]:
        yield f"repeat:{member}"
        if habits := self._repeat.members.get(member):
            for product in habits.latest_basket():
                yield f"once:{product}"

    def _to_leave_lists(self, product: str) -> Iterator[str]:
        """Return what all lists that hold a product are made from, and all pages of visits."""
        yield f"listed:{product}"
        for other in self._pairs.listing(product):
            yield from (f"pairs:{other}", f"once:{other}")
        yield f"{LISTING}:{product}"
        for member in self._index.holders(product):
            yield from self.of_member(member)
        for shopper, visit in self._visits.live.items():
            if not is_guest(shopper):
                yield f"repeat:{shopper[2:]}"
            for seen in visit.products:
                yield f"{of_transitions.PATHS}:{seen}"

    def _to_take_back(self, event: OrderCancelled | OrderRefunded) -> Iterator[str]:
        """Return what an order taught, and all that may be the member's latest basket afterwards."""
        receipt = self._receipts.get(event.order)
        for product in receipt.products if receipt else ():
            yield from (f"pairs:{product}", f"once:{product}")
        if event.member is not None:
            yield f"repeat:{event.member}"
            habits = self._repeat.members.get(event.member)
            for product in habits.products if habits else ():
                yield f"once:{product}"

    def _of_visit(self, shopper: str, products: Sequence[str], visiting: Collection[str]) -> Iterator[str]:
        """Return the paths of what an act concerns. ``visiting``: shoppers who may begin a visit in this chunk."""
        visit = self._visits.live.get(shopper)
        if visit is not None or shopper in visiting:
            for product in (*products, *(visit.products if visit else ())):
                yield f"{of_transitions.PATHS}:{product}"
