"""What is kept in memory is bounded by bytes, not by its number alone."""

from __future__ import annotations

from infra.remembered import Remembered, size_of
from tests.samples import SAMPLES


def test_the_values_put_last_stay_within_the_bytes() -> None:
    remembered = Remembered[list[int]](most=1000, most_bytes=10_000)
    for n in range(50):
        remembered.put(f"{n}", [n] * 1000)
        remembered.shrink()
        assert sum(size_of(value) for _, value in remembered.items()) <= 10_000
    assert [key for key, _ in remembered.items()][-1] == "49"


def test_a_value_that_grows_is_measured_again() -> None:
    remembered = Remembered[str](most=9, most_bytes=100)
    for length in (1, 1, 1, 400):
        remembered.put("a", "x" * length)
    remembered.shrink()
    assert "a" not in remembered
    remembered.put("b", "y")
    remembered.shrink()
    assert remembered.get("b") == "y", "the size of what was forgotten counts no more"


def test_the_latest_stay_although_they_are_too_large() -> None:
    remembered = Remembered[str](most=1, most_bytes=1)
    for name in "abc":
        remembered.put(name, "long")
    remembered.shrink(least=2)
    assert [key for key, _ in remembered.items()] == ["b", "c"]


def test_every_event_can_be_measured() -> None:
    assert all(size_of(sample) > 1 for sample in SAMPLES)
    assert size_of({1 << 80: frozenset({("a", 1)})}) > 20
