"""Earning by spending: which rules a purchase meets, and what each makes of it.

A rule that asks for nothing but the order's net, as that of a shop without a policy, stays as cheap as a multiplication.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from fractions import Fraction
from math import gcd
from typing import NamedTuple

from aggregates.calendar import local_day
from aggregates.membership.earning.formula import Formula, plain
from aggregates.membership.ledger.grants import EarningLine
from aggregates.money import apportion
from aggregates.programme import Multiplier, Programme, Rate, SpendRule
from aggregates.value import Value

WHOLE: Rate = (1, 1)


class BoughtLine(Value):
    """A line of a paid order; ``paid`` in minor units, tax included."""

    product: str
    paid: int
    department: str | None = None
    category: str | None = None


class Purse(NamedTuple):
    """Who buys what, and when: the tier and the tags that count are those held before."""

    net: int
    lines: Sequence[BoughtLine]
    tier: str
    tags: Collection[str]
    at: int


def formulas(bought: Purse, terms: Programme) -> Iterator[tuple[SpendRule, Formula]]:
    """The rules that a purchase meets, each with what it is worth by."""
    for rule in terms.earning.spend:
        multiplier = terms.multiplier(bought.tier) if rule.by_tier else WHOLE
        if rule.is_plain:
            yield rule, plain(times(rule.rate, multiplier))
            continue
        day = local_day(bought.at, terms.zone)
        if rule.days.has(day) and rule.audience.has(bought.tier, bought.tags):
            yield rule, of_rule(rule, times(rule.rate, multiplier), bought, day, terms.unit)


def of_rule(rule: SpendRule, rate: Rate, bought: Purse, day: str, unit: int) -> Formula:
    campaigns = [one for one in rule.multipliers if one.days.has(day) and one.audience.has(bought.tier, bought.tags)]
    bonuses = tuple((bonus.threshold * unit, bonus.points) for bonus in rule.bonuses)
    if not rule.needs_lines:
        rate = times(rate, combined(campaigns, rule))
        return Formula(rate, (), bonuses, rule.minimum * unit, rule.cap)
    nets = apportion(bought.net, [line.paid for line in bought.lines])
    lines = [
        EarningLine(number, line.product, line.paid, net, times(rate, combined([c for c in campaigns if meets(c, line)], rule)))
        for number, (line, net) in enumerate(zip(bought.lines, nets, strict=True), 1)
        if earns(rule, line)
    ]
    return Formula(rate if lines else (0, 1), tuple(lines), bonuses if lines else (), rule.minimum * unit, rule.cap)


def earns(rule: SpendRule, line: BoughtLine) -> bool:
    told = (line.product, line.department, line.category)
    return (rule.only.is_empty or rule.only.has(*told)) and not rule.excluded.has(*told)


def meets(campaign: Multiplier, line: BoughtLine) -> bool:
    return campaign.only.is_empty or campaign.only.has(line.product, line.department, line.category)


def combined(campaigns: Sequence[Multiplier], rule: SpendRule) -> Rate:
    rate = WHOLE
    if campaigns and rule.stacking == "best":
        return max((campaign.rate for campaign in campaigns), key=lambda rate: Fraction(*rate))
    for campaign in campaigns:
        rate = times(rate, campaign.rate)
    return rate


def times(one: Rate, other: Rate) -> Rate:
    """The product of two rates.

    >>> times((3, 2), (2, 1))
    (3, 1)
    """
    if one == WHOLE:
        return other
    if other == WHOLE:
        return one
    numerator, denominator = one[0] * other[0], one[1] * other[1]
    common = gcd(numerator, denominator)
    return numerator // common, denominator // common
