"""Replays history under other settings of the recommender, beside today's: each basket is tested before it is learned.

Both learners see the same events, so they are tested on the same baskets and looks. Differences are paired by day: the error is
that of a ratio of sums over days (Cochran, 1977), since baskets of one day are alike. Nothing is written anywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, fields
from functools import partial
from math import sqrt
from multiprocessing import get_context
from typing import Any, TypeAlias

from infra.event_log.log import EventLog
from infra.settings import Settings
from infra.yaml_document import parse
from models.evaluation.quality import METRICS, SCOPES, VISIT_METRICS
from models.learner import Learner
from models.recommender.settings import SHIPPED, RecommenderSettings
from streams.imports.policy_file import LocatedProblem
from streams.replay.in_memory import LearnerInMemory
from streams.replay.past.read_models import Past, Progress
from streams.running.app import open_log

LEAST: dict[str, float] = {"repeats": 1, "companions": 0, "popular": 1, "rate": 1e-6, "averaged": 0, "bends": 1}
MOST: dict[str, float] = {"repeats": 1000, "companions": 500, "popular": 80, "rate": 10, "averaged": 100_000, "bends": 256}

DailyQuality: TypeAlias = dict[str, dict[str, float]]
"""By day, the sums of :class:`models.evaluation.quality.Quality`."""


def read_settings(source: bytes) -> tuple[RecommenderSettings, list[LocatedProblem]]:
    """Return the settings that a YAML file states, the shipped ones where it states none, and its problems."""
    written, wrong = parse(source)
    found = [LocatedProblem(line, column, "", reason) for line, column, reason in wrong]
    known = {spec.name: spec.type for spec in fields(RecommenderSettings)}
    chosen: dict[str, Any] = {}
    stated = written.plain if isinstance(written.plain, dict) else {}
    if not wrong and not stated:
        found.append(LocatedProblem(1, 1, "", f"it states no setting; known are {', '.join(known)}"))
    for name, text in stated.items():
        if name not in known:
            problem = f"there is no such setting; known are {', '.join(known)}"
            found.append(LocatedProblem(*written.place((name,)), str(name), problem))
        elif (value := setting_value(name, text, whole := known[name] == "int")) is None:
            kind = "a whole number" if whole else "a number"
            problem = f"{kind} from {LEAST[name]:g} to {MOST[name]:g} is needed"
            found.append(LocatedProblem(*written.place((name,)), str(name), problem))
        else:
            chosen[name] = value
    return RecommenderSettings(**chosen), found


def setting_value(name: str, text: object, whole: bool) -> float | None:
    """Return the number that a setting states, None if it is none that the setting may have.

    >>> setting_value("repeats", "9", True), setting_value("repeats", "0", True), setting_value("rate", "nan", False)
    (9, None, None)
    """
    try:
        value = (int if whole else float)(str(text))
    except ValueError:
        return None
    return value if LEAST[name] <= value <= MOST[name] else None


def quality_under(log: EventLog, zone: str, until: int, progress: Progress, settings: RecommenderSettings) -> DailyQuality:
    """Return the quality by day of a learner with these settings, up to a position of the log."""
    past = Past(log, [Learner], zone)
    held = LearnerInMemory(zone, settings)
    past.folds[Learner.name].held = held
    past.to(until, progress)
    days = (key for key in held.held_keys() if key.startswith("quality:"))
    stored = {key.partition(":")[2]: past.fields(key) or {} for key in days}
    return {day: {name: float(value) for name, value in stored[day].items()} for day in sorted(stored)}


def in_a_process(home: Settings, zone: str, until: int, settings: RecommenderSettings) -> DailyQuality:
    """Return :func:`quality_under` of a home's log, opened anew."""
    with open_log(home) as (log, _):
        return quality_under(log, zone, until, lambda _: None, settings)


def both_qualities(
    log: EventLog, home: Settings, zone: str, until: int, candidate: RecommenderSettings, processes: int, progress: Progress
) -> tuple[DailyQuality, DailyQuality]:
    """Return the quality of today's settings and of the candidate's; with two processes, both learn at once."""
    if processes < 2:
        was = quality_under(log, zone, until, progress, SHIPPED)
        return was, quality_under(log, zone, until, progress, candidate)
    learn = partial(in_a_process, home, zone, until)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        other = pool.submit(learn, candidate)
        return quality_under(log, zone, until, progress, SHIPPED), other.result()


@dataclass(frozen=True)
class PairedMean:
    """A measure under both settings, over so many tests; the difference with its standard error, paired by day."""

    scope: str
    measure: str
    tests: int
    was: float
    would: float
    difference: float
    se: float


def compared(was: DailyQuality, would: DailyQuality) -> dict[str, Any]:
    """Return the comparison as plain data: over all days, and by month."""
    months = sorted({day[:7] for day in was})
    by_month = {month: [day for day in was if day.startswith(month)] for month in months}
    return {
        "days": len(was),
        "whole": [asdict(one) for one in means(was, would, list(was))],
        "months": [{"month": month} | asdict(one) for month, days in by_month.items() for one in means(was, would, days)],
    }


def means(was: DailyQuality, would: DailyQuality, days: Sequence[str]) -> Iterable[PairedMean]:
    """Yield each measure of each scope that was tested on these days."""
    for scope, count, measures in (*((scope, "baskets", METRICS) for scope in SCOPES), ("visits", "acts", VISIT_METRICS)):
        tests = [was[day].get(f"{scope}:{count}", 0.0) for day in days]
        if not sum(tests):
            continue
        if tests != [would.get(day, {}).get(f"{scope}:{count}", 0.0) for day in days]:
            raise ValueError(f"The two learners were tested on other {scope} {count}.")
        for measure in measures:
            field = f"{scope}:regulars:{measure}"
            pairs = [(was[day].get(field, 0.0), would[day].get(field, 0.0)) for day in days]
            yield paired_mean(scope, measure, tests, pairs)


def paired_mean(scope: str, measure: str, tests: Sequence[float], pairs: Sequence[tuple[float, float]]) -> PairedMean:
    """Return the means of daily sums over all tests, and their difference.

    >>> paired_mean("all", "recall", [2, 2], [(1, 2), (1, 2)])
    PairedMean(scope='all', measure='recall', tests=4, was=0.5, would=1.0, difference=0.5, se=0.0)
    """
    whole = sum(tests)
    was, would = (sum(pair[side] for pair in pairs) / whole for side in (0, 1))
    difference = sum(after - before for before, after in pairs) / whole
    spread = sum((after - before - difference * count) ** 2 for count, (before, after) in zip(tests, pairs, strict=True))
    days = len(tests)
    se = sqrt(spread * days / (days - 1)) / whole if days > 1 else 0.0
    return PairedMean(scope, measure, int(whole), was, would, difference, se)
