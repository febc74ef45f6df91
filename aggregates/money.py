"""Divides money, which is an integer of minor units. The parts of every split sum to the whole."""

from __future__ import annotations

from collections.abc import Sequence

from aggregates.currencies import OTHER_DIGITS


def minor_units(currency: str) -> int:
    """Return how many minor units make one major unit, as ISO 4217 has it. A log may have others: ``Programme.unit``.

    >>> minor_units("USD"), minor_units("JPY")
    (100, 1)
    """
    return int(10 ** OTHER_DIGITS.get(currency, 2))


def part_of(amount: int, taken: int, more: int, whole: int) -> int:
    """Return the share of ``amount`` for ``more`` of ``whole`` units, after ``taken`` units before them.

    It is a difference of cumulative floors, so parts of any size and order sum to ``amount``.

    >>> [part_of(100, taken, 1, 3) for taken in range(3)]
    [33, 33, 34]
    """
    return amount * (taken + more) // whole - amount * taken // whole


def apportion(amount: int, weights: Sequence[int]) -> list[int]:
    """Return ``amount`` split by ``weights`` (largest remainder, ties to the earlier); the parts sum to ``amount``.

    >>> apportion(100, [1, 1, 1]), apportion(5, [0, 0])
    ([34, 33, 33], [5, 0])
    """
    total = sum(weights)
    if not total:
        return [amount] + [0] * (len(weights) - 1) if weights else []
    parts = [amount * weight // total for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: -(amount * weights[i] % total))
    for i in by_remainder[: amount - sum(parts)]:
        parts[i] += 1
    return parts
