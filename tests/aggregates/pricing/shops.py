"""Carts and campaigns of the worked examples."""

from __future__ import annotations

from typing import Any

from aggregates.pricing.request import Entered, LineItem, PointsWanted, PriceRequest, PriceRules, Running
from aggregates.pricing.terms import CampaignTerms, Condition, Effect, Rung
from aggregates.programme.earning import Selection

VAT_20 = (1, 5)


def goods(name: str, quantity: int, list_unit: int, category: str | None = None, **more: Any) -> LineItem:
    return LineItem(name, name, quantity, list_unit, category=category, **more)


def campaign(name: str, effect: Effect, **terms: Any) -> Running:
    return Running(name, CampaignTerms(effect, **terms))


GOLD = campaign("gold", Effect(percent=(1, 20)), stage="price")
SALE = campaign("sale", Effect(unit=7990), stage="price", only=Selection(products=("B",)))
FULL_300_LESS_40 = campaign("full300", Effect(ladder=(Rung(30000, off=4000),)))
K1 = campaign(
    "K1", Effect(percent=(1, 10)), stage="code", by_code=True, only=Selection(categories=("shoes",)), combines_with=("all",)
)
K2 = campaign("K2", Effect(fixed=2500), stage="code", by_code=True, when=Condition(amount=25000))
K3 = campaign("K3", Effect(percent=(3, 25)), stage="code", by_code=True, combines_with=("promotions",))

ITEMS_OF_2_4 = (
    goods("A", 2, 14900, "shoes", rate=VAT_20),
    goods("B", 1, 8990, rate=VAT_20),
    goods("C", 1, 3500, rate=VAT_20),
)
CODES = tuple(Entered(name, name) for name in ("K1", "K2", "K3"))


def order_of_2_4(**changes: Any) -> PriceRequest:
    """The worked example of membership 2.4: a gold member with three codes and 1,500 points."""
    told: dict[str, Any] = {
        "items": ITEMS_OF_2_4,
        "campaigns": (GOLD, SALE, FULL_300_LESS_40, K1, K2, K3),
        "codes": CODES,
        "points": PointsWanted(1500, (1, 1)),
        "rules": PriceRules("EUR"),
    }
    return PriceRequest(**{**told, **changes})


def three_lines(
    currency: str, digits: int, rate: tuple[int, int], units: tuple[int, int, int], off: int, **more: Any
) -> PriceRequest:
    """Two of the first line and one of each other; an amount off, a code of 10 %, and points."""
    items = (
        goods("A", 2, units[0], rate=rate),
        goods("B", 1, units[1], rate=rate),
        goods("C", 1, units[2], rate=rate),
    )
    campaigns = (
        campaign("off", Effect(fixed=off)),
        campaign("ten", Effect(percent=(1, 10)), stage="code", by_code=True),
    )
    return PriceRequest(items, campaigns=campaigns, codes=(Entered("TEN", "ten"),), rules=PriceRules(currency, digits), **more)


def yen() -> PriceRequest:
    return three_lines("JPY", 0, (1, 10), (2980, 1980, 550), 1000, points=PointsWanted(300, (1, 1)))


def dinar() -> PriceRequest:
    return three_lines("KWD", 3, (1, 20), (12345, 7990, 1005), 2500, points=PointsWanted(1500, (1, 1)))
