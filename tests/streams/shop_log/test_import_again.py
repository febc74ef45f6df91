"""The same line again: by its id, by what it says, in one file or several; and what comes late."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings

from aggregates.behaviour import Viewed
from streams.running.app import App
from tests.redis_content import digests_of
from tests.streams.shop_log.histories import shop_files
from tests.streams.shop_log.taking import Line, another, events, item, order, take, told

VIEW = told("view", 1, product_id="tea", member_id="ada")


def test_two_equal_views_in_one_file_are_two_and_the_file_again_adds_none(app: App) -> None:
    lines = [VIEW, VIEW, {**VIEW, "at": "2024-05-01T14:01:00+02:00"}]
    assert take(app, *lines).counts == (3, 0, 0)
    assert take(app, *lines).counts == (0, 3, 0)
    assert take(app, VIEW, VIEW, VIEW, VIEW).counts == (1, 3, 0)
    assert len(events(app, Viewed)) == 4


def test_a_line_with_an_id_is_known_by_it(app: App) -> None:
    named = {**VIEW, "id": 7}
    other = {**VIEW, "id": "7", "product_id": "milk"}
    result = take(app, named, {**named, "id": "7", "colour": "red"}, other, {**other, "type": "click"}, VIEW)
    assert (result.counts, result.codes) == ((2, 1, 2), [(3, "id_taken"), (4, "id_taken")])
    assert take(app, other, named).counts == (0, 1, 1)


def test_an_order_is_known_by_its_order_id_whatever_its_id(app: App) -> None:
    bought = order("o", 0, member_id="ada")
    assert take(app, {**bought, "id": "a"}, {**bought, "id": "b"}, bought).counts == (1, 2, 0)
    assert take(app, {**bought, "id": "a", "at": bought["at"] + 1}).codes == [(1, "id_taken")]
    assert take(app, order("p", 0, member_id="ada", id="a")).counts == (1, 0, 0)


@pytest.mark.parametrize(
    "spelt",
    [
        lambda line: dict(reversed(line.items())),
        lambda line: {**line, "lines": [{"product_id": "tea", "quantity": 1.0, "total": 5}]},
        lambda line: {**line, "lines": [{"product_id": "tea", "quantity": None, "total": "5.000"}]},
        lambda line: {**line, "at": "2024-05-01T12:00:00.000Z", "status": "delivered"},
        lambda line: {**line, "note": "ignored"},
    ],
)
def test_the_same_order_in_other_words_is_a_duplicate(app: App, spelt: Callable[[Line], Line]) -> None:
    bought = order("o", 0, member_id="ada")
    assert take(app, bought, spelt(bought)).counts == (1, 1, 0)


def test_an_order_that_the_log_has_from_elsewhere_is_a_duplicate_and_another_by_its_name_is_rejected(app: App) -> None:
    line = {"product": "tea", "quantity": 1, "gross": 500, "total": 500, "paid": 500}
    values = {"order": "o", "lines": [line], "currency": "USD", "member": "ada"}
    placed = told("regulars", 0, command="PlaceOrder", values=values)
    result = take(app, placed, order("o", 2, member_id="bob"), order("o", 1, member_id="ada"))
    assert (result.counts, result.codes) == ((1, 1, 1), [(2, "order_exists")])


def test_a_line_that_was_rejected_is_tried_again_the_next_time(app: App) -> None:
    lines = [told("refund", 5, order_id="o"), told("order_status", 5, order_id="o", status="delivered"), order("o", 1)]
    assert take(app, *lines).codes == [(1, "order_unknown"), (2, "order_unknown")]
    assert take(app, *lines).counts == (1, 2, 0), "the refund is taken now, the order stands already"
    assert take(app, *lines).counts == (0, 3, 0)


def test_files_that_overlap_are_as_one_file(app: App, valkey_url: str) -> None:
    lines = [
        *(told("view", n, product_id=f"p{n % 3}", session_id=f"s{n % 4}") for n in range(40)),
        *(told("view", 50, product_id="tea", session_id="s1", member_id="ada") for _ in range(3)),
        *(order(f"o{n}", 60 + n, item(f"p{n % 3}", total=n), session_id="s1") for n in range(10)),
        *(told("refund", 80, order_id=f"o{n}", lines=[{"line": 1}]) for n in range(5)),
        *(told("view", 90, product_id="tea", member_id="ada") for _ in range(3)),
    ]
    for part in (lines[:45], lines[30:58], lines[58:60], lines):
        assert take(app, *part).taken.rejected == 0
    with another(valkey_url) as once:
        take(once, *lines)
        assert digests_of(app) == digests_of(once)
        assert app.log.head() == once.log.head()


def test_late_lines_are_taken_and_counted(app: App) -> None:
    moments = (5, 3, 5, 6, 5.999, 7)
    result = take(app, *(told("view", minute, product_id="tea", session_id="s") for minute in moments))
    assert (result.counts, result.taken.late) == ((6, 0, 0), 2)


def test_what_is_rejected_makes_no_line_below_it_late(app: App) -> None:
    result = take(app, told("cancel", 9, order_id="x"), {**VIEW, "at": VIEW["at"] + 999_999, "member_id": ""}, VIEW)
    assert (result.counts, result.taken.late) == ((1, 0, 2), 0)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(shop_files())
def test_any_file_twice_changes_nothing_that_was_accepted(valkey_url: str, lines: list[Line | bytes]) -> None:
    with another(valkey_url) as app:
        first = take(app, *lines)
        before, head = digests_of(app), app.log.head()
        again = take(app, *lines)
        if not first.rejects:
            assert (again.taken.accepted, app.log.head(), digests_of(app)) == (0, head, before)
        assert again.taken.duplicates >= first.taken.accepted + first.taken.duplicates
        while again.taken.accepted:  # what was rejected may be taken the next time, but not for ever
            again = take(app, *lines)
        before, head = digests_of(app), app.log.head()
        take(app, *lines)
        assert (app.log.head(), digests_of(app)) == (head, before)
