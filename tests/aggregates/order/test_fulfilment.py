"""Goods are shipped, delivered and received back in parts; a refund before shipping leaves less to ship."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregates.decider import Context, Refusal
from aggregates.order.decider import PayOrder, order
from aggregates.order.events import Order, OrderLine
from aggregates.order.fulfilment import (
    DeliverOrder,
    LineUnits,
    OrderDelivered,
    OrderReturned,
    OrderShipped,
    ReturnGoods,
    ShipOrder,
)
from aggregates.order.placing import PlaceOrder
from aggregates.order.refund import RefundOrder, RefundPart
from aggregates.programme import Policies

CONTEXT = Context(Policies.first("UTC", "USD"))
LINES = (OrderLine("tea", 3, 300, 300, 300), OrderLine("cup", 1, 500, 500, 500), OrderLine("fee", 0, 10, 10, 10))


class History:
    def __init__(self, *commands: Any) -> None:
        self.events: list[Any] = []
        self.give(PlaceOrder("o", LINES, "USD", 0), PayOrder("o", 0), *commands)

    @property
    def order(self) -> Order:
        return order.rebuild(self.events)

    def give(self, *commands: Any) -> list[Any]:
        decided: list[Any] = []
        for command in commands:
            events = order.decide(command, self.order, CONTEXT)
            self.events += events
            decided += events
        return decided

    def refused(self, command: Any) -> str:
        with pytest.raises(Refusal) as refusal:
            self.give(command)
        return refusal.value.code


def units(*parts: tuple[int, int]) -> tuple[LineUnits, ...]:
    return tuple(LineUnits(line, n) for line, n in parts)


def test_it_is_shipped_when_the_last_unit_is() -> None:
    history = History()
    (first,) = history.give(ShipOrder("o", 1, "a", units((1, 2))))
    assert (first.parts, first.complete, history.order.status) == (((1, 2),), False, "paid")
    assert history.give(ShipOrder("o", 2, "a", units((1, 2)))) == []
    assert history.refused(ShipOrder("o", 2, "a", units((1, 1)))) == "shipment_exists"
    assert history.refused(ShipOrder("o", 2, "b", units((1, 2)))) == "nothing_left"
    assert history.refused(ShipOrder("o", 2, "b", units((4, 1)))) == "line_unknown"
    assert history.refused(ShipOrder("o", 2, "b", units((1, 1), (1, 1)))) == "line_twice"
    (rest,) = history.give(ShipOrder("o", 3))
    assert (rest.shipment, rest.parts, rest.complete) == ("2", ((1, 1), (2, 1)), True)
    assert history.order.status == "shipped"


def test_it_is_delivered_when_the_last_shipment_is() -> None:
    history = History(ShipOrder("o", 1, "a", units((1, 3))), DeliverOrder("o", 2, "a"))
    assert history.order.status == "paid"
    assert history.refused(DeliverOrder("o", 2, "z")) == "shipment_unknown"
    history.give(ShipOrder("o", 3, "b"))
    assert history.give(DeliverOrder("o", 4, "a")) == []
    (last,) = history.give(DeliverOrder("o", 4, "b"))
    assert (last.complete, history.order.status) == (True, "delivered")


def test_without_shipments_all_of_it_arrives() -> None:
    history = History(DeliverOrder("o", 2))
    assert (history.order.status, history.order.fulfilment.out) == ("delivered", (3, 1, 0))


def test_what_is_refunded_before_it_is_shipped_is_not_shipped() -> None:
    history = History(RefundOrder("o", "r", 1, (RefundPart(1, 2),)))
    (shipped,) = history.give(ShipOrder("o", 2))
    assert (shipped.parts, shipped.complete) == (((1, 1), (2, 1)), True)


def test_what_came_back_is_refunded_before_what_waits() -> None:
    history = History(ShipOrder("o", 1, "a", units((1, 1))), ReturnGoods("o", "b", 2, units((1, 1))))
    history.give(RefundOrder("o", "r", 3, (RefundPart(1, 1),)))
    assert history.order.fulfilment.to_ship == (2, 1, 0)


def test_no_more_comes_back_than_was_shipped() -> None:
    history = History(ShipOrder("o", 1, "a", units((1, 2))))
    assert history.refused(ReturnGoods("o", "b", 2, units((1, 3)))) == "nothing_left"
    (back,) = history.give(ReturnGoods("o", "b", 2))
    assert back == OrderReturned(
        order="o", member=None, session=None, returned="b", parts=((1, 2),), restock=True, complete=True, reason="", at=2
    )
    assert history.give(ReturnGoods("o", "b", 2)) == []
    assert history.refused(ReturnGoods("o", "c", 2)) == "nothing_left"


def test_nothing_comes_back_of_an_order_that_was_not_paid() -> None:
    placed = order.rebuild(order.decide(PlaceOrder("o", LINES, "USD", 0), Order(), CONTEXT))
    with pytest.raises(Refusal, match="paid"):
        order.decide(ReturnGoods("o", "b", 2), placed, CONTEXT)


def test_an_old_shipment_was_of_everything() -> None:
    history = History()
    history.events.append(OrderShipped(order="o", member=None, session=None, at=1))
    assert history.order.fulfilment.to_ship == (0, 0, 0)
    history.events.append(OrderDelivered(order="o", member=None, session=None, at=1))
    assert (history.order.status, history.order.fulfilment.out) == ("delivered", (3, 1, 0))


PARTS = st.lists(st.builds(LineUnits, st.integers(1, 2), st.integers(1, 2)), max_size=2).map(tuple)
SMALL = st.integers(1, 2)
NAMES = st.sampled_from("abcd")
acts = st.one_of(
    st.builds(lambda parts, name: ShipOrder("o", 1, name, parts), PARTS, NAMES | st.none()),
    st.builds(lambda name: DeliverOrder("o", 1, name), NAMES | st.none()),
    st.builds(lambda parts, name: ReturnGoods("o", name, 1, parts), PARTS, NAMES),
    st.builds(
        lambda line, n, name: RefundOrder("o", name, 1, (RefundPart(line, n),)), st.integers(1, 2), st.integers(1, 2), NAMES
    ),
)


@given(st.lists(acts, max_size=20))
def test_in_any_order_no_unit_is_shipped_or_returned_twice(commands: list[Any]) -> None:
    history = History()
    for command in commands:
        try:
            history.give(command)
        except Refusal:
            continue
        known = history.order.fulfilment
        assert min(*known.to_ship, *known.out) >= 0
        assert history.order.status not in ("shipped", "delivered") or not any(known.to_ship)
