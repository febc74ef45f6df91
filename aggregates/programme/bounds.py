"""The bounds of single terms, whatever they belong to: numbers, rates, days, and the names of wallets and tiers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import date
from typing import Any

from aggregates.programme.document import Path, Problem, expected
from aggregates.programme.earning import Bonus, EventRule, Mission, SpendRule, Step, StreakRule
from aggregates.programme.points import Pools, Redemption, Transfers, Wallet
from aggregates.programme.rate import Rate
from aggregates.programme.rewards import Reward
from aggregates.programme.selection import Audience, Days
from aggregates.programme.terms import Programme
from aggregates.programme.tiers import ENTRY_TIER, Qualifying, Tier
from aggregates.programme.validity import Validity

AT_LEAST_ONE: dict[type, tuple[str, ...]] = {
    Bonus: ("threshold", "points"),
    EventRule: ("points", "limit"),
    Mission: ("points", "repeats", "within_days"),
    Pools: ("members",),
    Qualifying: ("months",),
    Redemption: ("minimum", "multiple"),
    Reward: ("price", "per_member"),
    SpendRule: ("cap",),
    Step: ("times",),
    StreakRule: ("points",),
    Tier: ("threshold",),
    Transfers: ("minimum", "daily_cap"),
    Wallet: ("hold_minutes", "reissue_days"),
}
"""Numbers that cannot be 0."""

MOST = {"days": 3_660, "months": 120, "minutes": 525_600, "hours": 8_760, "members": 100}
"""The most that a number may be, by the last word of its name."""

LONGEST = {"never": 0, "days": 3_660, "months": 3_660, "end_of_month": 3_660, "end_of_year": 300}
"""The most of a validity, so that calendars can be counted on from any instant."""

MOST_OF_ALL = 10**9
MOST_ENTRIES = 1_000
HIGHEST_RATE = 1_000_000


def of_terms(terms: Programme) -> Iterator[Problem]:
    """Everything out of bounds, wherever it is."""
    for name in expected(Programme):
        yield from of_value(terms, name, getattr(terms, name), (name,), terms)


def of_value(owner: Any, name: str, value: Any, path: Path, terms: Programme) -> Iterator[Problem]:
    kind: Any = type(owner)
    hint = expected(kind)[name]
    if isinstance(value, Validity):
        yield from of_number(value.length, path, 1 if value.span in ("days", "months") else 0, LONGEST[value.span])
    elif isinstance(value, Days):
        yield from of_days(value, path)
    elif is_dataclass(value):
        yield from of_entry(owner, name, value, path, terms)
    elif hint == Rate:
        yield from of_rate(value, path)
    elif isinstance(value, tuple):
        if len(value) > MOST_ENTRIES:
            yield Problem(path, f"at most {MOST_ENTRIES:,} entries, not {len(value):,}")
        for place, entry in enumerate(value):
            yield from of_entry(owner, name, entry, (*path, place), terms)
    else:
        yield from of_entry(owner, name, value, path, terms)


def of_entry(owner: Any, name: str, value: Any, path: Path, terms: Programme) -> Iterator[Problem]:
    if is_dataclass(value):
        for spec in fields(value):
            yield from of_value(value, spec.name, getattr(value, spec.name), (*path, spec.name), terms)
    elif isinstance(value, int) and not isinstance(value, bool):
        least = int(name in AT_LEAST_ONE.get(type(owner), ()))
        yield from of_number(value, path, least, MOST.get(name.rpartition("_")[2], MOST_OF_ALL))
    elif name in ("wallet", "wallets") and terms.wallets and terms.wallet(value) is None:
        yield Problem(path, f"there is no wallet {value!r}; known are {', '.join(wallet.name for wallet in terms.wallets)}")
    elif isinstance(owner, Audience) and name == "tiers" and value not in (known := tier_names(terms)):
        yield Problem(path, f"there is no tier {value!r}; known are {', '.join(known)}")


def tier_names(terms: Programme) -> list[str]:
    return [ENTRY_TIER, *(tier.name for tier in terms.tiers)]


def of_number(value: int, path: Path, least: int, most: int) -> Iterator[Problem]:
    if not least <= value <= most:
        yield Problem(path, f"must be from {least:,} to {most:,}, not {value:,}")


def of_rate(value: Rate, path: Path) -> Iterator[Problem]:
    numerator, denominator = value
    if not 0 < numerator <= HIGHEST_RATE * denominator:
        yield Problem(path, f"must be above 0 and at most {HIGHEST_RATE:,}")


def of_days(days: Days, path: Path) -> Iterator[Problem]:
    told = [(name, getattr(days, name)) for name in ("first", "last") if getattr(days, name) is not None]
    wrong = [Problem((*path, name), f"expected a day such as 2026-11-27, not {day!r}") for name, day in told if not is_day(day)]
    yield from wrong
    if not wrong and len(told) == 2 and told[0][1] > told[1][1]:
        yield Problem(path, f"ends on {days.last}, before it begins on {days.first}")


def is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
