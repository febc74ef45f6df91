"""A learner that is stopped anywhere and brought back from its maps goes on as one that never stopped, to the bit."""

from __future__ import annotations

import random
from collections import defaultdict
from itertools import pairwise

import pytest

from aggregates.decider import Recorded
from aggregates.delta import Delta
from aggregates.member import MemberErased
from aggregates.order.events import OrderLine, OrderPaid
from aggregates.product import ProductListed, ProductRetired
from models.learner import Learner
from models.recommender import repeat

HOUR = 3_600_000
PRODUCTS = [f"p{n}" for n in range(90)]


def history(seed: int, pace: int = 7 * HOUR) -> list[Recorded]:
    """A shop of some categories, whose products are now and then listed anew in another, with a member who leaves."""
    chance = random.Random(seed)
    events: list[object] = []
    for n in range(300):
        at = 1_483_284_600_000 + n * pace - chance.randint(0, 20) * HOUR  # some are told late
        listed = chance.sample(PRODUCTS, 40 if n == 0 else 1)
        for product in listed:
            category, kind = chance.choice((None, "tea", "bread", "fuel")), {"staple": "fuel"} if chance.random() < 0.1 else {}
            events.append(
                ProductListed(
                    product=product,
                    name=product.upper(),
                    department="D",
                    category=category,
                    brand=None,
                    price=None,
                    stock=None,
                    attributes=kind,
                    at=at,
                )
            )
        bought = chance.sample(PRODUCTS[: 8 * (1 + n % 11)], chance.randint(1, 8))
        lines = tuple(OrderLine(product, 1, 100, 100, 100) for product in bought)
        events.append(
            OrderPaid(
                order=f"o{n}",
                member=chance.choice((None, "ann", "bob", "cat", "dan")),
                session=None,
                currency="USD",
                lines=lines,
                net=100,
                at=at,
            )
        )
        if n == 200:
            events += [MemberErased("dan", at), ProductRetired("p1", at)]
    return [Recorded(position, event) for position, event in enumerate(events, 1)]


class Redis:
    """What a Redis would hold; it gives a map's fields in any order."""

    def __init__(self, chance: random.Random) -> None:
        self.maps: defaultdict[str, dict[str, str]] = defaultdict(dict)
        self.documents: dict[str, object] = {}
        self._chance = chance

    def apply(self, delta: Delta) -> None:
        self.documents |= delta.documents
        for key, fields in delta.fields.items():
            for name, value in fields.items():
                self.maps[key].pop(name, None)
                if value is not None:
                    self.maps[key][name] = str(value)

    def load(self, keys: list[str]) -> dict[str, dict[str, str]]:
        found = {}
        for key in keys:
            fields = list(self.maps.get(key, {}).items())
            self._chance.shuffle(fields)
            found[key] = dict(fields)
        return found


def folded(chunks: list[list[Recorded]], forgetful: random.Random | None) -> Redis:
    redis, learner = Redis(random.Random(9)), Learner("America/New_York")
    for chunk in chunks:
        if forgetful and forgetful.random() < 0.5:
            learner.forget()
        while missing := learner.needs(chunk):
            learner.restore(redis.load(missing))
        redis.apply(learner.fold(chunk))
    return redis


@pytest.mark.parametrize(("seed", "pace"), [*((seed, 7 * HOUR) for seed in range(4)), (4, 1000 * HOUR)])
def test_a_learner_that_forgets_again_and_again_ends_the_same(seed: int, pace: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeat, "LONGEST_RUN", 30)
    whole, chance = history(seed, pace), random.Random(seed)
    cuts = [0, *sorted(chance.sample(range(1, len(whole)), 40)), len(whole)]
    undisturbed = folded([whole], None)
    disturbed = folded([whole[a:b] for a, b in pairwise(cuts)], chance)
    assert disturbed.maps.keys() == undisturbed.maps.keys()
    for key, fields in undisturbed.maps.items():
        assert disturbed.maps[key] == fields, key
    assert disturbed.documents == undisturbed.documents
