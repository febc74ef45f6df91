"""The same line again: by its id, by what it says, in one file or several; and what comes late."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings

from aggregates.behaviour import Viewed
from streams.running.app import App
from tests.examples import many
from tests.redis_content import digests_of
from tests.streams.exports.histories import shop_files
from tests.streams.imports.lines import Line, another, entry, events, import_lines, item, order

VIEW = entry("view", 1, product_id="tea", member_id="ada")


def test_two_equal_views_in_one_file_are_two_and_the_file_again_adds_none(app: App) -> None:
    lines = [VIEW, VIEW, {**VIEW, "at": "2024-05-01T14:01:00+02:00"}]
    assert import_lines(app, *lines).outcome == (3, 0, 0)
    assert import_lines(app, *lines).outcome == (0, 3, 0)
    assert import_lines(app, VIEW, VIEW, VIEW, VIEW).outcome == (1, 3, 0)
    assert len(events(app, Viewed)) == 4


def test_a_line_with_an_id_is_known_by_it(app: App) -> None:
    named = {**VIEW, "id": 7}
    other = {**VIEW, "id": "7", "product_id": "milk"}
    result = import_lines(app, named, {**named, "id": "7", "colour": "red"}, other, {**other, "type": "click"}, VIEW)
    assert (result.outcome, result.codes) == ((2, 1, 2), [(3, "id_taken"), (4, "id_taken")])
    assert import_lines(app, other, named).outcome == (0, 1, 1)


def test_an_order_is_known_by_its_order_id_whatever_its_id(app: App) -> None:
    bought = order("o", 0, member_id="ada")
    assert import_lines(app, {**bought, "id": "a"}, {**bought, "id": "b"}, bought).outcome == (1, 2, 0)
    assert import_lines(app, {**bought, "id": "a", "at": bought["at"] + 1}).codes == [(1, "id_taken")]
    assert import_lines(app, order("p", 0, member_id="ada", id="a")).outcome == (1, 0, 0)


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
    assert import_lines(app, bought, spelt(bought)).outcome == (1, 1, 0)


def test_an_order_known_from_elsewhere_is_a_duplicate_and_another_with_its_id_is_rejected(app: App) -> None:
    line = {"product": "tea", "quantity": 1, "gross": 500, "total": 500, "paid": 500}
    values = {"order": "o", "lines": [line], "currency": "USD", "member": "ada"}
    placed = entry("regulars", 0, command="PlaceOrder", values=values)
    result = import_lines(app, placed, order("o", 2, member_id="bob"), order("o", 1, member_id="ada"))
    assert (result.outcome, result.codes) == ((1, 1, 1), [(2, "order_exists")])


def test_a_line_that_was_rejected_is_tried_again_the_next_time(app: App) -> None:
    lines = [entry("refund", 5, order_id="o"), entry("order_status", 5, order_id="o", status="delivered"), order("o", 1)]
    assert import_lines(app, *lines).codes == [(1, "order_unknown"), (2, "order_unknown")]
    assert import_lines(app, *lines).outcome == (1, 2, 0), "the refund is taken now, the order stands already"
    assert import_lines(app, *lines).outcome == (0, 3, 0)


def test_overlapping_files_import_as_one_file(app: App, valkey_url: str) -> None:
    lines = [
        *(entry("view", n, product_id=f"p{n % 3}", session_id=f"s{n % 4}") for n in range(40)),
        *(entry("view", 50, product_id="tea", session_id="s1", member_id="ada") for _ in range(3)),
        *(order(f"o{n}", 60 + n, item(f"p{n % 3}", total=n), session_id="s1") for n in range(10)),
        *(entry("refund", 80, order_id=f"o{n}", lines=[{"line": 1}]) for n in range(5)),
        *(entry("view", 90, product_id="tea", member_id="ada") for _ in range(3)),
    ]
    for part in (lines[:45], lines[30:58], lines[58:60], lines):
        assert import_lines(app, *part).counts.rejected == 0
    with another(valkey_url) as once:
        import_lines(once, *lines)
        assert digests_of(app) == digests_of(once)
        assert app.log.head() == once.log.head()


def test_late_lines_are_taken_and_counted(app: App) -> None:
    moments = (5, 3, 5, 6, 5.999, 7)
    result = import_lines(app, *(entry("view", minute, product_id="tea", session_id="s") for minute in moments))
    assert (result.outcome, result.counts.late) == ((6, 0, 0), 2)


def test_a_rejected_line_makes_no_later_line_late(app: App) -> None:
    result = import_lines(app, entry("cancel", 9, order_id="x"), {**VIEW, "at": VIEW["at"] + 999_999, "member_id": ""}, VIEW)
    assert (result.outcome, result.counts.late) == ((1, 0, 2), 0)


@settings(max_examples=many(15), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(shop_files())
def test_any_file_twice_changes_nothing_that_was_accepted(valkey_url: str, lines: list[Line | bytes]) -> None:
    with another(valkey_url) as app:
        first = import_lines(app, *lines)
        before, head = digests_of(app), app.log.head()
        again = import_lines(app, *lines)
        if not first.rejects:
            assert (again.counts.accepted, app.log.head(), digests_of(app)) == (0, head, before)
        assert again.counts.duplicates >= first.counts.accepted + first.counts.duplicates
        while again.counts.accepted:  # what was rejected may be taken the next time, but not for ever
            again = import_lines(app, *lines)
        before, head = digests_of(app), app.log.head()
        import_lines(app, *lines)
        assert (app.log.head(), digests_of(app)) == (head, before)
