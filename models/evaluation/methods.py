"""The table of methods: what each is called, what it is made with as published, and what else is tried when it is tuned."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, TypeAlias

from models.evaluation.baselines.counting import FadingReturn, GlobalTop, PersonalTop, RecentTop, Trex
from models.evaluation.baselines.factors import Factors, VisitFactors
from models.evaluation.baselines.items_alike import ItemKnn, TrexWithCart
from models.evaluation.baselines.members_alike import TifuKnn, UpCf
from models.evaluation.baselines.method import BasketMethod
from models.evaluation.baselines.next_products import ItemKnnVisits, PopularVisits, Transitions
from models.evaluation.baselines.visits_alike import Revisit, Stan, VisitMethod, VSknn, Vstan, WithRevisit

Parameters: TypeAlias = dict[str, Any]

TUNED = "-tuned"
"""What the name of a method with tuned parameters ends with."""


@dataclass(frozen=True)
class MethodEntry:
    """``published``: parameters from a paper or its code. ``others``: sets that are tried, too, when it is tuned.

    ``extra``: whether it needs the extra ``evaluate``.
    """

    make: Callable[..., Any]
    published: Parameters
    others: tuple[Parameters, ...] = ()
    extra: bool = False

    def grid(self) -> tuple[Parameters, ...]:
        return (self.published, *self.others)


def sets(*names: str) -> Callable[..., Parameters]:
    """Return what makes a set of parameters of values in this order."""
    return lambda *values: dict(zip(names, values, strict=True))


TIFU = sets("nearest", "within", "between", "own", "groups", "whole")
UPCF = sets("recent", "alpha", "sharpness")
TREX = sets("alpha", "beta")
FADING = sets("days", "trust")
VSKNN = sets("nearest", "sampled", "weighting", "scoring", "idf")
STAN = sets("nearest", "sampled", "spread", "days", "apart")
VSTAN = sets("nearest", "sampled", "spread", "days", "apart", "fading", "idf")
FACTORS = sets("factors", "regularization", "iterations")


def named(name: str) -> Callable[..., Factors]:
    return lambda **parameters: Factors(name, **parameters)


def named_of_visits(name: str) -> Callable[..., VisitFactors]:
    return lambda **parameters: VisitFactors(name, **parameters)


def vstan_with_revisit(**parameters: Any) -> WithRevisit:
    return WithRevisit(Vstan(**parameters))


TREX_ENTRY = MethodEntry(
    Trex,
    TREX(0.7, 0.9),  # Dunnhumby
    tuple(TREX(alpha, beta) for alpha, beta in product((0.3, 1.0), (0.8, 0.9, 0.95, 0.98))),
)

OF_BASKETS: dict[str, MethodEntry] = {
    "g-pop": MethodEntry(GlobalTop, {}),
    "p-top": MethodEntry(PersonalTop, {}),
    "gp-top": MethodEntry(lambda: PersonalTop(filled=True), {}),
    "p-top-recent": MethodEntry(RecentTop, {}),
    "decay-180": MethodEntry(
        FadingReturn,
        FADING(180.0, 1.0),
        tuple(FADING(days, trust) for days, trust in product((30.0, 60.0, 180.0, 365.0), (0.4, 1.0))),
    ),
    "trex": TREX_ENTRY,
    "tifu-knn": MethodEntry(
        TifuKnn,
        TIFU(100, 0.9, 0.9, 0.1, 7, True),  # Complete Journey, retuned by NBR-fairness
        (
            TIFU(300, 0.9, 0.7, 0.7, 7, True),  # Ta-Feng
            TIFU(900, 0.9, 0.6, 0.2, 3, True),  # Dunnhumby
            TIFU(900, 0.9, 0.7, 0.9, 3, True),  # Instacart
            TIFU(300, 0.9, 0.9, 0.1, 11, True),  # Ta-Feng, retuned
            TIFU(100, 1.0, 0.8, 0.3, 7, True),
            TIFU(300, 1.0, 0.8, 0.5, 7, True),
            TIFU(100, 0.95, 0.9, 0.7, 7, True),
            TIFU(10, 0.95, 0.9, 0.9, 7, True),
            TIFU(300, 0.9, 0.7, 0.7, 7, False),
            TIFU(900, 0.9, 0.7, 0.9, 3, False),
        ),
    ),
    "up-cf": MethodEntry(
        UpCf,
        UPCF(25, 0.25, 5),  # Complete Journey
        (
            UPCF(10, 0.75, 10),
            UPCF(10, 0.25, 1),
            UPCF(5, 0.25, 5),
            UPCF(25, 0.5, 10),
            UPCF(100, 0.25, 5),
            UPCF(25, 0.25, 10),
            UPCF(25, 0.75, 10),
        ),
    ),
    "item-knn": MethodEntry(ItemKnn, {}),
    "bpr": MethodEntry(named("bpr"), FACTORS(100, 0.01, 100), (FACTORS(32, 0.01, 100), FACTORS(64, 0.001, 50)), extra=True),
    "als": MethodEntry(named("als"), FACTORS(100, 0.01, 15), (FACTORS(32, 0.1, 15), FACTORS(64, 1.0, 15)), extra=True),
}
OF_CARTS: dict[str, MethodEntry] = {
    **OF_BASKETS,
    "trex-cart": MethodEntry(TrexWithCart, TREX_ENTRY.published, TREX_ENTRY.others),
}

VSTAN_ENTRY = MethodEntry(
    Vstan,
    VSTAN(200, 5000, 1.81, 40.0, 0.905, 0.905, 0.0),  # RetailRocket
    (
        VSTAN(300, 2500, 3.95, 2.71, 4.68, 3.25, 1.5),
        VSTAN(1000, 2500, 1.81, 100.0, 0.4525, 1.81, 1.0),
        VSTAN(200, 1000, 4.9, 100.0, 3.62, 2.0, 1.0),
        VSTAN(500, 5000, 4.9, 40.0, 3.62, 2.0, 5.0),
        VSTAN(200, 5000, 2.0, 10.0, 1.81, 1.0, 2.0),
    ),
)

OF_VISITS: dict[str, MethodEntry] = {
    "g-pop": MethodEntry(PopularVisits, {}),
    "revisit": MethodEntry(Revisit, {}),
    "item-knn": MethodEntry(ItemKnnVisits, {}),
    "transitions": MethodEntry(Transitions, {}),
    "v-sknn": MethodEntry(
        VSknn,
        VSKNN(500, 5000, "quadratic", "div", 5.0),  # Diginetica
        (
            VSKNN(1500, 2500, "quadratic", "div", 10.0),
            VSKNN(50, 500, "log", "linear", 10.0),
            VSKNN(100, 1000, "div", "div", 1.0),
            VSKNN(200, 2500, "quadratic", "quadratic", 2.0),
        ),
    ),
    "stan": MethodEntry(
        Stan,
        STAN(500, 1000, 1.81, 100.0, 0.4525),  # RetailRocket
        (STAN(1500, 2500, 0.905, 100.0, 0.4525), STAN(100, 2500, 5.0, 4.42, 5.0), STAN(200, 2500, 3.62, 40.0, 1.81)),
    ),
    "vstan": VSTAN_ENTRY,
    "vstan+revisit": MethodEntry(vstan_with_revisit, VSTAN_ENTRY.published, VSTAN_ENTRY.others),
    "bpr": MethodEntry(
        named_of_visits("bpr"), FACTORS(100, 0.01, 100), (FACTORS(32, 0.01, 100), FACTORS(64, 0.001, 50)), extra=True
    ),
    "als": MethodEntry(
        named_of_visits("als"), FACTORS(100, 0.01, 15), (FACTORS(32, 0.1, 15), FACTORS(64, 1.0, 15)), extra=True
    ),
}

TASKS: Mapping[str, Mapping[str, MethodEntry]] = {
    "next-basket": OF_BASKETS,
    "cart-completion": OF_CARTS,
    "next-item": OF_VISITS,
}


def names_of(task: str) -> list[str]:
    """Return the methods of a task by name, each that has parameters also tuned."""
    names = []
    for name, entry in TASKS[task].items():
        names.append(name)
        if entry.others:
            names.append(name + TUNED)
    return names


def basket_method(entry: MethodEntry, parameters: Parameters) -> BasketMethod:
    made: BasketMethod = entry.make(**parameters)
    return made


def visit_method(entry: MethodEntry, parameters: Parameters) -> VisitMethod:
    made: VisitMethod = entry.make(**parameters)
    return made
