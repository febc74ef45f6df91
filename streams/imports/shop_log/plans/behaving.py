"""Behaviour and reviews: the fact as it is told, by whoever it turns out to be."""

from __future__ import annotations

from collections.abc import Iterator

from aggregates.behaviour import Clicked, Dismissed, Favourited, Impressed, OfProduct, Searched, Shared, Unfavourited, Viewed
from aggregates.review import ReviewProduct
from streams.commands.request import Look
from streams.imports.shop_log.lines import BehaviourLine, ImpressionLine, ReviewLine, SearchLine
from streams.imports.shop_log.plans.first_sight import met, met_product, met_products, recognised

OF_PRODUCT: dict[str, type[OfProduct]] = {
    "view": Viewed,
    "click": Clicked,
    "favourite": Favourited,
    "unfavourite": Unfavourited,
    "dismiss": Dismissed,
    "share": Shared,
}


def behave(line: BehaviourLine, at: int, look: Look) -> Iterator[object]:
    who = recognised(line.who, look)
    yield from met(who, at, look)
    yield from met_product(line.product, at, look)
    place = line.order_position or None  # they count from 1, so 0 is no place
    yield OF_PRODUCT[line.kind](line.product, who.member, who.session, at, line.slot, place)


def search(line: SearchLine, at: int, look: Look) -> Iterator[object]:
    who = recognised(line.who, look)
    yield from met(who, at, look)
    yield from met_products(line.shown, at, look)
    yield Searched(line.query, who.member, who.session, line.shown, at)


def impress(line: ImpressionLine, at: int, look: Look) -> Iterator[object]:
    who = recognised(line.who, look)
    yield from met(who, at, look)
    yield from met_products(line.products, at, look)
    yield Impressed(line.slot, line.products, who.member, who.session, line.propensities or (), line.strategy, at)


def give_review(line: ReviewLine, at: int, look: Look) -> Iterator[object]:
    who = recognised(line.who, look)
    yield from met(who, at, look)
    yield from met_product(line.product, at, look)
    yield ReviewProduct(line.product, at, line.rating, who.member, who.session, line.text, line.order)
