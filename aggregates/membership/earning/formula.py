"""What an order earns by one rule, frozen at its grant: the one place where points are rounded.

So a refund is judged by the rule, the policy and the tier of the purchase: points = floor(what is kept × rate), then bonuses
whose threshold is still reached. It depends on what is kept, never on the way there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from aggregates.decider import LARGEST_COUNT
from aggregates.membership.ledger.grants import EarningLine
from aggregates.programme import Rate


@dataclass(frozen=True)
class Formula:
    """``multiplier``: points a major unit of the order; of ``lines``, where they are told, each has its own rate.

    ``bonuses``: (net it asks for, points); ``minimum`` of the order, both in minor units; ``cap`` in points.
    """

    multiplier: Rate
    lines: tuple[EarningLine, ...] = ()
    bonuses: tuple[tuple[int, int], ...] = ()
    minimum: int = 0
    cap: int | None = None


@lru_cache(maxsize=256)
def plain(multiplier: Rate) -> Formula:
    """That of nearly every order, made once."""
    return Formula(multiplier)


def points_for(net: int, multiplier: Rate, unit: int) -> int:
    """Points that ``net`` minor units earn; ``unit`` minor units make a major one.

    >>> points_for(22550, (3, 2), 100)
    338
    """
    numerator, denominator = multiplier
    return net * numerator // (denominator * unit)


def times_points(points: int, multiplier: Rate) -> int:
    """Points of a rule that names them, at a tier's multiplier."""
    return min(points * multiplier[0] // multiplier[1], LARGEST_COUNT)


def worth(formula: Formula, net: int, kept: Sequence[int], unit: int) -> int:
    """Points that an order earns whose net is ``net`` and whose lines are still worth ``kept`` of what was paid for each.

    >>> worth(Formula((3, 2), bonuses=((20_000, 100),)), 22_550, (), 100)
    438
    """
    if net <= 0 or net < formula.minimum:
        return 0
    counted: Fraction | int = net
    if formula.lines:
        nets = [net_of(line, left) for line, left in zip(formula.lines, kept, strict=True)]
        earned = sum((Fraction(*line.rate) * part for line, part in zip(formula.lines, nets, strict=True)), Fraction())
        points, counted = int(earned // unit), sum(nets, Fraction())
    else:
        points = points_for(net, formula.multiplier, unit)
    points += sum(bonus for threshold, bonus in formula.bonuses if counted >= threshold)
    return max(0, min(points, LARGEST_COUNT if formula.cap is None else formula.cap))


def net_of(line: EarningLine, left: int) -> Fraction:
    """What a line still counts for of which ``left`` is kept of what was paid: minor units, exact."""
    return Fraction(line.net * left, line.paid) if line.paid else Fraction(line.net)
