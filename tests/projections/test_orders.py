from __future__ import annotations

from typing import Any

from aggregates.decider import Recorded
from aggregates.member import MemberErased
from aggregates.order.events import (
    OrderCancelled,
    OrderLine,
    OrderPaid,
    OrderPlaced,
    OrderRefunded,
)
from aggregates.order.fulfilment import OrderDelivered, OrderShipped
from aggregates.value import replace
from projections.orders import KEPT, MemberOrders, OrderEntry, OrderInFull, orders
from tests.projections.folding import Contents, folded, removed

LINES = (OrderLine("tea", 2, gross=1200, total=1000, paid=900), OrderLine("milk", 1, gross=300, total=300, paid=300))
WHOSE: dict[str, Any] = {"order": "o", "member": "m", "session": None}
PLACED = OrderPlaced(order="o", member="m", session=None, cart="c", currency="USD", lines=LINES, tax=80, at=1)
PAID = OrderPaid(**WHOSE, currency="USD", lines=LINES, net=1120, at=2)
SHIPPED = OrderShipped(**WHOSE, at=3)
DELIVERED = OrderDelivered(**WHOSE, at=4)
HALF_BACK = OrderRefunded(
    order="o",
    refund="r-1",
    member="m",
    session=None,
    currency="USD",
    parts=((1, 1, 450),),
    lines=(replace(LINES[0], quantity=1, paid=450),),
    net_retained=700,
    complete=False,
    at=5,
)
REST_BACK = OrderRefunded(
    order="o",
    refund="r-2",
    member="m",
    session=None,
    currency="USD",
    parts=((1, 1, 450), (2, 1, 300)),
    lines=(replace(LINES[0], quantity=1, paid=450), LINES[1]),
    net_retained=0,
    complete=True,
    at=6,
)
IN_FULL = OrderInFull(
    "o", "m", "c", "placed", "USD", LINES, gross=1500, total=1300, paid=1200, tax=80, refunded=0,
    placed_at=1, paid_at=None, shipped_at=None, delivered_at=None, position=1,
)  # fmt: skip


def numbered(number: int, at: int | None = None) -> OrderPlaced:
    return replace(PLACED, order=f"o-{number}", at=number if at is None else at)


def shown(*events: object) -> OrderInFull:
    view = folded(orders, *events)["order:o"]
    assert isinstance(view, OrderInFull)
    return view


def listed(contents: Contents) -> list[str]:
    view = contents["orders:m"]
    assert isinstance(view, MemberOrders)
    return [entry.order for entry in view.orders]


def test_a_placed_order_is_shown_in_full_and_in_the_list() -> None:
    assert folded(orders, PLACED) == {
        "order:o": IN_FULL,
        "orders:m": MemberOrders("m", (OrderEntry("o", at=1),), position=1),
    }


def test_every_step_of_an_order_is_dated() -> None:
    assert shown(PLACED, PAID) == replace(IN_FULL, status="paid", paid_at=2, position=2)
    assert shown(PLACED, PAID, SHIPPED) == replace(IN_FULL, status="shipped", paid_at=2, shipped_at=3, position=3)
    assert shown(PLACED, PAID, DELIVERED) == replace(IN_FULL, status="delivered", paid_at=2, delivered_at=4, position=3)


def test_a_later_step_changes_the_order_and_not_the_list() -> None:
    steps = (PLACED, PAID, SHIPPED, DELIVERED, HALF_BACK, REST_BACK)
    contents = [folded(orders, *steps[: length + 1]) for length in range(len(steps))]
    statuses = [shown(*steps[: length + 1]).status for length in range(len(steps))]
    assert statuses == ["placed", "paid", "shipped", "delivered", "delivered", "refunded"]
    assert all(view["orders:m"] == contents[0]["orders:m"] for view in contents)


def test_a_later_step_needs_the_order_alone() -> None:
    assert {type(event): orders.keys[type(event)](event) for event in (PLACED, PAID, HALF_BACK, MemberErased("m", at=9))} == {
        OrderPlaced: ("orders:m",),
        OrderPaid: ("order:o",),
        OrderRefunded: ("order:o",),
        MemberErased: ("orders:m",),
    }


def test_an_order_is_not_read_before_it_is_placed() -> None:
    assert orders.needs([Recorded(1, PLACED), Recorded(2, PAID)]) == {"order:o": False, "orders:m": True}
    assert orders.needs([Recorded(2, PAID)]) == {"order:o": True}


def test_refunds_add_up() -> None:
    half = shown(PLACED, PAID, HALF_BACK)
    whole = shown(PLACED, PAID, HALF_BACK, REST_BACK)
    assert (half.status, half.refunded) == ("paid", 450)
    assert (whole.status, whole.refunded, whole.paid) == ("refunded", 1200, 1200)


def test_a_cancelled_order_shows_what_was_given_back() -> None:
    cancelled = OrderCancelled(**WHOSE, currency="USD", reason="", lines=LINES, at=5)
    paid, unpaid = shown(PLACED, PAID, cancelled), shown(PLACED, replace(cancelled, lines=()))
    assert (paid.status, paid.refunded) == ("cancelled", 1200)
    assert (unpaid.status, unpaid.refunded) == ("cancelled", 0)


def test_what_a_cancellation_gives_back_adds_to_what_was_refunded_before() -> None:
    rest = OrderCancelled(**WHOSE, currency="USD", reason="", lines=(replace(LINES[0], quantity=1, paid=450), LINES[1]), at=6)
    cancelled = shown(PLACED, PAID, HALF_BACK, rest)
    assert (cancelled.status, cancelled.refunded) == ("cancelled", 1200)


def test_the_newest_order_comes_first_whatever_was_recorded_first() -> None:
    assert listed(folded(orders, numbered(1), numbered(3), numbered(2))) == ["o-3", "o-2", "o-1"]


def test_of_two_orders_of_one_instant_the_later_recorded_comes_first() -> None:
    assert listed(folded(orders, numbered(1, at=7), numbered(2, at=7))) == ["o-2", "o-1"]


def test_only_the_last_50_orders_are_kept() -> None:
    contents = folded(orders, *(numbered(number) for number in range(1, KEPT + 3)))
    assert KEPT == 50
    assert listed(contents) == [f"o-{number}" for number in range(KEPT + 2, 2, -1)]
    assert removed(contents) == {"order:o-1", "order:o-2"}


def test_an_order_older_than_the_last_50_is_not_kept_at_all() -> None:
    recent = [numbered(number) for number in range(100, 100 + KEPT)]
    contents = folded(orders, *recent, numbered(7))
    assert removed(contents) == {"order:o-7"}
    assert listed(contents) == listed(folded(orders, *recent))


def test_later_events_of_an_order_that_left_the_list_are_ignored() -> None:
    placed = [numbered(number) for number in range(1, KEPT + 2)]
    paid = replace(PAID, order="o-1", at=999)
    assert folded(orders, *placed, paid) == folded(orders, *placed)


def test_events_of_an_unknown_order_are_ignored() -> None:
    assert folded(orders, PAID, SHIPPED, DELIVERED, HALF_BACK) == {}


def test_a_guests_order_is_in_no_list() -> None:
    guest = (replace(PLACED, member=None, session="s"), replace(PAID, member=None, session="s"))
    assert folded(orders, *guest) == {}
    assert [orders.keys[type(event)](event) for event in guest] == [(), ()]


def test_an_erased_member_has_no_orders() -> None:
    other = replace(PLACED, order="other", member="n")
    contents = folded(orders, PLACED, numbered(2), other, PAID, MemberErased("m", at=9))
    assert removed(contents) == {"orders:m", "order:o", "order:o-2"}
    assert set(contents) - removed(contents) == {"orders:n", "order:other"}


def test_events_of_an_erased_members_order_bring_nothing_back() -> None:
    contents = folded(orders, PLACED, MemberErased("m", at=9), PAID, DELIVERED)
    assert removed(contents) == {"orders:m", "order:o"}
