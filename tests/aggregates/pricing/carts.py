"""Random carts with random promotions, from a seed."""

from __future__ import annotations

import random
from fractions import Fraction
from typing import Any

from aggregates.pricing.request import Entered, LineItem, PointsWanted, PriceRequest, PriceRules, Running
from aggregates.pricing.terms import (
    Bundle,
    BundlePart,
    CampaignTerms,
    Condition,
    Deal,
    Effect,
    Gift,
    PerFull,
    Rung,
)
from aggregates.programme.earning import Selection

CATEGORIES = ("tea", "cups", "shoes")
RATES = ((0, 1), (1, 5), (19, 100), (7, 100))


def random_request(seed: int, promotions: int = 6, lines: int = 5, conflicts: float = 0.3, **rules: Any) -> PriceRequest:
    """Return a cart of up to ``lines`` lines with ``promotions`` promotions, a part of whose pairs conflict."""
    chance = random.Random(seed)
    items = [random_item(chance, f"p{number}") for number in range(chance.randint(1, lines))]
    if chance.random() < 0.4:
        items.append(LineItem("ship", "ship", 1, chance.randint(0, 900), (1, 5), kind="shipping"))
    if chance.random() < 0.15:
        items.append(LineItem("voucher", "voucher", 1, 5000, kind="gift_card"))
    running = [random_campaign(chance, number, conflicts, promotions) for number in range(promotions)]
    running += [line_price(chance, number) for number in range(chance.randint(0, 2))]
    codes = [Entered(f"CODE{each.id}", each.id) for each in running if each.terms.by_code]
    pins = tuple(each.id for each in running if each.terms.stage != "price" and chance.random() < 0.04)
    points = PointsWanted(
        chance.randint(1, 4000), chance.choice([(1, 1), (1, 3), (5, 2)]), share=chance.choice([(1, 1), (1, 2)])
    )
    return PriceRequest(
        tuple(items),
        campaigns=tuple(running),
        codes=tuple(codes),
        pins=pins,
        points=points if chance.random() < 0.4 else None,
        rules=random_rules(chance, **rules),
        hints=False,
    )


def random_rules(chance: random.Random, **rules: Any) -> PriceRules:
    told: dict[str, Any] = {
        "mode": chance.choice(["included", "added"]),
        "basis": chance.choice(["group", "group", "line"]),
        "most_off": (chance.randint(1, 9), 10) if chance.random() < 0.2 else None,
        "work": 10**7,
        **dict(zip(("currency", "digits"), chance.choice([("JPY", 0), ("EUR", 2), ("KWD", 3), ("CLF", 4)]), strict=True)),
    }
    return PriceRules(**{**told, **rules})


def random_item(chance: random.Random, name: str) -> LineItem:
    price = chance.choice([0, chance.randint(1, 50), chance.randint(100, 20_000), chance.randint(100, 20_000)])
    floor = chance.randint(0, price) if chance.random() < 0.2 else 0
    return LineItem(name, name, chance.randint(1, 4), price, chance.choice(RATES), floor, category=chance.choice(CATEGORIES))


def random_scope(chance: random.Random) -> Selection:
    return Selection(categories=(chance.choice(CATEGORIES),)) if chance.random() < 0.5 else Selection()


def line_price(chance: random.Random, number: int) -> Running:
    effect = chance.choice(
        [
            Effect(percent=(1, 20)),
            Effect(unit=chance.randint(50, 9000)),
            Effect(ladder=(Rung(2, percent=(1, 10)),), ladder_by="count"),
        ]
    )
    stage: Any = chance.choice(["price", "price", "activity"]) if effect.unit else "price"
    return Running(f"price{number}", CampaignTerms(effect, stage=stage, only=random_scope(chance)))


def random_campaign(chance: random.Random, number: int, conflicts: float, of: int) -> Running:
    """Return a promotion that consents to each other one with the chance that leaves a part of pairs in conflict."""
    effect, stage = random_effect(chance)
    consent = (1 - conflicts) ** 0.5
    others = tuple(f"c{other}" for other in range(of) if chance.random() < consent)
    terms = CampaignTerms(
        effect,
        stage=stage,
        by_code=stage == "code",
        when=Condition(amount=chance.choice([0, 0, chance.randint(1, 30_000)]), ends=chance.choice([None, 10**12, 2 * 10**12])),
        only=random_scope(chance),
        cap=chance.randint(1, 3000) if chance.random() < 0.2 else None,
        combines_with=others,
        refund=chance.choice(["proportional", "proportional", "proportional", "recompute"]),
    )
    return Running(f"c{number}", terms, budget_left=chance.randint(1, 5000) if chance.random() < 0.1 else None)


def random_effect(chance: random.Random) -> tuple[Effect, Any]:
    stage = chance.choice(["line", "order", "order", "code", "code"])
    rate = Fraction(chance.randint(1, 40), 100).as_integer_ratio()
    match chance.randint(0, 9):
        case 0 | 1 | 2:
            return Effect(percent=rate), stage
        case 3 | 4:
            return Effect(fixed=chance.randint(1, 4000)), stage
        case 5:
            return Effect(per_full=PerFull(chance.randint(1000, 9000), chance.randint(1, 900))), "order"
        case 6:
            low = chance.randint(1, 9000)
            return Effect(ladder=(Rung(low, off=300), Rung(low * 2, off=900))), "order"
        case 7:
            deal = Deal(
                chance.randint(1, 2), 1, chance.choice([(1, 1), (1, 2)]), cheapest=chance.choice(["of_group", "of_all"])
            )
            on = random_scope(chance) if chance.random() < 0.3 else Selection()
            return Effect(deal=deal, on=on), "line"
        case 8:
            parts = (BundlePart(Selection(categories=("tea",))), BundlePart(Selection(categories=("cups",))))
            return Effect(bundle=Bundle(chance.randint(0, 9000), parts)), "line"
        case _:
            shipping = chance.random() < 0.5
            return (
                (Effect(free_shipping=True), "shipping")
                if shipping
                else (Effect(gift=Gift("gift", chance.randint(1, 2000))), "order")
            )
