"""A learner that is stopped anywhere and restored from its maps goes on as one that never stopped, to the bit."""

from __future__ import annotations

import random
from collections import defaultdict
from itertools import pairwise
from typing import Any

import pytest

from aggregates.behaviour import Clicked, Dismissed, Favourited, Searched, Unfavourited, Viewed
from aggregates.cart_events import (
    CartItemAdded,
)
from aggregates.decider import Recorded
from aggregates.delta import Delta
from aggregates.member import MemberClosed, MemberErased, MemberRegistered
from aggregates.order.events import OrderCancelled, OrderLine, OrderPaid, OrderRefunded
from aggregates.product import ProductListed, ProductRestocked, ProductRetired
from aggregates.session import SessionsForgotten
from models.learner import Learner
from models.recommender import habits, transitions, visits

MINUTE, HOUR = 60_000, 3_600_000
START = 1_483_284_600_000
MEMBERS = (None, "ann", "bob", "cat", "dan")
PRODUCTS = [f"p{n}" for n in range(90)]


def history(seed: int, pace: int = 7 * HOUR) -> list[Recorded]:
    """Return events of a shop whose products change their categories, with a member who leaves."""
    chance = random.Random(seed)
    events: list[object] = []
    for n in range(300):
        at = START + n * pace - chance.randint(0, 20) * HOUR  # some are told late
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
                    stock=chance.choice((None, None, None, 0)),
                    attributes=kind,
                    at=at,
                )
            )
        bought = chance.sample(PRODUCTS[: 8 * (1 + n % 11)], chance.randint(1, 8))
        lines = tuple(OrderLine(product, 1, 100, 100, 100) for product in bought)
        events.append(
            OrderPaid(
                order=f"o{n}",
                member=chance.choice(MEMBERS),
                session=None,
                currency="USD",
                lines=lines,
                net=100,
                at=at,
            )
        )
        if n > 3 and chance.random() < 0.3:
            events.append(given_back(chance, chance.choice([e for e in events if isinstance(e, OrderPaid)][-12:]), at))
        if chance.random() < 0.1:
            events.append(ProductRestocked(product=chance.choice(PRODUCTS), units=chance.choice((-1, 5)), at=at))
        if n == 200:
            events += [MemberErased("dan", at), MemberClosed("cat", "moved", at), ProductRetired("p1", at)]
        if n == 250:
            events.append(MemberRegistered(member="cat", name=None, email=None, birthday=None, profile={}, at=at))
        if n > 200 and chance.random() < 0.1:
            unwanted = chance.choice(PRODUCTS[:8])
            events.append(Dismissed(product=unwanted, member=chance.choice(("ann", "bob")), session=None, at=at))
    return [Recorded(position, event) for position, event in enumerate(events, 1)]


def given_back(chance: random.Random, paid: OrderPaid, at: int) -> OrderCancelled | OrderRefunded:
    """Return a cancellation of an order, or a refund of it or of one of its lines."""
    whole = chance.random() < 0.5
    lines = paid.lines if whole else paid.lines[:1]
    facts: dict[str, Any] = {"order": paid.order, "member": paid.member, "session": paid.session, "currency": "USD", "at": at}
    if whole and chance.random() < 0.5:
        return OrderCancelled(**facts, reason="", lines=lines)
    return OrderRefunded(**facts, refund=f"r{at}", parts=(), lines=lines, net_retained=0, complete=whole)


def line(product: str) -> OrderLine:
    return OrderLine(product=product, quantity=1, gross=1, total=1, paid=1)


def clicks(seed: int) -> list[Recorded]:
    """Return events of a shop where people look more than they buy."""
    chance = random.Random(seed)
    of_product = (*[Viewed] * 6, Clicked, Favourited, Unfavourited, Dismissed)
    events: list[object] = []
    for n in range(600):
        at = START + n * 4 * MINUTE + chance.randrange(15 * MINUTE) + 20 * MINUTE * (n // 60)
        product = chance.choice(PRODUCTS[:14])
        who: dict[str, Any] = {"session": f"s{chance.randrange(6)}", "member": chance.choice((None, None, *MEMBERS))}
        match chance.randrange(12):
            case 0:
                events.append(Searched(query=f"words {n}", **who, shown=(), at=at))
            case 1:
                events.append(CartItemAdded(cart="c", **who, product=product, quantity=1, price=None, at=at))
            case 2:
                lines = (line(product), line(chance.choice(PRODUCTS)))
                events.append(OrderPaid(order=f"o{n}", **who, currency="USD", lines=lines, net=1, at=at))
                if chance.random() < 0.5:
                    events.append(given_back(chance, chance.choice([e for e in events if isinstance(e, OrderPaid)]), at))
            case _:
                events.append(chance.choice(of_product)(product=product, **who, at=at))
        if n == 400:
            events.append(MemberErased(member="dan", at=at))
        if n % 9 == 0:
            events.append(SessionsForgotten(member="dan", sessions=(f"s{chance.randrange(6)}",), at=at))
        if n % 50 == 0:
            events.append(MemberClosed("cat", "moved", at))
        if n % 50 == 10:
            events.append(MemberRegistered(member="cat", name=None, email=None, birthday=None, profile={}, at=at))
    return [Recorded(position, event) for position, event in enumerate(events, 1)]


class Redis:
    """What a Redis would hold. It gives a map's fields in any order."""

    def __init__(self, chance: random.Random) -> None:
        self.maps: defaultdict[str, dict[str, str]] = defaultdict(dict)
        self.documents: dict[str, object] = {}
        self.scores: defaultdict[str, int] = defaultdict(int)
        self._chance = chance

    def apply(self, delta: Delta) -> None:
        self.documents |= delta.documents
        for key, document in delta.documents.items():
            if document is None:
                self.maps.pop(key, None)
        for key, scores in delta.scores.items():
            for name, by in scores.items():
                self.scores[f"{key} {name}"] += by
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
    on_its_way = Delta()  # what was written last is not read by a learner that goes on
    for chunk in chunks:
        if forgetful and forgetful.random() < 0.5:
            redis.apply(on_its_way)
            on_its_way = Delta()
            learner.forget()
        while needed := learner.needs(chunk):
            learner.restore(redis.load(needed))
        redis.apply(on_its_way)
        on_its_way = learner.fold(chunk)
    redis.apply(on_its_way)
    return redis


def hold_equal(whole: list[Recorded], seed: int) -> Redis:
    """Fold with and without interruptions, and compare all that was written."""
    chance = random.Random(seed)
    cuts = [0, *sorted(chance.sample(range(1, len(whole)), 40)), len(whole)]
    undisturbed = folded([whole], None)
    disturbed = folded([whole[a:b] for a, b in pairwise(cuts)], chance)
    kept = {key: fields for key, fields in undisturbed.maps.items() if fields}
    assert {key for key, fields in disturbed.maps.items() if fields} == kept.keys()
    for key, fields in kept.items():
        assert disturbed.maps[key] == fields, key
    documents = {key: document for key, document in disturbed.documents.items() if document is not None}
    assert documents == {key: document for key, document in undisturbed.documents.items() if document is not None}
    assert {key: score for key, score in disturbed.scores.items() if score} == {
        key: score for key, score in undisturbed.scores.items() if score
    }
    return undisturbed


@pytest.mark.parametrize(("seed", "pace"), [*((seed, 7 * HOUR) for seed in range(4)), (4, 1000 * HOUR)])
def test_a_learner_that_forgets_again_and_again_ends_the_same(seed: int, pace: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(habits, "LONGEST_RUN", 30)
    monkeypatch.setattr(habits, "MOST", 60)
    monkeypatch.setattr(habits, "KEPT", 45)
    redis = hold_equal(history(seed, pace), seed)
    assert any(key.startswith("repeat:") for key in redis.maps)


@pytest.mark.parametrize("seed", range(8))
def test_visits_end_the_same_when_the_learner_forgets(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transitions, "KEPT", 3)
    monkeypatch.setattr(transitions, "UNORDERED", 2)
    monkeypatch.setattr(visits, "ALL_LEARNED", 40)
    monkeypatch.setattr(visits, "ALL_MEASURED", 20)
    monkeypatch.setattr(transitions.TransitionCounts.__init__, "__defaults__", (50,))
    redis = hold_equal(clicks(seed), seed)
    assert redis.maps["visiting"]
    assert redis.maps["visit-ranker"]


def test_acts_of_one_instant_may_be_in_different_chunks() -> None:
    looks = [Viewed(product=p, member=None, session="s", at=START) for p in ("p1", "p2", "p3")]
    whole = [Recorded(position, look) for position, look in enumerate(looks, 1)]
    assert folded([[one] for one in whole], None).maps == folded([whole], None).maps
