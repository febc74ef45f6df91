"""One evaluation: which cases, which methods, and the report of their results.

Every method runs over the same cases, one after the other, each from nothing.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from models.evaluation.baselines.factors import installed
from models.evaluation.cases import Plan, Setting, plan_of_baskets, plan_of_visits
from models.evaluation.facts import Baskets, VisitHistory, baskets_of, products_of, visits_of
from models.evaluation.measures import over_time, summary
from models.evaluation.methods import TASKS, TUNED, MethodEntry, Parameters, basket_method, visit_method
from models.evaluation.ours import OURS, Ours
from models.evaluation.running import CaseTally, OursRun, run_baskets, run_visits
from models.evaluation.tuning import Tuner

PERIODS = 24
"""Periods of equal length that a prequential run is told by."""

MEGABYTE = 1 << 20
NEXT_ITEM = "next-item"
INSTALL = "not installed: pip install 'regulars[evaluate]'"


class ProcessMeter:
    """The process's clock, and the most memory it held since it was asked to begin."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        self._before = self.most = resident()
        self._wall, self._processor = time.perf_counter(), time.process_time()

    def seconds(self) -> float:
        return time.perf_counter()

    def look(self) -> None:
        self.most = max(self.most, resident())

    @property
    def taken(self) -> dict[str, float]:
        """Seconds since it was asked to begin: by the clock, and of the processor."""
        wall, processor = time.perf_counter() - self._wall, time.process_time() - self._processor
        return {"seconds": round(wall, 2), "cpu_seconds": round(processor, 2)}

    @property
    def grown(self) -> float:
        """Megabytes that the process grew by at the most."""
        return round((self.most - self._before) / MEGABYTE, 1)


def resident() -> int:
    """Return the bytes of memory the process holds now; where the system does not tell, the most it ever held."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return pages * resource.getpagesize()


@dataclass(frozen=True)
class EvaluationTask:
    """``kinds``: the types of acts that are a visit's steps. ``cutoffs``: the list lengths that are measured."""

    name: str
    setting: Setting
    cutoffs: tuple[int, ...]
    kinds: tuple[str, ...] = ("view",)
    zone: str = "UTC"


@dataclass
class Method:
    """What came of one method. ``told``: its row of the report, without the measures."""

    name: str
    tally: CaseTally
    told: dict[str, Any] = field(default_factory=dict)


class Evaluation:
    """``events``: the shop's history in the order of its log."""

    def __init__(self, task: EvaluationTask, events: Sequence[object]) -> None:
        self.task, self._events = task, events
        self.products = products_of(events)
        self._baskets: Baskets | None = None
        self._visits: VisitHistory | None = None
        if task.name == NEXT_ITEM:
            self._visits = visits_of(events, self.products, task.kinds)
            self.plan: Plan = plan_of_visits(self._visits, task.setting)
        else:
            self._baskets = baskets_of(events, self.products)
            self.plan = plan_of_baskets(self._baskets, task.setting)
        self.meter = ProcessMeter()
        self.methods: list[Method] = []
        self.left_out: dict[str, str] = {}

    def run(self, names: Sequence[str], say: Callable[[str], None]) -> None:
        """Run the recommender, then the methods of these names; ``say`` is told what begins."""
        if not self.plan.cases:
            return
        say(OURS)
        self._run_ours()
        for name in names:
            entry = TASKS[self.task.name][name.removesuffix(TUNED)]
            if entry.extra and not installed():
                self.left_out[name] = INSTALL
                continue
            if name.endswith(TUNED) and self._cannot_tune():
                self.left_out[name] = "nothing is before the test: name an instant with --test-from"
                continue
            say(name)
            self._run_method(name, entry)

    def report(self) -> dict[str, Any]:
        """Return the report, as it is written as JSON."""
        cases, setting = self.plan.cases, self.task.setting
        rows = []
        ours = self.methods[0].tally.results() if self.methods else None
        for method in self.methods:
            against = None if method.name == OURS else ours
            figures = summary(method.tally.results(), cases, len(self.products), against)
            row = {"method": method.name, **figures, **method.told}
            if setting.protocol == "prequential":
                row["over_time"] = over_time(method.tally.values, cases, self.shown, self._bounds())
            rows.append(row)
        return {
            "task": self.task.name,
            "protocol": setting.protocol,
            "frozen": not self.plan.online,
            "test_from": setting.test_from,
            "cases": len(cases),
            "products": len(self.products),
            "left_out": self.left_out,
            "methods": rows,
        }

    def tops(self) -> Iterator[dict[str, Any]]:
        """Yield the recommender's list for each case."""
        if self.methods:
            for case, listed in zip(self.plan.cases, self.methods[0].tally.lists, strict=True):
                yield {"case": case.name, "top": [self.products[product] for product in listed]}

    @property
    def shown(self) -> str:
        """The measure that is drawn over time, and ordered by."""
        return "hr" if self.task.name == NEXT_ITEM else "recall"

    def _bounds(self) -> list[int]:
        at = [case.at for case in self.plan.cases]
        return np.linspace(min(at), max(at) + 1, PERIODS + 1).astype(int).tolist() if at else []

    def _cannot_tune(self) -> bool:
        return self.task.setting.protocol == "prequential" and self.task.setting.test_from is None

    def _run_ours(self) -> None:
        self.meter.begin()
        run = OursRun(Ours(self.task.zone), self._events, self.plan, self.task.cutoffs, self.meter)
        tallies: Mapping[str, CaseTally]
        tallies = run.visits(self._visits) if self._visits else run.baskets(self._baskets) if self._baskets else {}
        self.meter.look()
        for name, tally in tallies.items():
            self._add(name, tally, {})

    def _run_method(self, name: str, entry: MethodEntry) -> None:
        parameters, tuned = entry.published, {}
        if name.endswith(TUNED):
            began = self.meter.seconds()
            parameters = self._tuner.best(entry)
            tuned = {"tuning_seconds": round(self.meter.seconds() - began, 1)}
        self.meter.begin()
        tally = self._tally(entry, parameters)
        self.meter.look()
        self._add(name, tally, {"parameters": parameters, **tuned})

    def _tally(self, entry: MethodEntry, parameters: Parameters) -> CaseTally:
        if self._visits is not None:
            return run_visits(visit_method(entry, parameters), self._visits, self.plan, self.task.cutoffs, self.meter)
        assert self._baskets is not None  # noqa: S101 - one of the two is there
        return run_baskets(basket_method(entry, parameters), self._baskets, self.plan, self.task.cutoffs, self.meter)

    @cached_property
    def _tuner(self) -> Tuner:
        task = self.task
        kinds = task.kinds if self._visits is not None else ()
        return Tuner(self._events, self.products, self.plan, task.setting, kinds, task.cutoffs, self.meter)

    def _add(self, name: str, tally: CaseTally, told: dict[str, Any]) -> None:
        took = np.array(tally.milliseconds)
        self.methods.append(
            Method(
                name,
                tally,
                {
                    **told,
                    "ms_p50": round(float(np.percentile(took, 50)), 3),
                    "ms_p99": round(float(np.percentile(took, 99)), 3),
                    **self.meter.taken,
                    "memory_mb": self.meter.grown,
                },
            )
        )
