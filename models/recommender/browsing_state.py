"""The state of browsing as maps of text, written as it changes and restored from there; every number survives exactly.

``visiting``: the visits going on, by shopper; ``visits``: those that went before; ``looks``: how often products were looked at;
``dismissed``: by shopper; ``browsing``: sums; ``paths:{product}``: times by type and product.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping

from aggregates.delta import Delta
from models.recommender.browsing import Browsing
from models.recommender.visits import Visit

VISITING, VISITS, LOOKS, DISMISSED, SUMS = WHOLE = ("visiting", "visits", "looks", "dismissed", "browsing")
PARTS = (*WHOLE, "paths")


class BrowsingState:
    def __init__(self, browsing: Browsing) -> None:
        self._browsing = browsing
        self._held: set[str] = set()

    def needs(self, touched: Mapping[str, Iterable[str]], visiting: Collection[str]) -> list[str]:
        """Return the keys that acts on the ``touched`` products, by shopper, need and that are not in memory.

        Call it again once these are restored: the visits that they hold name further ones.

        ``visiting``: shoppers who do more than buy, so that they have a visit.
        """
        if VISITING not in self._held:
            return list(WHOLE)
        live = self._browsing.visits.live
        needed: dict[str, None] = {}
        for shopper, products in touched.items():
            visit = live.get(shopper)
            if visit or shopper in visiting:
                needed.update(dict.fromkeys(products))
            if visit:
                needed.update(dict.fromkeys(visit.products))
        return [key for product in needed if (key := f"paths:{product}") not in self._held]

    def restore(self, maps: Mapping[str, Mapping[str, str]]) -> None:
        self._held.update(maps)
        browsing = self._browsing
        visits, paths = browsing.visits, browsing.paths
        for key, fields in maps.items():
            kind, _, name = key.partition(":")
            if kind == "paths" and fields:
                paths.counts[name] = counts_of(fields)
            elif key == VISITING:
                for shopper, visit in sorted(((s, visit_of(text)) for s, text in fields.items()), key=lambda v: v[1][0]):
                    visits.live[shopper] = visit[1]
            elif key == VISITS:
                for number in sorted(map(int, fields)):
                    visits.close(number, tuple(json.loads(fields[str(number)])))
            elif key == LOOKS:
                for product, text in fields.items():
                    looks, heat = text.split()
                    paths.looks[product], paths.heat[product] = int(looks), float(heat)
                    paths.hot.grow(product, paths.heat[product])
            elif key == DISMISSED:
                browsing.dismissed.update({shopper: dict.fromkeys(json.loads(text)) for shopper, text in fields.items()})
            elif key == SUMS and fields:
                visits.number, visits.clock = int(fields["number"]), int(fields["clock"])
                visits.turn = int(fields["turn"])
                paths.landmark = int(fields["landmark"]) if "landmark" in fields else None

    def write(self, delta: Delta) -> None:
        """Add what changed since the last write."""
        browsing = self._browsing
        visits, paths = browsing.visits, browsing.paths
        self._write_visits(delta)
        for product in paths.looked:
            delta.fields[LOOKS][product] = f"{paths.looks[product]} {paths.heat[product]!r}"
        for product, changed in paths.changed.items():
            counts = paths.counts[product]
            delta.fields[f"paths:{product}"].update({f"{kind} {other}": counts[kind].get(other) for kind, other in changed})
        for shopper in browsing.refused:
            unwanted = browsing.dismissed.get(shopper)
            delta.fields[DISMISSED][shopper] = json.dumps(list(unwanted)) if unwanted else None
        if visits.clock:
            delta.fields[SUMS].update(number=visits.number, clock=visits.clock, turn=visits.turn, landmark=paths.landmark)
        for done in (paths.looked, paths.changed, browsing.refused, visits.touched, visits.ended, visits.moved):
            done.clear()

    def _write_visits(self, delta: Delta) -> None:
        visits = self._browsing.visits
        for shopper in visits.ended:
            if shopper not in visits.live:
                delta.fields[VISITING][shopper] = None
        for shopper in visits.touched:
            delta.fields[VISITING][shopper] = text_of(visits.live[shopper])
        for number in visits.moved:
            products = visits.closed.get(number)
            delta.fields[VISITS][str(number)] = json.dumps(products) if products else None


def counts_of(fields: Mapping[str, str]) -> dict[str, dict[str, int]]:
    """
    >>> counts_of({"view pot": "2", "buy pot": "1", "view cup": "1"})
    {'view': {'pot': 2, 'cup': 1}, 'buy': {'pot': 1}}
    """
    counts: dict[str, dict[str, int]] = {}
    for field, times in fields.items():
        kind, _, other = field.partition(" ")
        counts.setdefault(kind, {})[other] = int(times)
    return counts


def text_of(visit: Visit) -> str:
    return json.dumps([visit.turn, visit.at, list(visit.products.items()), list(visit.liked), list(visit.searched)])


def visit_of(text: str) -> tuple[int, Visit]:
    """A visit, and its turn: which of those going on was touched before which."""
    turn, at, products, liked, searched = json.loads(text)
    return turn, Visit(at, turn, dict(products), dict.fromkeys(liked), dict.fromkeys(searched))
