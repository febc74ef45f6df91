"""The streams' benchmark comes to an end with equal results; how fast is no test's matter."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec

import pytest

from infra.kafka.settings import KafkaSettings
from tests.bench.streams.__main__ import prepared
from tests.bench.streams.goals import goals
from tests.bench.streams.racing import CONTESTANTS, Unequal, race, rows

pytestmark = pytest.mark.slow

RECORDS = 3000
NEEDS = {"bytewax_sink": "bytewax", "quix_sink": "quixstreams"}


def test_all_contestants_who_are_here_bring_about_the_same(kafka: KafkaSettings, valkey_url: str) -> None:
    course, total = prepared(kafka, valkey_url, RECORDS, 4)
    here = [c for c in CONTESTANTS if c.module not in NEEDS or find_spec(NEEDS[c.module])]
    raced = race(course, total, 1, here, lambda _: None)
    assert [row[0] for row in rows(raced, RECORDS, here)] == [contestant.what for contestant in here]
    assert len(list(goals(raced))) == len(here)
    with pytest.raises(Unequal, match=r"3,000 records"):
        race(replace(course, topic=course.topic), total + 1, 1, here[:1], lambda _: None)
