"""Division of amounts over lines. The parts always sum to the whole."""

from __future__ import annotations

from collections.abc import Sequence


def half_up(amount: int, numerator: int, denominator: int) -> int:
    """Return ``amount × numerator / denominator`` for an amount from 0 on, rounded half up.

    >>> half_up(31185, 1, 10), half_up(5997, 20, 120)
    (3119, 1000)
    """
    return (2 * amount * numerator + denominator) // (2 * denominator)


def apportion_capped(amount: int, weights: Sequence[int], caps: Sequence[int]) -> list[int]:
    """Split ``amount`` by ``weights`` so that no part exceeds its cap; a weight of 0 gets nothing.

    Largest remainder with water-filling: a line whose exact share exceeds its cap gets the cap, and the rest is split over
    the others. Ties go to the earlier line. Raises :class:`ValueError` if the caps leave no room for the amount.

    >>> apportion_capped(100, [1, 1, 1], [100, 100, 100]), apportion_capped(100, [1, 1, 1], [10, 100, 100])
    ([34, 33, 33], [10, 45, 45])
    """
    parts = [0] * len(weights)
    if not amount:
        return parts
    open_lines = [i for i, weight in enumerate(weights) if weight > 0 and caps[i] > 0]
    total = sum(weights[i] for i in open_lines)
    while open_lines:
        full = [i for i in open_lines if amount * weights[i] > caps[i] * total]
        if not full:
            return by_largest_remainder(amount, weights, open_lines, total, parts)
        for i in full:
            parts[i] = caps[i]
            amount -= caps[i]
            total -= weights[i]
        open_lines = [i for i in open_lines if i not in full]
    if amount:
        raise ValueError(f"{amount} more than the lines can bear.")
    return parts


def by_largest_remainder(amount: int, weights: Sequence[int], lines: list[int], total: int, parts: list[int]) -> list[int]:
    """Fill in the parts of ``lines``; no part exceeds its exact share by a whole unit."""
    left = amount
    remainders: list[tuple[int, int]] = []
    for i in lines:
        part, remainder = divmod(amount * weights[i], total)
        parts[i] = part
        left -= part
        remainders.append((-remainder, i))
    if left:
        remainders.sort()
        for _, i in remainders[:left]:
            parts[i] += 1
    return parts
