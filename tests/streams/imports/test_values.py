"""Ids, quantities and the other values that are neither instants nor money."""

from __future__ import annotations

from typing import Any

import pytest

from aggregates.decider import require_id
from streams.imports.shop_log.lines import MemberLine, ProductLine, ReviewLine
from tests.streams.imports.lines import NOON, code, item_code, line, read, read_item


@pytest.mark.parametrize("written", ["Tea", "tea", "007", " tea ", "a" * 200, "тест", "茶", "a:b/c-d"])
def test_an_id_is_kept_as_it_was_written(written: str) -> None:
    assert read(line("view", id=written)).line.id == written


@pytest.mark.parametrize("written", ["caf\u00e9\u00a0noir", "a\u200db", "\u3000", "\u2028", "\ue000", "\ufeff"])
def test_only_control_characters_are_barred_from_ids(written: str) -> None:
    assert read(line("view", id=written, product_id=written)).line.id == written
    require_id("product", written)


def test_an_integer_of_any_length_becomes_its_digits() -> None:
    assert [read(line("view", id=number)).line.id for number in (0, 7, 10**30)] == ["0", "7", "1" + "0" * 30]


@pytest.mark.parametrize("written", ["", "a" * 201, 10**200, "a\nb", "a\0", "\x7f", "\x85", -1, 1.5, 5.0, True, [], {}])
def test_an_invalid_id_is_rejected(written: object) -> None:
    assert code(line("view", id=written)) == "id_invalid"
    assert code(line("view", product_id=written)) == "id_invalid"


def test_a_quantity_is_one_if_missing_and_whole_by_value() -> None:
    assert [read_item(**told).quantity for told in ({}, {"quantity": None}, {"quantity": 2.0}, {"quantity": 0})] == [1, 1, 2, 0]
    assert read_item(quantity=10**9).quantity == 10**9


@pytest.mark.parametrize("written", [-1, 0.5, 10**9 + 1, 1e300, True, "2", [], {}])
def test_an_invalid_quantity_is_rejected(written: object) -> None:
    assert item_code(quantity=written) == "quantity_invalid"
    assert code(line("add_to_cart", quantity=written)) == "quantity_invalid"


def test_a_cart_quantity_is_at_least_one() -> None:
    assert code(line("add_to_cart", quantity=0)) == code(line("remove_from_cart", quantity=0)) == "quantity_invalid"


def test_a_rating_counts_half_stars() -> None:
    told = [read(line("review", rating=rating)).line for rating in (1, 1.5, 4.0, 4.5, 5)]
    assert [body.rating for body in told if isinstance(body, ReviewLine)] == [2, 3, 8, 9, 10]


@pytest.mark.parametrize("written", [0, 0.5, 5.5, 4.25, 6, -1, True, "4", [], 1e300])
def test_an_invalid_rating_is_rejected(written: object) -> None:
    assert code(line("review", rating=written)) == "rating_invalid"


@pytest.mark.parametrize(
    ("field", "written", "told"),
    [
        ("category", "Tea", ("Tea",)),
        ("category", ["Food", "Tea"], ("Food", "Tea")),
        ("category", "", ()),
        ("embedding", [1, -0.5, 2e-3], (1.0, -0.5, 0.002)),
        ("stock", 3.0, 3),
        ("name", "", ""),
        ("name", None, None),
    ],
)
def test_a_products_fields_are_read(field: str, written: object, told: object) -> None:
    body = read(line("product", **{field: written})).line
    assert isinstance(body, ProductLine)
    assert getattr(body, field) == told


@pytest.mark.parametrize(
    ("field", "written", "expected"),
    [
        ("name", 7, "text_invalid"),
        ("brand", True, "text_invalid"),
        ("category", ["Food", ""], "text_invalid"),
        ("category", ["Food", None], "text_invalid"),
        ("category", {}, "list_invalid"),
        ("stock", -1, "count_invalid"),
        ("stock", True, "count_invalid"),
        ("embedding", [], "list_empty"),
        ("embedding", ["1"], "number_invalid"),
        ("embedding", [True], "number_invalid"),
        ("attributes", [], "object_invalid"),
        ("attributes", {"size": 1}, "text_invalid"),
    ],
)
def test_a_product_with_values_of_another_kind_is_rejected(field: str, written: object, expected: str) -> None:
    assert code(line("product", **{field: written})) == expected


def test_profile_fields_become_text() -> None:
    told = {"a": 1, "b": 1.50, "c": True, "d": False, "e": "text", "f": None, "g": 10**30, "tags": "x,y"}
    body = read({"type": "member", "at": NOON, "member_id": 1, **told}).line
    assert isinstance(body, MemberLine)
    assert body.profile == {"a": "1", "b": "1.5", "c": "true", "d": "false", "e": "text", "g": "1" + "0" * 30, "tags": "x,y"}


def test_a_field_named_profile_may_be_plain_text() -> None:
    body = read({"type": "member", "at": NOON, "member_id": 1, "profile": "gold"}).line
    assert isinstance(body, MemberLine)
    assert body.profile == {"profile": "gold"}


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"address": {"city": "Paris"}}, "profile_invalid"),
        ({"children": [1, 2]}, "profile_invalid"),
        ({"profile": {"a": []}}, "profile_invalid"),
        ({"profile": []}, "profile_invalid"),
        ({"tags": ["a,b"]}, "tag_invalid"),
        ({"tags": [""]}, "tag_invalid"),
        ({"tags": [1]}, "text_invalid"),
        ({"tags": 1}, "list_invalid"),
        ({"email": 1}, "text_invalid"),
    ],
)
def test_a_profile_that_is_not_flat_is_rejected(told: dict[str, Any], expected: str) -> None:
    assert code(line("member", **told)) == expected
