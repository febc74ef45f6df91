"""A refund of a wide order names and stores only the lines that it touches."""

from __future__ import annotations

import msgspec

from aggregates.order.decider import order
from aggregates.order.events import OrderLine
from aggregates.order.refund import RefundPart
from tests.aggregates.order.test_refund import paid, refunded

WIDE = tuple(OrderLine(f"p-{number}", 2, 1000, 1000, 1000) for number in range(3_000))


def test_a_refund_of_one_line_of_a_wide_order_is_as_small_as_the_line() -> None:
    history = paid(*WIDE)
    event = refunded(history, "r-1", RefundPart(2_000, 1))
    assert event.parts == ((2_000, 1, 500),)
    assert [line.product for line in event.lines] == ["p-1999"]
    assert len(msgspec.json.encode(event)) < 1_000


def test_sparse_refunds_and_the_rest_sum_to_all_of_a_wide_order() -> None:
    history = paid(*WIDE)
    for number in (1, 1_500, 3_000):
        refunded(history, f"r-{number}", RefundPart(number, 1))
    rest = refunded(history, "rest")
    assert (len(rest.parts), rest.complete) == (3_000, True)
    state = order.rebuild(history)
    assert set(state.refunded) == {2}
    assert sum(state.given_back) == 3_000_000
