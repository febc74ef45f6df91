"""Complete Journey as requests, before anything is imported: each in its time."""

from __future__ import annotations

from functools import cache

from aggregates.order.placing import PlaceOrder
from aggregates.product import ListProduct
from streams.commands.request import Request
from streams.imports.complete_journey import CompleteJourney


@cache
def requests(weeks: int) -> list[Request]:
    return list(CompleteJourney(weeks).requests())


def test_every_product_is_listed_once_before_its_first_sale_or_with_it() -> None:
    listed: set[str] = set()
    for request in requests(8):
        new = [command.product for command in request.known if isinstance(command, ListProduct)]
        assert len(set(new)) == len(new)
        assert listed.isdisjoint(new), request.id
        listed.update(new)
        sold = {line.product for command in request.known if isinstance(command, PlaceOrder) for line in command.lines}
        assert sold <= listed, request.id
    assert listed


def test_requests_come_in_order_of_time() -> None:
    times = [getattr(command, "at") for request in requests(8) for command in request.known]  # noqa: B009 - all have one
    assert times == sorted(times)


def test_request_ids_are_unique() -> None:
    ids = [request.id for request in requests(8)]
    assert len(set(ids)) == len(ids)


def test_a_shorter_import_is_the_beginning_of_a_longer_one() -> None:
    shorter, longer = requests(2), requests(8)
    assert 0 < len(shorter) < len(longer)
    for one, other in zip(shorter, longer, strict=False):
        assert one == other
