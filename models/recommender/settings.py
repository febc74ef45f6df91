"""What may be set of the recommender: how many candidates each source proposes, and how its ranker learns."""

from __future__ import annotations

from dataclasses import dataclass

from models.recommender.candidates import COMPANIONS, POPULAR, REPEATS
from models.recommender.ranker import BENDS, RATE

AVERAGED = 100
"""Baskets over which the ranker's weights are averaged."""


@dataclass(frozen=True)
class RecommenderSettings:
    """``repeats``, ``companions``, ``popular``: candidates of each source. ``rate``: how fast the ranker learns.

    ``averaged``: baskets over which its weights are averaged, 0 for none. ``bends``: its curved features.
    """

    repeats: int = REPEATS
    companions: int = COMPANIONS
    popular: int = POPULAR
    rate: float = RATE
    averaged: int = AVERAGED
    bends: int = BENDS


SHIPPED = RecommenderSettings()
