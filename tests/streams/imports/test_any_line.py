"""Whatever stands in a file is read or rejected, and takes no more memory than it may."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from streams.imports.shop_log.fields import fields_of
from streams.imports.shop_log.lines import TABLE
from streams.imports.shop_log.reading import MOST_NAMES, OTHERS, Reader
from streams.imports.shop_log.rejected import Rejected
from tests.streams.imports.lines import NOW, SAMPLES, line, raw, read
from tests.streams.imports.test_document import values


def test_unknown_fields_are_ignored_and_counted_by_name() -> None:
    reader = Reader("USD", None, NOW)
    plain = reader.read(1, raw(line("view")))
    assert reader.read(2, raw(line("view", colour="red", size=None))).digest == plain.digest
    reader.read(3, raw(line("view", colour={"deep": [1, "x"]})))
    reader.read(4, raw(line("order", lines=[{"product_id": "tea", "colour": 1}, {"product_id": "tea", "colour": 2}])))
    assert reader.unknown_fields == {"view.colour": 2, "view.size": 1, "order.lines.colour": 2}


def test_unknown_fields_of_a_rejected_line_are_not_counted() -> None:
    reader = Reader("USD", None, NOW)
    with suppress(Rejected):
        reader.read(1, raw(line("view", colour="red", product_id="")))
    reader.read(2, raw(line("view")))
    assert not reader.unknown_fields


def test_the_names_of_unknown_fields_take_bounded_memory() -> None:
    reader = Reader("USD", None, NOW)
    reader.read(1, raw(line("view", **{f"field-{number}": 1 for number in range(3 * MOST_NAMES)})))
    assert len(reader.unknown_fields) == MOST_NAMES + 1
    assert reader.unknown_fields[OTHERS] == 2 * MOST_NAMES


@given(st.sampled_from(sorted(SAMPLES)), st.data())
def test_any_field_value_is_read_or_rejected(kind: str, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(fields_of(TABLE[kind].line))))
    strange = values | st.lists(
        st.dictionaries(st.sampled_from(["product_id", "line", "total", "unit_price", "quantity"]), values), max_size=3
    )
    with suppress(Rejected):
        read(line(kind, **{name: data.draw(strange)}))


@given(st.binary())
def test_any_bytes_are_read_or_rejected(written: bytes) -> None:
    with suppress(Rejected):
        read(written)


@given(st.sampled_from(sorted(SAMPLES)), st.data())
def test_a_line_with_any_byte_changed_is_read_or_rejected(kind: str, data: st.DataObject) -> None:
    written = bytearray(raw(line(kind)))
    written[data.draw(st.integers(0, len(written) - 1))] = data.draw(st.integers(0, 255))
    with suppress(Rejected):
        read(bytes(written))
