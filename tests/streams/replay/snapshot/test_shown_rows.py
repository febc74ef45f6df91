"""What came of lists that were shown: the first act of the same shopper within a window counts, and no other."""

from __future__ import annotations

from pathlib import Path
from tempfile import gettempdir
from typing import Any

from aggregates.behaviour import Clicked, Impressed
from aggregates.cart_events import CartItemAdded
from aggregates.decider import Recorded
from aggregates.order.events import OrderLine, OrderPaid
from infra.spilling import SpillFile
from streams.replay.snapshot.rows import Rows
from streams.replay.snapshot.shown_rows import CLICK_WINDOW, WEEK, ShownRows
from tests.shop import HOUR, START

SHOWN = Impressed(slot="home", products=("a", "b"), member="m", session="s", propensities=(), strategy="regulars", at=START)


def outcomes(*events: object) -> list[tuple[Any, ...]]:
    """Return of each row of the table ``shown`` the rank, the outcomes and the position of the last change."""
    rows = Rows("UTC", SpillFile(Path(gettempdir())))
    told = [Recorded(position, event) for position, event in enumerate(events, 1)]
    written = [*rows.fold(told), *rows.rest()]
    return [(values[1], *values[-4:]) for name, values, _ in written if name == "shown"]


def click(at: int, member: str = "m") -> Clicked:
    return Clicked(product="a", member=member, session=None, at=at)


def paid(at: int, *products: str) -> OrderPaid:
    lines = tuple(OrderLine(product, 1, 100, 100, 100) for product in products)
    return OrderPaid(order="o", member="m", session=None, currency="USD", lines=lines, net=100, at=at)


def test_a_product_that_was_shown_has_the_instants_at_which_its_shopper_clicked_added_and_bought_it() -> None:
    added = CartItemAdded(cart="c", member=None, session="s", product="a", quantity=1, price=None, at=START + HOUR)
    acts = SHOWN, click(START + 5), click(START + 9), added, paid(START + WEEK, "a", "a")
    assert outcomes(*acts) == [(1, START + 5, START + HOUR, START + WEEK, 5), (2, None, None, None, 1)]


def test_acts_of_others_and_outside_the_windows_count_for_nothing() -> None:
    late = START + CLICK_WINDOW + 1
    acts = click(START), SHOWN, click(START - 1), click(late), click(START + 5, "other"), paid(START + WEEK + 1, "a")
    assert outcomes(*acts) == [(1, None, None, None, 2), (2, None, None, None, 2)]


def test_a_list_leaves_memory_once_its_week_is_over() -> None:
    rows = ShownRows()
    rows.show(SHOWN, 1, 0, "2017-01")
    assert list(rows.finished(START + WEEK)) == []
    assert [row.values[1] for row in rows.finished(START + WEEK + 1)] == [1, 2]
    rows.act(click(START + 5), 2)
    assert list(rows.rest()) == []
