"""What baskets teach of products, members and pairs of products, and how it is taken back.

Each shopper counts once a day for a product, so that one of them cannot rule what is shared by buying again and again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import log

import numpy as np

from aggregates.order.events import OrderCancelled, OrderPaid, OrderRefunded
from models.recommender.co_occurrence import LARGEST_BASKET, CoOccurrence
from models.recommender.habits import RepeatBuyers
from models.recommender.items import BASKETS, HEAT, Items, Moment
from models.recommender.receipts import Receipt, ReceiptLine, Receipts
from models.recommender.top_k import Leaders
from models.recommender.trending import Trending
from models.recommender.undoing import Undone, take_back_of_member
from models.recommender.visitors import Visitors


class PurchaseLearner:
    def __init__(
        self,
        items: Items,
        repeat: RepeatBuyers,
        pairs: CoOccurrence,
        visitors: Visitors,
        hot: Leaders[str],
        sold: Leaders[str],
    ) -> None:
        self._items = items
        self._repeat = repeat
        self._pairs = pairs
        self._visitors = visitors
        self._hot, self._sold = hot, sold
        self.trending = Trending()
        self.receipts = Receipts()

    # Learning

    def learn_one(self, event: OrderPaid, member: str | None, basket: Sequence[str], now: Moment, clock: int) -> None:
        """Learn a basket of distinct products. ``member``: whose habits learn it. ``clock``: the shop's."""
        items, size, at = self._items, log(len(basket)), now.at
        items.move_landmark(at)
        bought = self._counted(event, member, basket, clock)
        again = set()
        for product, (times, gap, fresh, _, _) in zip(basket, bought, strict=True):
            if not fresh:
                again.add(product)
                continue
            items.learn_one(product, times, at, gap, size, now.slots)
            item = items[product]
            self._hot.grow(product, item.heat)
            self._sold.grow(product, item.baskets)
            self.trending.learn_one(product, at)
        counted = len(again) < len(basket)
        if counted:
            items.baskets += 1
            items.mirror(basket)
            self._pairs.learn_one(basket, again)
        self._keep(event, member, basket, bought, counted, clock)

    def _counted(
        self, event: OrderPaid, member: str | None, basket: Sequence[str], clock: int
    ) -> Sequence[tuple[int | None, float, bool, int, int]]:
        """Return what :meth:`RepeatBuyers.learn_one` does; of a guest, no times."""
        if member is not None:
            return self._repeat.learn_one(member, basket, event.at)
        if event.member is None and event.session is not None:
            fresh = self._visitors.buy(f"s.{event.session}", basket, event.at, clock)
            return [(None, 0.0, first, 0, 0) for first in fresh]
        return [(None, 0.0, True, 0, 0)] * len(basket)

    def _keep(
        self,
        event: OrderPaid,
        member: str | None,
        basket: Sequence[str],
        bought: Sequence[tuple[int | None, float, bool, int, int]],
        counted: bool,
        clock: int,
    ) -> None:
        products = {
            product: ReceiptLine(0, fresh, since, late)
            for product, (_, _, fresh, since, late) in zip(basket, bought, strict=True)
        }
        for line in event.lines:
            if line.quantity:
                products[line.product].units += line.quantity
        habits = self._repeat.members[member] if member is not None else None
        sequence = habits.baskets + habits.undone if habits else 0
        receipt = Receipt(event.at, member, sequence, len(basket), counted, products)
        self.receipts.add(event.order, receipt, clock)

    # Taking back

    def take_back(self, event: OrderCancelled | OrderRefunded, slots: Sequence[int], receipt: Receipt) -> list[str]:
        """Unlearn what an event gives back of an order, and return the products of which nothing is left."""
        gone = self._give_back(event, receipt)
        if gone:
            undone = take_back_of_member(self._repeat, receipt, [product for product, _ in gone])
            self._uncount([product for product, _ in gone], receipt, undone, slots)
        for product, _ in gone:
            receipt.products[product].units = 0
        self.receipts.change(event.order, receipt)
        return [product for product, _ in gone]

    def _give_back(self, event: OrderCancelled | OrderRefunded, receipt: Receipt) -> list[tuple[str, ReceiptLine]]:
        """Take units off a receipt, and return the products whose last ones go; these keep them for now."""
        everything = isinstance(event, OrderCancelled) or event.complete
        back: dict[str, int] = {}
        for line in event.lines:
            back[line.product] = back.get(line.product, 0) + line.quantity
        gone = []
        for product in receipt.standing:
            purchase = receipt.products[product]
            if everything or back.get(product, 0) >= purchase.units:
                gone.append((product, purchase))
            else:
                purchase.units -= back.get(product, 0)
        return gone

    def _uncount(self, gone: Sequence[str], receipt: Receipt, undone: dict[str, Undone], slots: Sequence[int]) -> None:
        items, size = self._items, log(receipt.size)
        last = {product for product in gone if counts(receipt.products[product], undone.get(product))}
        for product in last:
            found = undone.get(product)
            times, gap = (found.times, found.gap) if found else (None, 0.0)
            items.unlearn_one(product, times, receipt.at, gap, size, slots)
            self.trending.unlearn_one(product, receipt.at)
        if receipt.counted and len(gone) == len(receipt.standing):
            items.baskets -= 1
        self._pairs.unlearn_one(pairs_of(receipt, gone, last))
        items.mirror(receipt.products)
        self._pairs.remake(receipt.products)
        if any(product in self._hot or product in self._sold for product in last):
            self.rank_anew()

    def rank_anew(self) -> None:
        """Find anew what sells most, after something was taken back."""
        items = self._items
        names = list(items)
        for leaders, row in ((self._hot, HEAT), (self._sold, BASKETS)):
            values = items.columns[row, : len(names)]
            least = np.partition(values, -leaders.size)[-leaders.size] if len(values) > leaders.size else 0.0
            among = np.flatnonzero((values >= least) & (items.columns[BASKETS, : len(names)] > 0)).tolist()
            leaders.refill([names[at] for at in among], values[among].tolist())


def counts(purchase: ReceiptLine, undone: Undone | None) -> bool:
    """Return whether a purchase that is given back was the last one for which its shopper counted that day."""
    if undone is None or undone.same_day is None or purchase.late:
        return purchase.counted
    return not undone.same_day


def pairs_of(receipt: Receipt, gone: Sequence[str], last: set[str]) -> Iterable[tuple[str, str]]:
    """Yield the pairs of an order that no longer count: those with a product of ``gone``, unless both were bought otherwise."""
    paired = [product for product in list(receipt.products)[:LARGEST_BASKET] if receipt.products[product].units]
    left = set(gone)
    for at, one in enumerate(paired):
        for two in paired[at + 1 :]:
            if (one in left or two in left) and (one in last or two in last):
                yield one, two
