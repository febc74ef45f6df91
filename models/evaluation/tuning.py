"""Choosing a method's parameters from what is before the test, and nothing else.

The history is split as the test is: of its members the last orders, or its last tenth, frozen. The set with the highest sum of
recall and NDCG, for visits of hit rate and MRR, is taken; of equal ones the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from models.evaluation.cases import Plan, Setting, plan_of_baskets, plan_of_visits
from models.evaluation.facts import Baskets, VisitHistory, baskets_of, visits_of
from models.evaluation.measures import PER_CASE
from models.evaluation.methods import MethodEntry, Parameters, basket_method, visit_method
from models.evaluation.running import CaseTally, Meter, happened, run_baskets, run_visits

CASES = 500
"""Cases that a set of parameters is judged on."""

SHARE = 0.9
"""Of the history before an instant, what comes before the tuning's own test."""


@dataclass(frozen=True)
class Tuner:
    """``events``: all; ``plan``: the test's, whose events stay unseen. ``kinds``: the steps of visits, none for baskets."""

    events: Sequence[object]
    products: list[str]
    plan: Plan
    setting: Setting
    kinds: tuple[str, ...]
    cutoffs: Sequence[int]
    meter: Meter

    @cached_property
    def before(self) -> list[object]:
        """The events that may be seen: those before the test."""
        until, held = self.plan.until, self.plan.held
        return [e for n, e in enumerate(self.events) if n not in held and (until is None or happened(e) < until)]

    @cached_property
    def baskets(self) -> tuple[Baskets, Plan]:
        baskets = baskets_of(self.before, self.products)
        return baskets, plan_of_baskets(baskets, self._setting(baskets.at.tolist()))

    @cached_property
    def visits(self) -> tuple[VisitHistory, Plan]:
        visits = visits_of(self.before, self.products, self.kinds)
        return visits, plan_of_visits(visits, self._setting([steps[0].at for steps in visits.steps]))

    def best(self, entry: MethodEntry) -> Parameters:
        """Return the best set of an entry's grid; with no case to judge on, the published one."""
        judged = [(self._worth(entry, parameters), -place) for place, parameters in enumerate(entry.grid())]
        return entry.grid()[-max(judged)[1]]

    def _setting(self, instants: list[int]) -> Setting:
        if self.setting.protocol == "last-basket":
            return replace(self.setting, most=CASES)
        split = int(np.quantile(instants, SHARE)) if instants else 0
        return replace(self.setting, protocol="holdout", test_from=split, freeze=True, most=CASES)

    def _worth(self, entry: MethodEntry, parameters: Parameters) -> float:
        if self.kinds:
            visits, plan = self.visits
            ran = run_visits(visit_method(entry, parameters), visits, plan, self.cutoffs, self.meter)
            return worth(ran, ("hr", "mrr"), max(self.cutoffs))
        baskets, plan = self.baskets
        ran = run_baskets(basket_method(entry, parameters), baskets, plan, self.cutoffs, self.meter)
        return worth(ran, ("recall", "ndcg"), min(self.cutoffs))


def worth(ran: CaseTally, measures: Sequence[str], cutoff: int) -> float:
    """Return the sum of the means of some measures, 0 without a case."""
    if not ran.lists:
        return 0.0
    return float(sum(ran.values[cutoff][PER_CASE.index(measure)].mean() for measure in measures))
