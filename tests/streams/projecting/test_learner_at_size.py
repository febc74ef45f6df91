"""The learner with more products than its lists hold, and more neighbours than it keeps of a product."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import pytest
import redis

from aggregates.decider import Recorded
from aggregates.member import MemberErased
from aggregates.order.events import OrderPaid
from aggregates.product import ProductListed, ProductRetired
from infra.redis.views import Views
from models.learner import HOT, Learner
from models.recommender.co_occurrence import NEIGHBOURS
from streams.projecting.dispatch import Dispatch
from streams.projecting.loaders import LearnerLoader
from tests.redis_content import content
from tests.shop import HOUR, START, line

PRODUCTS = [f"p-{number}" for number in range(3 * HOT)]
BASKETS = 120


@pytest.fixture(scope="module")
def history() -> Sequence[Recorded]:
    random = Random(3)
    events: list[object] = [
        ProductListed(
            product=p,
            name=p.upper(),
            department=f"D{p[-1]}",
            category=None,
            brand=None,
            price=100,
            stock=None,
            attributes={},
            at=START,
        )
        for p in PRODUCTS
    ]
    for n in range(BASKETS):
        at = START + n * 20 * HOUR
        products = random.sample(PRODUCTS, 66 if n % 9 == 0 else random.randint(20, 55))
        events.append(
            OrderPaid(
                order=f"{n}",
                member=f"m-{n % 9}",
                session=None,
                currency="USD",
                lines=tuple(map(line, products)),
                net=100,
                at=at,
            )
        )
        if n % 30 == 0:
            events += [ProductRetired(products[0], at), MemberErased(f"m-{n % 9}", at)]
    return [Recorded(position, event) for position, event in enumerate(events, 1)]


def learned(client: redis.Redis, history: Sequence[Recorded], size: int, again: bool) -> dict[str, Any]:
    """What Redis holds after chunks of a size; ``again``: with a new process for each."""
    client.flushall()
    views = Views(client)
    dispatch = Dispatch(views, [LearnerLoader(Learner("UTC"))])
    for at in range(0, len(history), size):
        if again:
            dispatch = Dispatch(views, [LearnerLoader(Learner("UTC"))])
        dispatch.send(history[at : at + size])
        if again:
            dispatch.flush()
    dispatch.flush()
    return content(client, positions=False)


def test_restarts_of_the_learner_do_not_change_its_state(history: Sequence[Recorded], client: redis.Redis) -> None:
    whole = learned(client, history, len(history), again=False)
    neighbours = [len(held) for key, held in whole.items() if key.startswith("v1:pairs:")]
    assert NEIGHBOURS / 2 < max(neighbours) <= 2 * NEIGHBOURS
    assert any(key.startswith("v1:once:") for key in whole)
    assert learned(client, history, 25, again=False) == whole
    assert learned(client, history, 13, again=True) == whole
