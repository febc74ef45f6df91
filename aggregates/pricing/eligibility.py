"""Whether a campaign is open to a shopper now, whatever the amounts; and if not, why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeAlias
from zoneinfo import ZoneInfo

from aggregates.pricing.request import PriceRequest, Running
from aggregates.pricing.terms import WEEKDAYS, Condition, WeeklyHours


@dataclass(frozen=True)
class Needs:
    """What the amounts must still reach: the sum and the number of units of what the campaign is about."""

    amount: int = 0
    count: int = 0


Reason: TypeAlias = str


def needs_of(running: Running, request: PriceRequest, units: int) -> Needs | Reason:
    """Return what the amounts must reach for a campaign to hold, or the code of the reason why it cannot.

    ``units``: how many units the cart has of what the campaign is about.
    """
    limits = running.terms.limits
    found = needs(running.terms.when, request, units)
    if isinstance(found, Reason):
        return found
    if limits.total is not None and running.used >= limits.total:
        return "limit_reached"
    if limits.member is not None and running.used_by_member >= limits.member:
        return "member_limit"
    if running.budget_left is not None and running.budget_left <= 0:
        return "budget_spent"
    return found


def needs(condition: Condition, request: PriceRequest, units: int) -> Needs | Reason:
    """Return what a condition asks of the amounts; of alternatives that hold, the one that asks least."""
    if reason := shut(condition, request):
        return reason
    if not condition.any_of:
        return Needs(condition.amount, condition.count)
    answers = [needs(each, request, units) for each in condition.any_of]
    open_ones = [answer for answer in answers if isinstance(answer, Needs)]
    if not open_ones:
        return next(answer for answer in answers if isinstance(answer, Reason))
    least = min(open_ones, key=lambda each: (each.count > units, each.amount, each.count))
    return Needs(max(condition.amount, least.amount), max(condition.count, least.count))


def shut(condition: Condition, request: PriceRequest) -> Reason | None:
    """Return why a condition does not hold for this shopper at this time, None if it does."""
    at, shopper = request.at, request.shopper
    if condition.starts is not None and at < condition.starts:
        return "not_started"
    if condition.ends is not None and at >= condition.ends:
        return "ended"
    if condition.hours and not any(within(hours, at, request.rules.zone) for hours in condition.hours):
        return "wrong_hours"
    if condition.members and shopper.member not in condition.members:
        return "not_yours"
    if condition.tags and shopper.tags.isdisjoint(condition.tags):
        return "not_yours"
    if condition.tiers and shopper.tier not in condition.tiers:
        return "wrong_tier"
    if condition.first_order and not shopper.first_order:
        return "not_first_order"
    return None


def within(hours: WeeklyHours, at: int, zone: str) -> bool:
    """Whether an instant is in these hours of the week.

    >>> friday_noon = 1_795_780_800_000  # 27 November 2026, 12:00 UTC
    >>> [within(WeeklyHours(("fri",), "22:00", "02:00"), friday_noon + h * 3_600_000, "UTC") for h in (9, 10, 13, 14)]
    [False, True, True, False]
    """
    local = datetime.fromtimestamp(at // 1000, UTC).astimezone(ZoneInfo(zone))
    start, end, now = minutes(hours.start), minutes(hours.end), local.hour * 60 + local.minute
    if end > start:
        return start <= now < end and on(hours, local)
    return (now >= start and on(hours, local)) or (now < end and on(hours, local - timedelta(days=1)))


def on(hours: WeeklyHours, day: datetime) -> bool:
    return not hours.days or WEEKDAYS[day.weekday()] in hours.days


def minutes(clock: str) -> int:
    hour, _, minute = clock.partition(":")
    return int(hour) * 60 + int(minute)
