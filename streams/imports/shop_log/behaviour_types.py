"""Lines that tell what someone did in the shop, short of buying."""

from __future__ import annotations

from streams.imports.shop_log import building
from streams.imports.shop_log.kinds import COUNT, ID, IDS, MONEY, PIECES, PROPENSITIES, RATING, SOME_IDS, TEXT
from streams.imports.shop_log.line_type import ANYONE, ORDER, PRODUCT, WHO, LineType, line_type
from streams.imports.shop_log.shape import Field


def behaviour(kind: str, about: str) -> LineType:
    shown = {
        "slot": Field(ID, "The list or place on the page where the product stood."),
        "position": Field(COUNT, "Its place in that list, counted from 1; 0 tells none."),
    }
    return line_type(kind, about, building.behaviour, {**PRODUCT, **WHO, **shown}, "product_id", ANYONE)


def cart(kind: str, about: str, more: dict[str, Field]) -> LineType:
    held = {
        "quantity": Field(PIECES, "Pieces, 1 if left out."),
        "cart": Field(ID, "The cart, where a shopper has several.", ours=True),
    }
    return line_type(kind, about, building.cart, {**PRODUCT, **WHO, **held, **more}, "product_id", ANYONE)


BEHAVIOURS = (
    behaviour("view", "Someone looked at a product."),
    behaviour("click", "Someone clicked on a product that was shown."),
    behaviour("favourite", "Someone marked a product."),
    behaviour("unfavourite", "Someone took that mark away."),
    behaviour("dismiss", "Someone does not want to see a product."),
    behaviour("share", "Someone shared a product."),
    line_type(
        "search",
        "Someone searched.",
        building.search,
        {"query": Field(TEXT, "What for."), **WHO, "product_ids": Field(IDS, "What was shown, best first.")},
        "query",
        ANYONE,
    ),
    line_type(
        "impression",
        "Products were shown to someone.",
        building.impression,
        {
            "slot": Field(ID, "The list or place on the page."),
            "product_ids": Field(SOME_IDS, "What was shown, in order."),
            **WHO,
            "propensities": Field(PROPENSITIES, "How likely each of them was to be shown: above 0, at most 1."),
            "strategy": Field(TEXT, "What chose them."),
        },
        "slot",
        "product_ids",
        ANYONE,
    ),
    cart("add_to_cart", "Someone put a product into the cart.", {"price": Field(MONEY, "The unit price shown.", ours=True)}),
    cart("remove_from_cart", "Someone took a product out of the cart.", {}),
    line_type(
        "review",
        "Someone rated a product.",
        building.review,
        {
            **PRODUCT,
            **WHO,
            "rating": Field(RATING, "1 to 5, halves allowed."),
            "text": Field(TEXT, "What they wrote."),
            **ORDER,
        },
        "product_id",
        ANYONE,
        "rating",
    ),
)
