"""The schema takes what the reader takes; what it cannot say is told in its module."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

from streams.imports.shop_log.fields import fields_of, needs_of
from streams.imports.shop_log.lines import TABLE
from streams.imports.shop_log.schema import schema
from tests.streams.imports.lines import NOON, SAMPLES, code, line, read

Draft = import_module("jsonschema").Draft202012Validator
VALIDATOR = Draft(schema())

BAD: list[dict[str, Any]] = [
    {},
    {"type": "view"},
    line("view") | {"type": "browse"},
    line("view", "product_id"),
    line("view", "member_id", "session_id"),
    line("view", at=1_714_564_800),
    line("view", at=None),
    line("view", product_id=""),
    line("view", product_id="a\nb"),
    line("view", product_id=-1),
    line("view", product_id=None),
    line("view", slot=True),
    line("search", query=7),
    line("impression", product_ids=[]),
    line("impression", propensities=[0, 1]),
    line("add_to_cart", quantity=0),
    line("order", lines=[]),
    line("order", lines=[{"quantity": 1}]),
    line("order", lines=[{"product_id": "tea", "total": "1,50"}]),
    line("order", lines=[{"product_id": "tea", "total": -1}]),
    line("order", lines=[{"product_id": "tea", "quantity": 1.5}]),
    line("order", status="returned"),
    line("order_status", "status"),
    line("refund", lines=[{"quantity": 1}]),
    line("refund", lines=[{"line": 0}]),
    line("review", rating=4.2),
    line("review", rating=True),
    line("member", address={"city": "Paris"}),
    line("member", tags=["a,b"]),
    line("product", price="free"),
    line("product", embedding=["x"]),
    line("coupon_sent", "campaign_id", "code"),
    line("regulars", values=[]),
]


def test_the_schema_is_a_schema() -> None:
    Draft.check_schema(schema())
    assert schema()["$schema"].endswith("2020-12/schema")
    assert all(reference["$ref"].removeprefix("#/$defs/") in schema()["$defs"] for reference in schema()["oneOf"])


@pytest.mark.parametrize("kind", SAMPLES)
def test_every_good_line_is_valid(kind: str) -> None:
    needed = {name for names in needs_of(TABLE[kind].line) for name in names}
    bare = {name: value for name, value in line(kind).items() if name in needed | {"type"}}
    for good in (line(kind), bare, line(kind, id=7, at=NOON), line(kind, unheard_of="x")):
        VALIDATOR.validate(good)
        read(good)


@pytest.mark.parametrize("kind", SAMPLES)
def test_null_is_valid_where_nothing_is_needed(kind: str) -> None:
    needed = {"type", *(name for names in needs_of(TABLE[kind].line) for name in names)}
    nulls = line(kind, **dict.fromkeys(set(fields_of(TABLE[kind].line)) - needed))
    VALIDATOR.validate(nulls)
    read(nulls)


@pytest.mark.parametrize("bad", BAD, ids=str)
def test_a_bad_line_is_neither_valid_nor_read(bad: dict[str, Any]) -> None:
    assert not VALIDATOR.is_valid(bad)
    assert code(bad)


def test_every_field_is_described() -> None:
    for name, shape in schema()["$defs"].items():
        for field, told in shape.get("properties", {}).items():
            assert field == "type" or told["description"].endswith((".", ".)")), (name, field)
