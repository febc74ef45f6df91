"""A shop made up for tests: visits and baskets with a structure that is known, the same for the same seed.

Members buy favourites again and again, at a rhythm of their own; later, half of their favourites are others (drift).
Some products sell in every fourth week alone (season), some come later than others (new). Visits walk along a ring of
products, mostly forward, and often look again at what they have seen. Bots look at hundreds of products in a visit.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

START = 1_700_000_000_000
DAY = 86_400_000
WEEK = 7 * DAY


@dataclass(frozen=True)
class Shop:
    members: int = 20
    products: int = 120
    weeks: int = 12
    visits: int = 300
    bots: int = 1
    seed: int = 7

    def lines(self) -> list[dict[str, Any]]:
        """Return the lines of a shop-log, in order of time."""
        random = Random(self.seed)
        told = [*self._catalogue(), *self._baskets(random), *self._visits(random), *self._robots(random)]
        return sorted(told, key=lambda line: int(line["at"]))

    def write(self, path: Path) -> Path:
        path.write_text("".join(json.dumps(line) + "\n" for line in self.lines()))
        return path

    def sold_from(self, product: int) -> int:
        """Return the week in which a product is new: one in ten comes halfway."""
        return self.weeks // 2 if product % 10 == 9 else 0

    def favourites(self, member: int, week: int) -> list[int]:
        """Return what a member buys again; half of them are others in the second half."""
        drawn = Random(f"{self.seed}/{member}")
        first, second = drawn.sample(range(self.products), 8), drawn.sample(range(self.products), 4)
        return first if week < self.weeks // 2 else [*first[:4], *second]

    def _catalogue(self) -> Iterator[dict[str, Any]]:
        for product in range(self.products):
            path = [f"d{product % 3}", f"c{product % 12}"]
            yield {"type": "product", "at": START, "product_id": f"p{product}", "name": f"Product {product}", "category": path}

    def _baskets(self, random: Random) -> Iterator[dict[str, Any]]:
        number = 0
        for member in range(self.members):
            at, gap = START + random.randrange(WEEK), random.choice((3, 7, 10)) * DAY
            while at < START + self.weeks * WEEK:
                week = (at - START) // WEEK
                bought = [p for p in self.favourites(member, week) if random.random() < 0.6]
                bought += [random.randrange(self.products) for _ in range(random.randrange(3))]
                bought += [0, 1] if week % 4 == 3 and random.random() < 0.7 else []
                bought = [p for p in dict.fromkeys(bought) if self.sold_from(p) <= week]
                if bought:
                    lines = [{"product_id": f"p{p}", "quantity": 1, "total": "2.50"} for p in bought]
                    yield {"type": "order", "at": at, "order_id": f"o{number}", "member_id": f"m{member}", "lines": lines}
                    number += 1
                at += int(gap * random.uniform(0.7, 1.3))

    def _visits(self, random: Random) -> Iterator[dict[str, Any]]:
        for visit in range(self.visits):
            at = START + random.randrange(self.weeks * WEEK)
            product, seen = random.randrange(self.products), list[int]()
            for _ in range(random.randint(1, 8)):
                seen.append(product)
                yield {"type": "view", "at": at, "session_id": f"s{visit}", "product_id": f"p{product}"}
                at += random.randrange(5_000, 240_000)
                again = random.random() < 0.3
                product = random.choice(seen) if again else (product + random.choice((1, 1, 1, 2, -1))) % self.products

    def _robots(self, random: Random) -> Iterator[dict[str, Any]]:
        for bot in range(self.bots):
            at = START + random.randrange(self.weeks * WEEK)
            for step in range(200):
                product = f"p{random.randrange(self.products)}"
                yield {"type": "view", "at": at + 500 * step, "session_id": f"bot{bot}", "product_id": product}
