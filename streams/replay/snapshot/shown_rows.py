"""What came of each product that was shown: when the same shopper clicked it, put it in a cart and bought it.

A row waits until an event is dated after its last window, or for the end; so memory holds a week of lists, not all of them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from aggregates.behaviour import Clicked, Impressed
from aggregates.cart_events import CartItemAdded
from aggregates.order.events import OrderPaid

CLICK_WINDOW = 30 * 60_000
"""Milliseconds after a list was shown in which a click counts for it."""

WEEK = 7 * 86_400_000
"""Milliseconds after a list was shown in which its product counts as put in a cart, or bought, because of it or not."""

Outcome: TypeAlias = Literal["clicked_at", "carted_at", "bought_at"]


@dataclass(eq=False)
class ShownRow:
    """``values``: those of the row before its outcomes. ``changed``: the position of the event that changed the row last."""

    values: tuple[Any, ...]
    shown_at: int
    month: str
    keys: tuple[tuple[str, str, str], ...]
    changed: int
    outcomes: dict[Outcome, int] = field(default_factory=dict)

    def columns(self) -> tuple[Any, ...]:
        """Return the values of the row, in the order of the table's columns."""
        came = self.outcomes.get
        return (*self.values, came("clicked_at"), came("carted_at"), came("bought_at"), self.changed)


class ShownRows:
    """The rows that may still change, in the order of the log, and by shopper and product."""

    def __init__(self) -> None:
        self._waiting: deque[ShownRow] = deque()
        self._by_key: dict[tuple[str, str, str], list[ShownRow]] = {}

    def show(self, event: Impressed, position: int, day: int, month: str) -> None:
        """Take a list that was shown."""
        propensities = event.propensities or (None,) * len(event.products)
        for rank, (product, propensity) in enumerate(zip(event.products, propensities, strict=False), 1):
            who = event.slot, event.member, event.session
            values = (position, rank, *who, product, propensity, event.strategy, event.at, day)
            row = ShownRow(values, event.at, month, keys_of(event, product), position)
            self._waiting.append(row)
            for key in row.keys:
                self._by_key.setdefault(key, []).append(row)

    def act(self, event: Any, position: int) -> None:
        """Note what an event says about products that were shown to its shopper before."""
        match event:
            case Clicked():
                self._note(event, event.product, "clicked_at", CLICK_WINDOW, position)
            case CartItemAdded():
                self._note(event, event.product, "carted_at", WEEK, position)
            case OrderPaid():
                for product in sorted({line.product for line in event.lines if line.quantity > 0}):
                    self._note(event, product, "bought_at", WEEK, position)

    def finished(self, at: int) -> Iterator[ShownRow]:
        """Yield the rows whose windows were over before the instant ``at``, in the order of the log."""
        while self._waiting and self._waiting[0].shown_at + WEEK < at:
            yield self._release()

    def rest(self) -> Iterator[ShownRow]:
        """Yield the rows that are left."""
        while self._waiting:
            yield self._release()

    def _note(self, event: Any, product: str, outcome: Outcome, window: int, position: int) -> None:
        for key in keys_of(event, product):
            for row in self._by_key.get(key, ()):
                if outcome not in row.outcomes and row.shown_at <= event.at <= row.shown_at + window:
                    row.outcomes[outcome] = event.at
                    row.changed = position

    def _release(self) -> ShownRow:
        row = self._waiting.popleft()
        for key in row.keys:
            left = self._by_key[key]
            left.remove(row)
            if not left:
                del self._by_key[key]
        return row


def keys_of(event: Any, product: str) -> tuple[tuple[str, str, str], ...]:
    """Return by which shopper and product an event is found: its member, and its session."""
    who = (("member", event.member), ("session", event.session))
    return tuple((kind, name, product) for kind, name in who if name is not None)
