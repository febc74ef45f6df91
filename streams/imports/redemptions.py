"""Which basket a coupon was used in: the data names a day, the till knows the basket."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping

from aggregates.calendar import local_day
from streams.imports.journey_files import Basket, Redemption

Offers = Mapping[str, Mapping[str, tuple[str, ...]]]


def attribute(
    redemptions: Iterable[Redemption], baskets: Iterable[Basket], offers: Offers, zone: str
) -> tuple[dict[str, list[Redemption]], list[Redemption], Counter[str]]:
    """Each redemption's basket (by basket), those that stand alone, and how many each rule placed.

    It belongs to the household's basket of that day with coupon money on a product the coupon covers, else with a covered
    product, else with any coupon money; the earliest wins.
    """
    wanted = list(redemptions)
    households = {redemption.household for redemption in wanted}
    of_day: defaultdict[tuple[str, str], list[Basket]] = defaultdict(list)
    for basket in baskets:
        if basket.household in households:
            of_day[basket.household, local_day(basket.at, zone)].append(basket)
    placed: defaultdict[str, list[Redemption]] = defaultdict(list)
    alone: list[Redemption] = []
    rules: Counter[str] = Counter()
    for redemption in wanted:
        covered = frozenset(offers.get(redemption.campaign, {}).get(redemption.coupon, ()))
        rule, basket_found = find(of_day[redemption.household, redemption.day], covered)
        rules[rule] += 1
        if basket_found:
            placed[basket_found.basket].append(redemption)
        else:
            alone.append(redemption)
    return placed, alone, rules


def find(baskets: list[Basket], covered: Collection[str]) -> tuple[str, Basket | None]:
    """The rule that holds, and the earliest basket that it holds for."""
    for basket in baskets:
        if any(line.product in covered and line.paid < line.total for line in basket.lines):
            return "coupon money on a covered product", basket
    for basket in baskets:
        if any(line.product in covered for line in basket.lines):
            return "a covered product", basket
    for basket in baskets:
        if any(line.paid < line.total for line in basket.lines):
            return "any coupon money", basket
    return "alone", None
