"""Running a method over the cases of a plan: learn what may be learned, ask, measure."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

import numpy as np

from aggregates.decider import Recorded
from models.evaluation.baselines.history import History
from models.evaluation.baselines.method import BasketMethod
from models.evaluation.baselines.visits_alike import VisitMethod
from models.evaluation.cases import Case, Plan
from models.evaluation.facts import ACTS, IDLE, Baskets, Numbers, VisitHistory
from models.evaluation.measures import PER_CASE, Results, measured, novelty
from models.evaluation.ours import OURS, Ours

CHUNK = 1000
"""Events that the recommender is taught at once."""

SAMPLED = 100
"""Cases between two looks at the memory."""


class Meter(Protocol):
    """What a pure function cannot know: the time, and the memory in use."""

    def seconds(self) -> float: ...

    def look(self) -> None:
        """Note the memory in use, if it is the most so far."""


class CaseTally:
    """Collects lists, what they are worth, and how long each took."""

    def __init__(self, cases: Sequence[Case], cutoffs: Sequence[int], meter: Meter) -> None:
        self._cutoffs, self._meter = cutoffs, meter
        self.count = max(cutoffs)
        self.lists: list[list[int]] = []
        self.values = {cutoff: np.full((len(PER_CASE), len(cases)), np.nan) for cutoff in cutoffs}
        self.milliseconds: list[float] = []

    def ask(self, case: Case, popularity: Numbers, lists: Callable[[], list[int]]) -> None:
        began = self._meter.seconds()
        listed = lists()
        self.add(case, popularity, listed, 1000 * (self._meter.seconds() - began))

    def add(self, case: Case, popularity: Numbers, listed: list[int], milliseconds: float) -> None:
        column = len(self.lists)
        listed = listed[: self.count]
        for cutoff in self._cutoffs:
            self.values[cutoff][:-1, column] = measured(listed, case, cutoff)
            self.values[cutoff][-1, column] = novelty(listed, popularity, cutoff)
        self.lists.append(listed)
        self.milliseconds.append(milliseconds)
        if not column % SAMPLED:
            self._meter.look()

    def results(self) -> Results:
        return Results(self.lists, self.values)


class BasketStream:
    """Which baskets are known by each case, and how popular each product is by then."""

    def __init__(self, baskets: Baskets, plan: Plan) -> None:
        self._baskets, self._plan = baskets, plan
        before = np.ones(len(baskets), bool) if plan.until is None else baskets.at < plan.until
        held = np.isin(baskets.index, list(plan.held))
        self.frozen: Numbers = np.flatnonzero(before & ~held)
        self.popularity: Numbers = np.zeros(len(baskets.products), np.int64)
        self._passed = 0
        if not plan.online:
            for basket in self.frozen.tolist():
                self.popularity[baskets.of(basket)] += 1

    def known(self, case: Case) -> Numbers:
        """Return the baskets that may be learned from by now."""
        if not self._plan.online:
            return self.frozen
        passed = int(np.searchsorted(self._baskets.index, case.index))
        for basket in range(self._passed, passed):
            self.popularity[self._baskets.of(basket)] += 1
        self._passed = passed
        return np.arange(passed)


def run_baskets(method: BasketMethod, baskets: Baskets, plan: Plan, cutoffs: Sequence[int], meter: Meter) -> CaseTally:
    """Run a method for baskets.

    Online, own baskets and popularity are as of the case, what the method fits is as of when it was fitted last.
    """
    stream, tally = BasketStream(baskets, plan), CaseTally(plan.cases, cutoffs, meter)
    history: History | None = None
    for case in plan.cases:
        known = stream.known(case)
        if history is None or len(known) > method.growth * len(history.known) + 50:
            history = History(baskets, known, case.at)
            method.fit(history)
        tally.ask(case, stream.popularity, lambda: method.list_for(case, history, stream.popularity, tally.count))  # noqa: B023
    return tally


class VisitStream:
    """Hands each visit to a method once it is over, and counts how popular each product is.

    Visits that ended before the plan's instant are handed over whole. After it, a visit is over when its shopper has done
    nothing for half an hour, and the acts after the pause are another visit.
    """

    def __init__(self, visits: VisitHistory, plan: Plan, learn: Callable[[Sequence[int], int], None]) -> None:
        self._visits, self._plan, self._learn = visits, plan, learn
        self.popularity: Numbers = np.zeros(len(visits.products), np.int64)
        self._live: OrderedDict[int, tuple[int, list[int]]] = OrderedDict()
        self._clock = 0
        self._acts: list[tuple[int, int, int]] = []
        ended = self._learn_before(plan.until) if plan.until is not None else set[int]()
        if plan.online:
            self._acts = [(visits.steps[v][place].index, v, place) for v, place in visits.acts if v not in ended]
            self._acts.reverse()

    def reach(self, case: Case) -> None:
        """Learn what came before a case."""
        acts, visits = self._acts, self._visits
        while acts and acts[-1][0] < case.index:
            _, visit, place = acts.pop()
            step = visits.steps[visit][place]
            self._close(step.at)
            self.popularity[list(step.products)] += 1
            _, products = self._live.pop(visit, (0, []))
            self._live[visit] = self._clock, [*products, *step.products]
        if self._plan.online:
            self._close(case.at)

    def _close(self, at: int) -> None:
        self._clock = max(self._clock, at)
        while self._live:
            visit, (last, products) = next(iter(self._live.items()))
            if last >= self._clock - IDLE:
                return
            del self._live[visit]
            self._learn(products, last)

    def _learn_before(self, until: int) -> set[int]:
        """Learn the visits that are over by an instant; return them."""
        held = self._plan.held
        whole = []
        for visit, steps in enumerate(self._visits.steps):
            last = max(step.at for step in steps)
            if last < until and steps[0].index not in held:
                whole.append((last, visit))
        for last, visit in sorted(whole):
            products = [product for step in self._visits.steps[visit] for product in step.products]
            np.add.at(self.popularity, products, 1)
            self._learn(products, last)
        return {visit for _, visit in whole}


def run_visits(method: VisitMethod, visits: VisitHistory, plan: Plan, cutoffs: Sequence[int], meter: Meter) -> CaseTally:
    """Run a method for visits."""
    method.begin(len(visits.products))
    stream, tally = VisitStream(visits, plan, method.learn), CaseTally(plan.cases, cutoffs, meter)
    for case in plan.cases:
        stream.reach(case)
        method.settle()
        products = case.earlier.tolist()
        tally.ask(case, stream.popularity, lambda: method.list_for(products, case.at, stream.popularity, tally.count))  # noqa: B023
    return tally


class OursRun:
    """The recommender over a plan. It learns from every event, in the order of the log, whatever its type."""

    def __init__(self, ours: Ours, events: Sequence[object], plan: Plan, cutoffs: Sequence[int], meter: Meter) -> None:
        self._ours, self._events, self._plan, self._meter = ours, events, plan, meter
        self._cutoffs = cutoffs
        self._next = 0

    def baskets(self, baskets: Baskets) -> Mapping[str, CaseTally]:
        """Run the tasks next-basket and cart-completion."""
        stream, names = BasketStream(baskets, self._plan), baskets.products

        def lists_of(case: Case) -> Mapping[str, list[str]]:
            member = baskets.members[case.owner]
            if len(case.shown):
                return self._ours.for_cart(member, [names[product] for product in case.shown.tolist()], case.at)
            return self._ours.for_member(member, case.at)

        def popularity_by(case: Case) -> Numbers:
            stream.known(case)
            return stream.popularity

        return self._run(names, lists_of, popularity_by)

    def visits(self, visits: VisitHistory) -> Mapping[str, CaseTally]:
        """Run the task next-item."""
        stream = VisitStream(visits, self._plan, lambda _products, _at: None)

        def popularity_by(case: Case) -> Numbers:
            stream.reach(case)
            return stream.popularity

        return self._run(visits.products, lambda case: self._ours.for_visit(*visits.who[case.owner], case.at), popularity_by)

    def _run(
        self,
        names: Sequence[str],
        lists_of: Callable[[Case], Mapping[str, list[str]]],
        popularity_by: Callable[[Case], Numbers],
    ) -> Mapping[str, CaseTally]:
        number = {product: n for n, product in enumerate(names)}
        tallies: dict[str, CaseTally] = {}
        if not self._plan.online:
            self._learn_history()
        for case in self._plan.cases:
            self._reach(case)
            popularity, began = popularity_by(case), self._meter.seconds()
            lists = lists_of(case)
            took = 1000 * (self._meter.seconds() - began)
            for source, listed in lists.items():
                name = source if source == OURS else f"{OURS}:{source}"
                tally = tallies.setdefault(name, CaseTally(self._plan.cases, self._cutoffs, self._meter))
                tally.add(case, popularity, [number[product] for product in listed], took)
        return tallies

    def _learn_history(self) -> None:
        plan = self._plan
        chosen = [
            Recorded(n, event)
            for n, event in enumerate(self._events, 1)
            if n - 1 not in plan.held and (plan.until is None or happened(event) < plan.until)
        ]
        for chunk in chunks(chosen, CHUNK):
            self._ours.learn(chunk)

    def _reach(self, case: Case) -> None:
        """Learn, or if frozen only see, what came before a case."""
        if not self._plan.online:
            self._see(range(self._next, case.index))
        else:
            for first in range(self._next, case.index, CHUNK):
                until = min(case.index, first + CHUNK)
                self._ours.learn([Recorded(n + 1, self._events[n]) for n in range(first, until)])
        self._next = case.index

    def _see(self, span: range) -> None:
        """Let a frozen recommender see what happened in test visits."""
        for n in span:
            event = self._events[n]
            if n in self._plan.held and isinstance(event, ACTS) and (event.member or event.session):
                self._ours.see(event)


def happened(event: object) -> int:
    """Return an event's instant, epoch milliseconds."""
    at: int = getattr(event, "at", 0)
    return at


def chunks(events: Sequence[Recorded], size: int) -> Iterator[Sequence[Recorded]]:
    return (events[first : first + size] for first in range(0, len(events), size))
