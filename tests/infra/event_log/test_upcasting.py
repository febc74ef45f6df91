"""An event whose shape changed twice: what was stored before stays where it is, and is read as if it had always been so."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from aggregates.value import Value
from infra.codec import EventType, Raw
from infra.event_log.log import EventLog
from tests.infra.ticks import Place, open_log


class ParcelWeighed(Value):
    """Version 1 had ``kilos``; version 2 ``grams``; version 3 says on which scale, and seals who weighed."""

    product: str
    grams: int
    scale: str
    by: str | None = None


def kilos_to_grams(raw: Raw) -> Raw:
    return {**raw, "grams": raw["kilos"] * 1000}


def first_scale(raw: Raw) -> Raw:
    return {**raw, "scale": "first", "by": None}


WEIGHED = EventType(ParcelWeighed, upcasts=(kilos_to_grams, first_scale), sealed={"by": None})
OLD = [
    ("ParcelWeighed", b'{"key":"p","product":"p","kilos":2}'),
    ("ParcelWeighed.2", b'{"key":"p","product":"p","grams":1500}'),
]


@pytest.fixture
def weighed(place: Place) -> Iterator[EventLog]:
    """A log with a row of each old version and one of the present one."""
    with open_log(place, WEIGHED) as log:
        with log._transaction() as past:
            past.insert("stored_events", [(n, "product-p", n, name, state) for n, (name, state) in enumerate(OLD, 1)])
        with log.append() as append:
            append.add("product-p", 3, ParcelWeighed("p", 700, "second", "Ada"))
        yield log


def test_rows_of_every_version_are_read_in_the_present_shape(weighed: EventLog) -> None:
    assert weighed.read("product-p") == (
        [
            ParcelWeighed("p", 2000, "first"),
            ParcelWeighed("p", 1500, "first"),
            ParcelWeighed("p", 700, "second", "Ada"),
        ],
        3,
    )


def test_upcasting_leaves_the_stored_rows_as_they_are(weighed: EventLog) -> None:
    weighed.read("product-p")
    rows = weighed.since(0, 10)
    assert [(row.name, row.state) for row in rows[:2]] == OLD
    assert rows[2].name == "ParcelWeighed.3"
    assert rows[2].state.startswith(b'{"key":"p","product":"p","grams":700,"scale":"second"')
    assert b"Ada" not in rows[2].state
