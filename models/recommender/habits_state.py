"""A member's map of text: a field a habit, what they were last offered and shown, and nothing but a mark once erased."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from models.recommender.habits import Habits
from models.recommender.offers import Offer

if TYPE_CHECKING:
    from models.learner import Learner

RUN, SHOWN, OFFER, ERASED = OWN = (".run", ".shown", ".offer", ".erased")
"""Fields that are no product (the dot is doubled where a product's id begins with one)."""


def restore(learner: Learner, member: str, fields: Mapping[str, str]) -> None:
    habits = Habits(*map(int, fields[RUN].split()))
    told = {field.removeprefix("."): text.split() for field, text in fields.items() if field not in OWN}
    products = sorted(told, key=lambda product: int(told[product][0]))
    habits.places_of(products)
    habits.table[:] = np.array([told[product][1:] for product in products], float).T
    habits.numbers[: len(habits)] = learner.items.numbers_of(products)
    learner.repeat.members[member] = habits
    learner.shown[member] = tuple(json.loads(fields[SHOWN]))
    learner.offers[member] = Offer.from_text(fields[OFFER], learner.items)


def told(learner: Learner, member: str, places: Collection[int]) -> Iterator[tuple[str, str]]:
    """The fields of the habits at these places, then the member's own. A habit is its place in the table and its rows there."""
    habits = learner.repeat.members[member]
    for place, row in zip(places, habits.table[:, list(places)].T.tolist(), strict=True):
        times, weight, recent, small, first, last, seen = row
        text = f"{place} {times:.0f} {weight!r} {recent!r} {small!r} {first:.0f} {last:.0f} {seen:.0f}"
        yield escaped(habits.products[place]), text
    yield RUN, f"{habits.run} {habits.baskets} {habits.size} {habits.first} {habits.last}"
    yield SHOWN, json.dumps(learner.shown[member])
    yield OFFER, learner.offers[member].to_text()


def erased(products: Iterable[str]) -> dict[str, int | None]:
    """What is written over the fields of a member who is erased."""
    return {**dict.fromkeys((*map(escaped, products), RUN, SHOWN, OFFER)), ERASED: 1}


def escaped(product: str) -> str:
    return f".{product}" if product.startswith(".") else product
