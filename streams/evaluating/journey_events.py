"""Complete Journey as the events that the recommender learns from, without a log."""

from __future__ import annotations

from collections.abc import Iterator

from aggregates.decider import Context
from aggregates.order.decider import PayOrder
from aggregates.order.events import OrderPaid, net_of
from aggregates.order.placing import PlaceOrder
from aggregates.product import ListProduct, Product, product
from aggregates.programme import Policies
from streams.imports.complete_journey import CompleteJourney

CONTEXT = Context(Policies())
"""No listing of a product depends on the programme."""


def journey_events(journey: CompleteJourney) -> Iterator[object]:
    """Yield products as they are listed and orders as they are paid, in the order of an import."""
    placed: dict[str, PlaceOrder] = {}
    for request in journey.requests():
        commands = request.commands
        for command in () if callable(commands) else commands:  # this import decides nothing as it goes
            match command:
                case ListProduct() as told:
                    yield from product.decide(told, Product(), CONTEXT)
                case PlaceOrder() as told:
                    placed[told.order] = told
                case PayOrder() as told:
                    order = placed.pop(told.order)
                    net = net_of(sum(line.paid for line in order.lines), order.tax)
                    yield OrderPaid(
                        order=order.order,
                        member=order.member,
                        session=order.session,
                        currency=order.currency,
                        lines=order.lines,
                        net=net,
                        at=told.at,
                    )
                case _:
                    pass
