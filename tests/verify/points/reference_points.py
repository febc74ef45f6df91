"""What an order earns, as the policy says it: exact fractions, every rule asked anew of what is kept of every line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from math import floor, prod

from aggregates.programme import Programme
from aggregates.programme.earning import Multiplier, Selection, SpendRule
from tests.verify.points.calendar import day_of

CENTS = 100


@dataclass(frozen=True)
class Line:
    product: str
    department: str | None
    category: str | None


@dataclass
class Order:
    """``left``: what is kept of the money of each line, ``net`` of the whole, in cents; ``tier``: held before it was paid.

    ``earned``: points by rule, less those taken back.
    """

    order: str
    at: int
    lines: tuple[Line, ...]
    left: list[int]
    net: int
    tier: str = ""
    earned: dict[str, int] = field(default_factory=dict)


def worth(order: Order, terms: Programme) -> dict[str, int]:
    """Points by rule, for what is kept of an order."""
    return {rule.id: points(rule, order, terms) for rule in terms.earning.spend}


def points(rule: SpendRule, order: Order, terms: Programme) -> int:
    if order.net <= 0 or order.net < rule.minimum * CENTS or not applies(rule, order):
        return 0
    if asks_for_lines(rule):
        parts = [(line, left) for line, left in zip(order.lines, order.left, strict=True) if earns(rule, line)]
        if not parts:
            return 0
    else:
        parts = [(Line("", None, None), order.net)]
    rate = Fraction(*rule.rate) * (tier_rate(order.tier, terms) if rule.by_tier else 1)
    found = floor(sum(rate * campaigns(rule, line, order) * left for line, left in parts) / CENTS)
    counted = sum(left for _, left in parts)
    found += sum(bonus.points for bonus in rule.bonuses if counted >= bonus.threshold * CENTS)
    return max(0, found if rule.cap is None else min(found, rule.cap))


def applies(rule: SpendRule | Multiplier, order: Order) -> bool:
    """Of members without tags."""
    day, tiers = day_of(order.at), rule.audience.tiers
    return (rule.days.first or "") <= day <= (rule.days.last or "9") and (not tiers or order.tier in tiers)


def campaigns(rule: SpendRule, line: Line, order: Order) -> Fraction:
    rates = list(meeting(rule, line, order))
    if not rates:
        return Fraction(1)
    return max(rates) if rule.stacking == "best" else prod(rates, start=Fraction(1))


def meeting(rule: SpendRule, line: Line, order: Order) -> Iterator[Fraction]:
    for one in rule.multipliers:
        if applies(one, order) and (is_empty(one.only) or selects(one.only, line)):
            yield Fraction(*one.rate)


def earns(rule: SpendRule, line: Line) -> bool:
    return (is_empty(rule.only) or selects(rule.only, line)) and not selects(rule.excluded, line)


def asks_for_lines(rule: SpendRule) -> bool:
    return not all(is_empty(one) for one in (rule.only, rule.excluded, *(campaign.only for campaign in rule.multipliers)))


def selects(told: Selection, line: Line) -> bool:
    return line.product in told.products or line.department in told.departments or line.category in told.categories


def is_empty(told: Selection) -> bool:
    return not (told.products or told.departments or told.categories)


def tier_rate(tier: str, terms: Programme) -> Fraction:
    return next((Fraction(*known.multiplier) for known in terms.tiers if known.name == tier), Fraction(1))
