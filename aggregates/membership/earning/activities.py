"""Earning by actions: rules with a limit per period, streaks of days in a row, and missions of several steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from aggregates.calendar import add_days, local_day
from aggregates.membership.earning.formula import BoughtLine
from aggregates.membership.earning.state import EarningState, MissionAdvanced, MissionState, StreakExtended
from aggregates.programme import Mission as MissionRule
from aggregates.programme import Programme, Step, StreakRule


class MemberAction(NamedTuple):
    """An action of a member; ``net`` and ``lines`` are those of the order, if the action is a purchase."""

    member: str
    action: str
    tier: str
    at: int
    net: int = 0
    lines: Sequence[BoughtLine] = ()


@dataclass(frozen=True)
class EarnedReward:
    """``points`` of a wallet earned by a rule. ``period`` is what the rule's limit counts in."""

    rule: str
    wallet: str
    points: int
    by_tier: bool = False
    period: str | None = None


def is_rewarded(action: str, terms: Programme) -> bool:
    """Return whether any rule rewards an action."""
    return action in terms.earning.rewarded


def apply_rules(act: MemberAction, terms: Programme, earning: EarningState) -> Iterator[EarnedReward]:
    day = local_day(act.at, terms.zone)
    for rule in terms.earning.events:
        if rule.event != act.action or not (rule.days.has(day) and rule.audience.has(act.tier, earning.tags)):
            continue
        period = period_of(rule.per, day)
        if rule.limit is None or earning.counts.get((rule.id, period), 0) < rule.limit:
            yield EarnedReward(rule.id, rule.wallet, rule.points, rule.by_tier, period)


def period_of(per: str, day: str) -> str:
    """Return the first day of the period of a day; weeks begin on Monday.

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


def extend_streaks(act: MemberAction, terms: Programme, earning: EarningState) -> Iterator[StreakExtended | EarnedReward]:
    """Yield the streaks that an action extends, and what they earn. A day counts once, and no day before the latest."""
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
        yield StreakExtended(member=act.member, rule=rule.id, length=length, day=day, at=act.at)
        if points := points_of_day(rule, length):
            yield EarnedReward(rule.id, rule.wallet, points, period=day)


def day_before(day: str) -> str:
    return (date.fromisoformat(day) - timedelta(days=1)).isoformat()


def points_of_day(rule: StreakRule, length: int) -> int:
    return rule.points[min(length, len(rule.points)) - 1] if rule.points else 0


def advance_missions(act: MemberAction, terms: Programme, earning: EarningState) -> Iterator[MissionAdvanced | EarnedReward]:
    day = local_day(act.at, terms.zone)
    for mission in terms.earning.missions:
        if not (mission.days.has(day) and mission.audience.has(act.tier, earning.tags)):
            continue
        known = current_mission(earning.missions.get(mission.id), mission, act.at, terms)
        step = next_step(known, mission, act, terms)
        if step is None:
            continue
        progress = tuple(done + (number == step) for number, done in enumerate(known.progress))
        began = act.at if not any(known.progress) else known.began
        if any(done < wanted.times for done, wanted in zip(progress, mission.steps, strict=True)):
            yield MissionAdvanced(
                member=act.member, mission=mission.id, progress=progress, began=began, completed=known.completed, at=act.at
            )
            continue
        yield MissionAdvanced(
            member=act.member,
            mission=mission.id,
            progress=(0,) * len(progress),
            began=act.at,
            completed=known.completed + 1,
            at=act.at,
        )
        yield EarnedReward(mission.id, mission.wallet, mission.points, period=str(known.completed + 1))


def current_mission(known: MissionState | None, mission: MissionRule, at: int, terms: Programme) -> MissionState:
    """Return the progress of a mission that still counts. It begins anew if its days are over or its steps have changed.

    They have changed too if nothing is left to do of what was not completed, as after a policy that asks for less.
    """
    completed = known.completed if known else 0
    nothing = MissionState((0,) * len(mission.steps), at, completed)
    if known is None or len(known.progress) != len(mission.steps):
        return nothing
    if all(done >= step.times for done, step in zip(known.progress, mission.steps, strict=True)):
        return nothing
    if mission.within_days is not None and at >= add_days(known.began, mission.within_days, terms.zone):
        return nothing
    return known


def next_step(known: MissionState, mission: MissionRule, act: MemberAction, terms: Programme) -> int | None:
    """Return the number of the step that this action completes or advances, None if there is none."""
    if known.completed >= mission.repeats:
        return None
    for number, (step, done) in enumerate(zip(mission.steps, known.progress, strict=True)):
        if done < step.times:
            if is_step(step, act, terms):
                return number
            if mission.in_order:
                return None
    return None


def is_step(step: Step, act: MemberAction, terms: Programme) -> bool:
    if step.event != act.action or act.net < step.minimum * terms.unit:
        return False
    return step.only.is_empty or any(step.only.has(line.product, line.department, line.category) for line in act.lines)
