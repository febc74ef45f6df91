"""Earning by what a member does: rules with a limit a period, streaks of days in a row, missions of several steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from aggregates.calendar import add_days, local_day
from aggregates.membership.earning.events import MissionAdvanced, StreakExtended
from aggregates.membership.earning.spending import BoughtLine
from aggregates.membership.earning.state import Earning, Mission
from aggregates.programme import Mission as MissionRule
from aggregates.programme import Programme, Step, StreakRule


class Act(NamedTuple):
    """``net`` and ``lines``: of an order, where the action is a purchase."""

    member: str
    action: str
    tier: str
    at: int
    net: int = 0
    lines: Sequence[BoughtLine] = ()


@dataclass(frozen=True)
class Reward:
    """``points`` of a wallet by a rule. ``period``: what its limit counts in."""

    rule: str
    wallet: str
    points: int
    by_tier: bool = False
    period: str | None = None


def is_rewarded(action: str, terms: Programme) -> bool:
    """Whether any rule is about it."""
    return action in terms.earning.rewarded


def of_rules(act: Act, terms: Programme, earning: Earning) -> Iterator[Reward]:
    day = local_day(act.at, terms.zone)
    for rule in terms.earning.events:
        if rule.event != act.action or not (rule.days.has(day) and rule.audience.has(act.tier, earning.tags)):
            continue
        period = period_of(rule.per, day)
        if rule.limit is None or earning.counts.get((rule.id, period), 0) < rule.limit:
            yield Reward(rule.id, rule.wallet, rule.points, rule.by_tier, period)


def period_of(per: str, day: str) -> str:
    """The day on which a day's period began; a week begins on Monday.

    >>> [period_of(per, "2026-11-26") for per in ("ever", "day", "week", "month", "year")]
    ['', '2026-11-26', '2026-11-23', '2026-11-01', '2026-01-01']
    """
    match per:
        case "ever":
            return ""
        case "week":
            then = date.fromisoformat(day)
            return (then - timedelta(days=then.weekday())).isoformat()
        case "month":
            return f"{day[:7]}-01"
        case "year":
            return f"{day[:4]}-01-01"
        case _:
            return day


def of_streaks(act: Act, terms: Programme, earning: Earning) -> Iterator[StreakExtended | Reward]:
    """A day counts once, and none before the latest."""
    day = local_day(act.at, terms.zone)
    for rule in terms.earning.streaks:
        if rule.event != act.action or not (rule.days.has(day) and rule.audience.has(act.tier, earning.tags)):
            continue
        latest, length = earning.streaks.get(rule.id, ("", 0))
        if day <= latest:
            continue
        length = length + 1 if latest == day_before(day) else 1
        if rule.restarts and length > len(rule.points):
            length = 1
        yield StreakExtended(act.member, rule.id, length, day, act.at)
        if points := points_of_day(rule, length):
            yield Reward(rule.id, rule.wallet, points, period=day)


def day_before(day: str) -> str:
    return (date.fromisoformat(day) - timedelta(days=1)).isoformat()


def points_of_day(rule: StreakRule, length: int) -> int:
    return rule.points[min(length, len(rule.points)) - 1] if rule.points else 0


def of_missions(act: Act, terms: Programme, earning: Earning) -> Iterator[MissionAdvanced | Reward]:
    day = local_day(act.at, terms.zone)
    for mission in terms.earning.missions:
        if not (mission.days.has(day) and mission.audience.has(act.tier, earning.tags)):
            continue
        known = running(earning.missions.get(mission.id), mission, act.at, terms)
        step = next_step(known, mission, act, terms)
        if step is None:
            continue
        progress = tuple(done + (number == step) for number, done in enumerate(known.progress))
        began = act.at if not any(known.progress) else known.began
        if any(done < wanted.times for done, wanted in zip(progress, mission.steps, strict=True)):
            yield MissionAdvanced(act.member, mission.id, progress, began, known.completed, act.at)
            continue
        yield MissionAdvanced(act.member, mission.id, (0,) * len(progress), act.at, known.completed + 1, act.at)
        yield Reward(mission.id, mission.wallet, mission.points, period=str(known.completed + 1))


def running(known: Mission | None, mission: MissionRule, at: int, terms: Programme) -> Mission:
    """What counts of a mission now: it begins anew if its days are over, or its steps are others than they were.

    They are where nothing would be left to do of what was not completed, as after a policy that asks for less.
    """
    completed = known.completed if known else 0
    nothing = Mission((0,) * len(mission.steps), at, completed)
    if known is None or len(known.progress) != len(mission.steps):
        return nothing
    if all(done >= step.times for done, step in zip(known.progress, mission.steps, strict=True)):
        return nothing
    if mission.within_days is not None and at >= add_days(known.began, mission.within_days, terms.zone):
        return nothing
    return known


def next_step(known: Mission, mission: MissionRule, act: Act, terms: Programme) -> int | None:
    """The step that this act is one of, if any is left to do."""
    if known.completed >= mission.repeats:
        return None
    for number, (step, done) in enumerate(zip(mission.steps, known.progress, strict=True)):
        if done < step.times:
            if meets(step, act, terms):
                return number
            if mission.in_order:
                return None
    return None


def meets(step: Step, act: Act, terms: Programme) -> bool:
    if step.event != act.action or act.net < step.minimum * terms.unit:
        return False
    return step.only.is_empty or any(step.only.has(line.product, line.department, line.category) for line in act.lines)
