"""One shopper or one bot among many puts no product first, moves no counter beyond one visitor, and shifts no clock.

The reference counts distinct shoppers by day with plain sets. The bot acts as often and as late or early as it likes.
"""

from __future__ import annotations

import random
from typing import TypeAlias

import pytest

from aggregates.behaviour import Clicked, Favourited, Viewed
from aggregates.decider import Recorded
from aggregates.order.events import OrderLine, OrderPaid
from models.learner import Learner
from models.recommender.lists import Popular
from models.recommender.transitions import FORWARD, NEXT
from models.recommender.trending import weights_of

START = 1_772_442_000_000
MINUTE, HOUR = 60_000, 3_600_000
SAMPLE, ALL = 60, 10_000

Done: TypeAlias = Viewed | Clicked | Favourited | OrderPaid


def act(kind: type[Viewed | Clicked | Favourited], shopper: str, product: str, at: int) -> Viewed | Clicked | Favourited:
    return kind(product=product, member=None, session=shopper, at=at)


def order(name: str, shopper: str, as_member: bool, products: tuple[str, ...], at: int) -> OrderPaid:
    lines = tuple(OrderLine(product=product, quantity=1, gross=1, total=1, paid=1) for product in products)
    member, session = (shopper, None) if as_member else (None, shopper)
    return OrderPaid(order=name, member=member, session=session, currency="EUR", lines=lines, net=1, at=at)


def shop_with_a_bot(chance: random.Random) -> list[Done]:
    """Return what many do with good and mug in an hour, and what one does with good and spam, in any order."""
    people, as_member = chance.randint(6, 20), chance.random() < 0.5
    honest: list[list[Done]] = [
        [act(Viewed, f"s{n}", p, START + n * MINUTE + at) for at, p in enumerate(("good", "mug"))] for n in range(people)
    ]
    honest += [[order(f"o{n}", f"s{n}", True, ("good", "mug"), START + n * MINUTE + 9)] for n in range(people)]
    honest += [[order(f"x{n}", f"x{n}", True, (f"p{n % 3}",), START + n * MINUTE)] for n in range(people)]
    skew = chance.choice((0, 0, 20 * HOUR, 400 * 24 * HOUR))
    bot: list[list[Done]] = []
    for n in range(chance.randint(1, 60)):
        at = START + n * 1000
        if chance.random() < 0.3:
            bot.append([order(f"b{n}", "bot", as_member, ("good", "spam"), at)])
        else:
            kind = chance.choice((Viewed, Viewed, Clicked, Favourited))
            bot.append([act(Viewed, "bot", "good", at + skew), act(kind, "bot", "spam", at + skew)])
    parts = honest + bot
    chance.shuffle(parts)
    return [event for part in parts for event in part]


@pytest.mark.parametrize("count", [SAMPLE, pytest.param(ALL, marks=pytest.mark.slow)])
def test_one_bot_among_many_rules_no_list_no_counter_and_no_clock(count: int) -> None:
    tried = 0
    for seed in range(count):
        events = shop_with_a_bot(random.Random(seed))
        learner = Learner("UTC")
        delta = learner.fold([Recorded(position, event) for position, event in enumerate(events, 1)])
        looks = learner.transitions.looks
        for product in ("good", "mug", "spam"):
            acts = [e for e in events if isinstance(e, Viewed | Clicked) and e.product == product]
            visitors = {e.session for e in acts}
            bought = [e for e in events if isinstance(e, OrderPaid) and any(line.product == product for line in e.lines)]
            shoppers = {(e.member, e.session) for e in bought}
            assert learner.items[product].baskets == len(shoppers), seed
            if shoppers:
                (period, most), _ = weights_of(max(e.at for e in bought))
                assert len(shoppers) * most * 0.99 < delta.scores[f"trending:{period}"][product] <= len(shoppers) * most, seed
            if acts:
                counted = looks.count(product)
                assert counted == len(visitors), seed
        honest = [event.at for event in events if (event.session or getattr(event, "member", None)) != "bot"]
        assert learner.visits.clock <= max(honest), seed
        popular = delta.documents["popular"]
        assert isinstance(popular, Popular)
        assert [entry.product for entry in popular.items][:2] == ["good", "mug"], seed
        neighbours = learner.pairs.neighbours("good", 5)
        assert [other for other, *_ in neighbours] == ["mug"], seed
        good = learner.transitions.paths[looks.numbers["good"]]
        mug, spam = (good.places.get(looks.numbers.get(product, -1)) for product in ("mug", "spam"))
        assert mug is not None, seed
        assert spam is None or (good.table[mug, FORWARD : NEXT + 1] > good.table[spam, FORWARD : NEXT + 1]).all(), seed
        tried += 1
    assert tried == count
