"""The learner's state as maps of text, written as it changes and restored from there; every number survives exactly.

``items``: a product's counters; ``items:names``: what is said of it; ``learner``: sums over all; ``repeat:{member}``: a
member's habits, what they were last offered and shown; ``pairs:{product}``: baskets together by neighbour, from the second on;
``once:{product}``: the many it was seen with once; ``quality:{day}``: sums of metrics.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from aggregates.calendar import local_day
from aggregates.decider import Recorded
from aggregates.delta import Delta
from aggregates.member import MemberErased
from aggregates.order.events import OrderPaid
from aggregates.product import ProductListed
from models.recommender import habits_state

if TYPE_CHECKING:
    from models.learner import Learner

ITEMS, NAMES, SUMS = "items", "items:names", "learner"
ONCE = "products"


class StateKeeper:
    def __init__(self, learner: Learner) -> None:
        self._learner = learner
        self._held: set[str] = set()
        self._touched_items: set[str] = set()
        self._described: set[str] = set()
        self._erased: dict[str, set[str]] = {}

    # What changed

    def touch(self, basket: Iterable[str]) -> None:
        self._touched_items.update(basket)

    def describe(self, event: ProductListed) -> None:
        item = self._learner.items[event.product]
        item.name, item.department = event.name or "", event.department or ""
        item.category = event.category or ""
        item.staple = "staple" in event.attributes
        item.retired = False
        self._learner.items.describe(event.product)
        self._described.add(event.product)

    def retire(self, product: str) -> None:
        self._learner.items[product].retired = True
        self._learner.items.mirror([product])
        self._described.add(product)

    def erase(self, member: str) -> None:
        habits = self._learner.repeat.members.pop(member, None)
        self._erased[member] = set(habits.places) if habits else set()
        self._learner.repeat.changed.pop(member, None)

    # Bringing state

    def needs(self, chunk: Sequence[Recorded], zone: str) -> list[str]:
        """Return the keys that a chunk needs and that are not in memory."""
        needed = dict.fromkeys((ITEMS, NAMES, SUMS))
        for recorded in chunk:
            event = recorded.event
            if isinstance(event, OrderPaid):
                needed[f"quality:{local_day(event.at, zone)}"] = None
                if event.member is not None:
                    needed[f"repeat:{event.member}"] = None
                for line in event.lines:
                    needed[f"pairs:{line.product}"] = needed[f"once:{line.product}"] = None
            elif isinstance(event, MemberErased):
                needed[f"repeat:{event.member}"] = None
        return [key for key in needed if key not in self._held]

    def restore(self, maps: Mapping[str, Mapping[str, str]]) -> None:
        self._held.update(maps)
        learner = self._learner
        for product in (key.partition(":")[2] for key in maps if key.startswith("pairs:")):
            once = maps[f"once:{product}"].get(ONCE)
            learner.pairs.together[product] = {other: int(count) for other, count in maps[f"pairs:{product}"].items()}
            learner.pairs.once[product] = dict.fromkeys(once.split("\n") if once else ())
        for key, fields in maps.items():
            kind, _, name = key.partition(":")
            if key == ITEMS:
                self._restore_items(fields)
            elif key == NAMES:
                self._restore_names(fields)
            elif key == SUMS and fields:
                items = learner.items
                items.landmark, items.baskets = int(fields["landmark"]), int(fields["baskets"])
                items.buyers, items.returns = int(fields["buyers"]), int(fields["returns"])
                items.surging = int(fields.get("surging", items.landmark))
            elif kind == "repeat" and habits_state.ERASED in fields:
                learner.erased.add(name)
            elif kind == "repeat" and fields:
                habits_state.restore(learner, name, fields)
            elif kind == "quality" and fields:
                learner.quality.days[name] = {field: number(value) for field, value in fields.items()}

    def _restore_items(self, fields: Mapping[str, str]) -> None:
        learner = self._learner
        for product, text in fields.items():
            item = learner.items[product]
            baskets, buyers, returns, heat, surge, gaps = text.split()
            item.baskets, item.buyers, item.returns = int(baskets), int(buyers), int(returns)
            item.heat, item.surge, item.gaps = float(heat), float(surge), float(gaps)
            learner.hot.grow(product, item.heat)
            learner.sold.grow(product, item.baskets)
        if fields:
            learner.items.mirror(fields)

    def _restore_names(self, fields: Mapping[str, str]) -> None:
        for product, text in fields.items():
            item = self._learner.items[product]
            flags, item.department, item.category, item.name = json.loads(text)
            item.staple, item.retired = "s" in flags, "r" in flags
            self._learner.items.describe(product)

    # Writing state

    def write(self, delta: Delta) -> None:
        """Add what changed since the last write."""
        learner = self._learner
        items = learner.items
        for product in self._touched_items:
            item = items[product]
            delta.fields[ITEMS][product] = (
                f"{item.baskets} {item.buyers} {item.returns} {item.heat!r} {item.surge!r} {item.gaps!r}"
            )
        for product in self._described:
            delta.fields[NAMES][product] = self._said(product)
        if self._touched_items:
            delta.fields[SUMS].update(
                landmark=items.landmark, baskets=items.baskets, buyers=items.buyers, returns=items.returns
            )
            if items.surging != items.landmark:
                delta.fields[SUMS]["surging"] = items.surging
        for member, products in self._erased.items():
            delta.fields[f"repeat:{member}"].update(habits_state.erased(products))
        for member, places in learner.repeat.changed.items():
            delta.fields[f"repeat:{member}"].update(habits_state.told(learner, member, places))
        self._write_pairs(delta)
        for day in learner.quality.changed:
            delta.fields[f"quality:{day}"].update((name, repr(value)) for name, value in learner.quality.days[day].items())
        for done in (self._touched_items, self._described, self._erased):
            done.clear()
        learner.repeat.changed.clear()
        learner.pairs.changed.clear()
        learner.quality.changed.clear()

    def _write_pairs(self, delta: Delta) -> None:
        pairs = self._learner.pairs
        for product, others in pairs.changed.items():
            if others:
                together = pairs.together[product]
                delta.fields[f"pairs:{product}"].update({other: together.get(other) for other in others})
            delta.fields[f"once:{product}"][ONCE] = "\n".join(pairs.once[product]) or None

    def _said(self, product: str) -> str:
        item = self._learner.items[product]
        return json.dumps(("s" * item.staple + "r" * item.retired, item.department, item.category, item.name))


def number(text: str) -> float:
    """A sum as it was: whole numbers stay whole."""
    return int(text) if text.isdigit() else float(text)
