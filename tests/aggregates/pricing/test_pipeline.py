"""Properties of every price: the checker agrees, nothing costs less than nothing, and entry order decides nothing."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregates.pricing.pipeline import price
from aggregates.pricing.trace import Trace
from aggregates.value import replace
from tests.aggregates.pricing.carts import random_request
from tests.aggregates.pricing.checker import objections
from tests.aggregates.pricing.shops import dinar, order_of_2_4, yen

SEEDS = st.integers(0, 10**9)


def plain(trace: Trace) -> Any:
    return msgspec.json.decode(msgspec.json.encode(trace))


@pytest.mark.parametrize("request_of", [order_of_2_4, yen, dinar])
def test_the_checker_agrees_with_the_worked_examples(request_of: Any) -> None:
    assert objections(plain(price(request_of()).trace)) == []


@given(SEEDS)
def test_the_checker_agrees_with_every_price(seed: int) -> None:
    assert objections(plain(price(random_request(seed)).trace)) == []


COMPUTED = {"entry", "wanted", "amount", "parts", "payable", "tax", "paid", "points", "list_unit", "quantity"}


def changed_by_one(found: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield where in a trace there is a number that was computed, or that everything is computed from."""
    if isinstance(found, dict):
        for name, value in found.items():
            if name not in ("refused", "hints", "op", "limits"):
                yield from changed_by_one(value, (*path, name))
    elif isinstance(found, list):
        for place, value in enumerate(found):
            yield from changed_by_one(value, (*path, place))
    elif type(found) is int and any(name in COMPUTED for name in path if isinstance(name, str)):
        yield path


def with_change(found: Any, path: tuple[Any, ...], by: int) -> Any:
    copy = msgspec.json.decode(msgspec.json.encode(found))
    inner = copy
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] += by
    return copy


@pytest.mark.parametrize("request_of", [order_of_2_4, yen, dinar])
@pytest.mark.parametrize("by", [1, -1])
def test_the_checker_objects_when_one_number_is_changed(request_of: Any, by: int) -> None:
    trace = plain(price(request_of()).trace)
    paths = list(changed_by_one(trace))
    assert len(paths) > 40
    assert [path for path in paths if not objections(with_change(trace, path, by))] == []


@given(SEEDS)
def test_no_line_and_no_order_costs_less_than_nothing(seed: int) -> None:
    trace = price(random_request(seed)).trace
    assert trace.payable >= 0
    assert all(share.paid >= 0 and 0 <= share.tax <= share.paid and share.points >= 0 for share in trace.shares)


@given(SEEDS)
def test_no_unit_costs_less_than_its_floor(seed: int) -> None:
    request = random_request(seed, mode="included")
    floors = {item.id: item.floor * item.quantity for item in request.items}
    for share in price(request).trace.shares:
        assert share.paid >= floors.get(share.line, 0)


@given(SEEDS)
def test_lines_codes_and_campaigns_may_come_in_any_order(seed: int) -> None:
    request = random_request(seed)
    chance = random.Random(seed)
    turned = replace(
        request,
        items=tuple(chance.sample(request.items, len(request.items))),
        campaigns=tuple(chance.sample(request.campaigns, len(request.campaigns))),
        codes=tuple(chance.sample(request.codes, len(request.codes))),
    )
    assert price(turned).trace == price(request).trace


@given(SEEDS)
def test_points_never_pay_more_than_was_asked(seed: int) -> None:
    request = random_request(seed)
    assert price(request).points <= (request.points.points if request.points else 0)
