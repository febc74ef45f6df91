from __future__ import annotations

import json
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.imports.shop_log.archive import LONGEST
from streams.imports.shop_log.document import DEEPEST, parse_exactly, parse_object
from streams.imports.shop_log.rejected import Rejected

texts = st.text(st.characters(exclude_categories=["Cs"]))
floats = st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | floats | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
objects = st.dictionaries(texts, values, max_size=6)


def nested(depth: int) -> bytes:
    return b'{"a":' * depth + b"1" + b"}" * depth


STRANGE = {
    b"": "json_invalid",
    b"{": "json_invalid",
    b'{"a":1': "json_invalid",
    b'{"a":1}}': "json_invalid",
    b'{"a":1} {"b":2}': "json_invalid",
    b"{'a':1}": "json_invalid",
    b'{"a":1,}': "json_invalid",
    b"{a:1}": "json_invalid",
    b'{"a":NaN}': "json_invalid",
    b'{"a":Infinity}': "json_invalid",
    b'{"a":-Infinity}': "json_invalid",
    b'{"a":1e999}': "json_invalid",
    b'{"a":' + b"1" * 5000 + b"}": "json_invalid",
    b'{"a":01}': "json_invalid",
    b'{"a":.5}': "json_invalid",
    b'{"a":+1}': "json_invalid",
    b'{"a":0x10}': "json_invalid",
    b'{"a":"\\ud800"}': "json_invalid",
    b'{"a":"\\udc00\\ud800"}': "json_invalid",
    b'{"\\udfff":1}': "json_invalid",
    b'{"a":"\\x"}': "json_invalid",
    b'{"a":"tab\there"}': "json_invalid",
    b'{"a":"\0"}': "json_invalid",
    b'\xef\xbb\xbf{"a":1}': "json_invalid",
    b"// {}": "json_invalid",
    b"\x1f\x8b\x08": "utf8_invalid",
    b'{"a":"\xff"}': "utf8_invalid",
    b'{"a":"\xc3"}': "utf8_invalid",
    b'{"a":"\xc0\xaf"}': "utf8_invalid",
    b'{"a":"\xed\xa0\x80"}': "utf8_invalid",
    '{"a":1}'.encode("utf-16"): "utf8_invalid",
    b"null": "not_an_object",
    b"[]": "not_an_object",
    b'"a"': "not_an_object",
    b"1": "not_an_object",
    b'{"a":1,"a":1}': "key_repeated",
    b'{"a":1,"\\u0061":2}': "key_repeated",
    b'{"a":[{"b":{"c":1,"c":2}}]}': "key_repeated",
    b'{"a:b":1,"a:b":2}': "key_repeated",
    b'{"a":"\\u003a","b":1,"b":2}': "key_repeated",
    b'{"a":"\\u003A\\u003A","b":1,"b":2,"b":3}': "key_repeated",
    b'{"":1,"":2}': "key_repeated",
    nested(DEEPEST + 1): "nested_too_deep",
    b'{"a":' + b"[" * DEEPEST + b"]" * DEEPEST + b"}": "nested_too_deep",
    b'{"a":' * 100_000: "nested_too_deep",
    b"[" * 1_000_000: "nested_too_deep",
    b'{"a":1e-99999999999999999999}': "number_invalid",
    b'{"a":"' + b"x" * LONGEST + b'"}': "line_too_long",
}


@pytest.mark.parametrize("raw", STRANGE, ids=lambda raw: repr(raw[:30]))
def test_anything_but_a_plain_object_is_rejected(raw: bytes) -> None:
    with pytest.raises(Rejected) as rejected:
        parse_object(raw)
    assert rejected.value.code == STRANGE[raw], rejected.value.reason


def test_objects_nest_up_to_the_documented_depth() -> None:
    assert parse_object(nested(DEEPEST)) == json.loads(nested(DEEPEST))


@pytest.mark.parametrize("raw", [b'{"a":1,"b":{"a":1}}', b'{"a":[{"a":1},{"a":1}]}', b'{"a":"a","b":":::","c\\":":"\\u003a"}'])
def test_the_same_key_may_stand_in_different_objects(raw: bytes) -> None:
    assert parse_object(raw) == json.loads(raw)


NUMBERS: list[tuple[bytes, int | float | Decimal]] = [
    (b"12.99", 12.99),
    (b"1.50", 1.5),
    (b"1e2", 100.0),
    (b"0.1000000000000000000", 0.1),
    (b"0.1000000000000000055511151231257827", Decimal("0.1000000000000000055511151231257827")),
    (b"1.0000000000000000001", Decimal("1.0000000000000000001")),
    (b"1e-400", Decimal("1e-400")),
    (b"1.23456789e-320", Decimal("1.23456789e-320")),
    (b"123456789012.345678", Decimal("123456789012.345678")),
    (b"18446744073709551617", 18446744073709551617),
    (b"-123456789012345678901234567890", -123456789012345678901234567890),
]


@pytest.mark.parametrize(("written", "number"), NUMBERS)
@pytest.mark.parametrize(
    "around", [b'{"a":%s}', b'{"a": %s}', b'{"a":\t%s }', b'{"a":[%s]}', b'{"a":[0,%s]}', b'{"a":{"b":%s}}']
)
def test_a_number_keeps_every_digit(around: bytes, written: bytes, number: int | float | Decimal) -> None:
    value: Any = parse_object(around % written)
    while isinstance(value, dict | list):
        value = list(value.values() if isinstance(value, dict) else value)[-1]
    assert (type(value), value) == (type(number), number)


@given(objects)
def test_any_object_is_read_as_it_was_written(document: dict[str, Any]) -> None:
    assert parse_object(json.dumps(document).encode()) == document
    assert parse_object(json.dumps(document, ensure_ascii=False).encode()) == document


@given(objects)
def test_the_fast_and_the_exact_reader_agree(document: dict[str, Any]) -> None:
    raw = json.dumps(document).encode()
    assert parse_object(raw) == parse_exactly(raw)


@given(objects, texts, values, st.booleans())
def test_a_repeated_key_is_always_rejected(document: dict[str, Any], key: str, value: Any, plain: bool) -> None:
    pair = json.dumps({key: value}, ensure_ascii=not plain)[1:-1]
    rest = json.dumps(document, ensure_ascii=plain)[1:-1]
    raw = "{" + ",".join(part for part in (pair, rest, pair) if part) + "}"
    with pytest.raises(Rejected, match="twice"):
        parse_object(raw.encode())


@given(st.binary() | st.text('{}[]":,\\u0019eE-.atrue nul', max_size=60).map(str.encode))
def test_any_bytes_are_an_object_or_rejected(raw: bytes) -> None:
    with suppress(Rejected):
        assert isinstance(parse_object(raw), dict)
