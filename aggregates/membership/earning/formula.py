"""What an order earns: the rules that it meets, and the formula of each, frozen at its grant.

This is the one place where points are rounded: points = floor(what is kept × rate), then bonuses whose threshold is still
reached. So a refund is judged by the rule, the policy and the tier of the purchase, and the result depends on what is kept and
never on the way there. A rule that needs only the order's net, as the default one, costs one multiplication.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import gcd
from typing import NamedTuple

from aggregates.calendar import local_day
from aggregates.decider import LARGEST_COUNT
from aggregates.membership.ledger.events import EarningLine
from aggregates.money import apportion
from aggregates.programme import Multiplier, Programme, Rate, SpendRule
from aggregates.value import Value


@dataclass(frozen=True)
class Formula:
    """``multiplier`` is points per major unit of the order. If there are ``lines``, each has a rate of its own.

    ``bonuses`` are pairs of the net that is asked for and points. ``minimum`` is of the order's net; both are minor units.
    ``cap`` is in points.
    """

    multiplier: Rate
    lines: tuple[EarningLine, ...] = ()
    bonuses: tuple[tuple[int, int], ...] = ()
    minimum: int = 0
    cap: int | None = None


@lru_cache(maxsize=256)
def plain_formula(multiplier: Rate) -> Formula:
    """Return the formula of nearly every order, made once."""
    return Formula(multiplier)


def points_for(net: int, multiplier: Rate, unit: int) -> int:
    """Return the points that ``net`` minor units earn; ``unit`` minor units make a major one.

    >>> points_for(22550, (3, 2), 100)
    338
    """
    numerator, denominator = multiplier
    return net * numerator // (denominator * unit)


def times_points(points: int, multiplier: Rate) -> int:
    """Return the points of a rule with fixed points, times a tier's multiplier."""
    return min(points * multiplier[0] // multiplier[1], LARGEST_COUNT)


def points_worth(formula: Formula, net: int, kept: Sequence[int], unit: int) -> int:
    """Return the points of an order with this net, of whose lines ``kept`` is left of the money paid for each.

    >>> points_worth(Formula((3, 2), bonuses=((20_000, 100),)), 22_550, (), 100)
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
    """Return what a line still counts for if ``left`` is kept of what was paid: minor units, exact."""
    return Fraction(line.net * left, line.paid) if line.paid else Fraction(line.net)


WHOLE: Rate = (1, 1)


class BoughtLine(Value):
    """A line of a paid order; ``paid`` is in minor units, tax included."""

    product: str
    paid: int
    department: str | None = None
    category: str | None = None


class NewPurchase(NamedTuple):
    """What is bought, when and by whom. The tier and the tags are those held before this purchase."""

    net: int
    lines: Sequence[BoughtLine]
    tier: str
    tags: Collection[str]
    at: int


def formulas_for(bought: NewPurchase, terms: Programme) -> Iterator[tuple[SpendRule, Formula]]:
    """Yield the rules that a purchase meets, each with its formula."""
    for rule in terms.earning.spend:
        multiplier = terms.multiplier(bought.tier) if rule.by_tier else WHOLE
        if rule.is_plain:
            yield rule, plain_formula(multiply_rates(rule.rate, multiplier))
            continue
        day = local_day(bought.at, terms.zone)
        if rule.days.has(day) and rule.audience.has(bought.tier, bought.tags):
            yield rule, formula_of(rule, multiply_rates(rule.rate, multiplier), bought, day, terms.unit)


def formula_of(rule: SpendRule, rate: Rate, bought: NewPurchase, day: str, unit: int) -> Formula:
    campaigns = [one for one in rule.multipliers if one.days.has(day) and one.audience.has(bought.tier, bought.tags)]
    bonuses = tuple((bonus.threshold * unit, bonus.points) for bonus in rule.bonuses)
    if not rule.needs_lines:
        rate = multiply_rates(rate, combine_rates(campaigns, rule))
        return Formula(rate, (), bonuses, rule.minimum * unit, rule.cap)
    nets = apportion(bought.net, [line.paid for line in bought.lines])
    lines = [
        EarningLine(
            number,
            line.product,
            line.paid,
            net,
            multiply_rates(rate, combine_rates([c for c in campaigns if is_in_campaign(c, line)], rule)),
        )
        for number, (line, net) in enumerate(zip(bought.lines, nets, strict=True), 1)
        if line_earns(rule, line)
    ]
    return Formula(rate if lines else (0, 1), tuple(lines), bonuses if lines else (), rule.minimum * unit, rule.cap)


def line_earns(rule: SpendRule, line: BoughtLine) -> bool:
    told = (line.product, line.department, line.category)
    return (rule.only.is_empty or rule.only.has(*told)) and not rule.excluded.has(*told)


def is_in_campaign(campaign: Multiplier, line: BoughtLine) -> bool:
    return campaign.only.is_empty or campaign.only.has(line.product, line.department, line.category)


def combine_rates(campaigns: Sequence[Multiplier], rule: SpendRule) -> Rate:
    rate = WHOLE
    if campaigns and rule.stacking == "best":
        return max((campaign.rate for campaign in campaigns), key=lambda rate: Fraction(*rate))
    for campaign in campaigns:
        rate = multiply_rates(rate, campaign.rate)
    return rate


def multiply_rates(one: Rate, other: Rate) -> Rate:
    """Return the product of two rates.

    >>> multiply_rates((3, 2), (2, 1))
    (3, 1)
    """
    if one == WHOLE:
        return other
    if other == WHOLE:
        return one
    numerator, denominator = one[0] * other[0], one[1] * other[1]
    common = gcd(numerator, denominator)
    return numerator // common, denominator // common
