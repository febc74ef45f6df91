"""A small shop's log in which some facts were recorded long after they happened."""

from __future__ import annotations

from random import Random
from typing import Any

from aggregates.behaviour import Viewed
from aggregates.member import RegisterMember
from aggregates.product import RepriceProduct
from streams.commands.request import Request
from streams.running.app import App
from tests.shop import HOUR, MEMBERS, PRODUCTS, START, requests

LATE = 12
"""Requests with facts of the past."""


def late_requests(shoppings: int, seed: int = 5) -> list[Request]:
    """Return a shop's requests, and among their second half some with facts dated in the first."""
    random, asked = Random(seed), list(requests(shoppings))
    for number in range(LATE):
        at = START + random.randrange(shoppings * 15) * HOUR
        commands: tuple[Any, ...] = (
            Viewed(product=random.choice(PRODUCTS), member=random.choice(MEMBERS[2:]), session=None, at=at),
            RepriceProduct(random.choice(PRODUCTS[:10]), 100 + number, at),
        )
        if number == 0:
            commands = (*commands, RegisterMember("late", at, "Late Comer"))
        where = random.randrange(len(asked) // 2, len(asked))
        asked.insert(where, Request(f"late-{number}", commands))
    return asked


def fill(app: App, shoppings: int) -> App:
    """Record the requests, each of which must be accepted, and return the system."""
    for outcome in app.handler.handle_all(late_requests(shoppings)):
        assert outcome.accepted or not outcome.request.startswith("late"), outcome.sentence
    return app
