"""What is wrong with terms although their types allow it: where, and why. Terms without a problem can be published."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import date
from typing import Any

from aggregates.programme.document import Flaw, Path, expected
from aggregates.programme.earning import (
    PURCHASE,
    Audience,
    Bonus,
    Days,
    EventRule,
    Mission,
    Selection,
    SpendRule,
    Step,
    StreakRule,
)
from aggregates.programme.selling import Selling
from aggregates.programme.terms import (
    ENTRY_TIER,
    Pools,
    Programme,
    Qualifying,
    RedemptionTerms,
    Reward,
    Tier,
    Transfers,
    Wallet,
)
from aggregates.programme.text_values import Rate, Validity

AT_LEAST_ONE: dict[type, tuple[str, ...]] = {
    Bonus: ("threshold", "points"),
    EventRule: ("points", "limit"),
    Mission: ("points", "repeats", "within_days"),
    Pools: ("members",),
    Programme: ("session_days",),
    Qualifying: ("months",),
    RedemptionTerms: ("minimum", "multiple"),
    Reward: ("price", "per_member"),
    Selling: ("reserve_minutes",),
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


def problems(terms: Programme) -> list[Flaw]:
    """Return every problem of the terms.

    >>> from dataclasses import replace
    >>> problems(Programme()), problems(replace(Programme(), return_days=-1))
    ([], [Flaw(path=('return_days',), reason='must be from 0 to 3,660, not -1')])
    """
    return [
        *of_bounds(terms),
        *of_names(terms),
        *(problem for place, wallet in enumerate(terms.wallets) for problem in of_wallet(wallet, ("wallets", place))),
        *of_earning(terms),
        *of_tiers(terms),
        *of_qualifying(terms.qualifying, terms),
        *of_selling(terms),
    ]


def of_names(terms: Programme) -> Iterator[Flaw]:
    """A name that a grant, a lot or a card shows is given once."""
    if not terms.wallets:
        yield Flaw(("wallets",), "at least one wallet is needed")
    yield from twice([(("wallets", place, "name"), wallet.name) for place, wallet in enumerate(terms.wallets)])
    yield from twice([(("tiers", place, "name"), tier.name) for place, tier in enumerate(terms.tiers)])
    yield from twice([(("rewards", place, "id"), reward.id) for place, reward in enumerate(terms.rewards)])
    yield from twice([((*path, "id"), rule.id) for path, rule in rules(terms)])


def twice(names: list[tuple[Path, str]]) -> Iterator[Flaw]:
    seen: set[str] = set()
    for path, name in names:
        if name in seen:
            yield Flaw(path, f"{name!r} is there twice")
        seen.add(name)


def rules(terms: Programme) -> Iterator[tuple[Path, SpendRule | EventRule | StreakRule | Mission]]:
    for kind in ("spend", "events", "streaks", "missions"):
        for place, rule in enumerate(getattr(terms.earning, kind)):
            yield ("earning", kind, place), rule


def of_selling(terms: Programme) -> Iterator[Flaw]:
    selling = terms.selling
    if selling.most_off is not None and selling.most_off[0] > selling.most_off[1]:
        yield Flaw(("selling", "most_off"), "promotions cannot take off more than everything")
    yield from twice([(("selling", "taxes", place, "name"), tax.name) for place, tax in enumerate(selling.taxes)])
    for place, tax in enumerate(selling.taxes):
        if tax.rate[0] > tax.rate[1]:
            yield Flaw(("selling", "taxes", place, "rate"), "a tax is 100 % at most")
    if selling.referrals.wallet is not None and terms.wallet(selling.referrals.wallet) is None:
        yield Flaw(("selling", "referrals", "wallet"), f"no wallet is named {selling.referrals.wallet!r}")


def of_wallet(wallet: Wallet, path: Path) -> Iterator[Flaw]:
    share, clawback = wallet.redemption.share, wallet.clawback
    if share[0] > share[1]:
        yield Flaw((*path, "redemption", "share"), "points cannot pay more than the whole order")
    if clawback.shortfall == "write_off" and clawback.debt_cap is not None:
        yield Flaw((*path, "clawback", "debt_cap"), "nothing is owed where the shortfall is written off")
    least, most = wallet.transfers.minimum, wallet.transfers.daily_cap
    if most is not None and least > most:
        yield Flaw((*path, "transfers", "minimum"), f"nothing could be sent: at least {least} at a time, at most {most} a day")


def of_earning(terms: Programme) -> Iterator[Flaw]:
    for path, rule in rules(terms):
        match rule:
            case SpendRule():
                yield from of_spending(rule, path)
            case EventRule(event=event) | StreakRule(event=event) if event == PURCHASE:
                yield Flaw((*path, "event"), "what a purchase earns is said under spend")
            case EventRule(limit=None, per=per) if per != "ever":
                yield Flaw((*path, "per"), f"without a limit, nothing is counted per {per}")
            case StreakRule(points=()):
                yield Flaw((*path, "points"), "at least one day's points are needed")
            case Mission(steps=()):
                yield Flaw((*path, "steps"), "at least one step is needed")
            case Mission():
                yield from of_steps(rule, path)


def of_steps(mission: Mission, path: Path) -> Iterator[Flaw]:
    """Only a purchase has an amount and lines: a step of anything else that asks for them could not be done."""
    for place, step in enumerate(mission.steps):
        if step.event != PURCHASE and step.minimum:
            yield Flaw((*path, "steps", place, "minimum"), f"only a {PURCHASE} has an amount, not {step.event}")
        if step.event != PURCHASE and not step.only.is_empty:
            yield Flaw((*path, "steps", place, "only"), f"only a {PURCHASE} has goods to choose, not {step.event}")


def of_spending(rule: SpendRule, path: Path) -> Iterator[Flaw]:
    yield from overlap(rule.only, rule.excluded, (*path, "excluded"))
    names = [((*path, "multipliers", place, "id"), multiplier.id) for place, multiplier in enumerate(rule.multipliers)]
    yield from twice(names)
    thresholds = [bonus.threshold for bonus in rule.bonuses]
    for place, threshold in enumerate(thresholds):
        if threshold in thresholds[:place]:
            yield Flaw((*path, "bonuses", place, "threshold"), f"there is a bonus from {threshold} on already")


def overlap(only: Selection, excluded: Selection, path: Path) -> Iterator[Flaw]:
    for name in ("products", "categories", "departments"):
        for place, entry in enumerate(getattr(excluded, name)):
            if entry in getattr(only, name):
                yield Flaw((*path, name, place), f"{entry!r} is what earns, by this rule's own only")


def of_tiers(terms: Programme) -> Iterator[Flaw]:
    for place, tier in enumerate(terms.tiers):
        path = ("tiers", place)
        if tier.name == ENTRY_TIER:
            yield Flaw((*path, "name"), f"{ENTRY_TIER!r} is the tier that everybody has")
        if tier.keep > tier.threshold:
            yield Flaw((*path, "keep"), f"keeping {tier.name} asks more ({tier.keep}) than reaching it ({tier.threshold})")
        if not place:
            continue
        below = terms.tiers[place - 1]
        if tier.threshold <= below.threshold:
            yield Flaw((*path, "threshold"), f"must be above that of {below.name} ({below.threshold}): the lowest tier first")
        if tier.keep < below.keep:
            yield Flaw((*path, "keep"), f"keeping {tier.name} asks less ({tier.keep}) than keeping {below.name} ({below.keep})")


def of_qualifying(asked: Qualifying, terms: Programme) -> Iterator[Flaw]:
    if asked.window != "rolling" and asked.months != 12:
        yield Flaw(("qualifying", "months"), f"a window by {asked.window} year has 12 months")
    if asked.wallets and asked.metric not in ("points", "engagement"):
        yield Flaw(("qualifying", "wallets"), f"{asked.metric} is not counted in points")
    if asked.revoke != "within" and asked.revoke_days is not None:
        yield Flaw(("qualifying", "revoke_days"), f"is not asked for where a reversal takes a tier back {asked.revoke}")
    if terms.tiers and asked.metric in ("points", "engagement"):
        yield from of_reach(asked, terms)


def of_reach(asked: Qualifying, terms: Programme) -> Iterator[Flaw]:
    """If tiers count points, some rule earns such points."""
    earning = [rule for _, rule in rules(terms) if asked.metric == "points" or not isinstance(rule, SpendRule)]
    what = "rule" if asked.metric == "points" else "event, streak or mission"
    if not earning:
        yield Flaw(("qualifying", "metric"), f"no {what} earns points, so no tier could be reached")
    elif not any(asked.counts(rule.wallet) for rule in earning):
        names = ", ".join(asked.wallets)
        yield Flaw(("qualifying", "wallets"), f"no {what} earns points of {names}, so no tier could be reached")


# Bounds of single terms: numbers, rates, days, and the names of wallets and tiers


def of_bounds(terms: Programme) -> Iterator[Flaw]:
    """Yield every value that is out of bounds."""
    for name in expected(Programme):
        yield from of_value(terms, name, getattr(terms, name), (name,), terms)


def of_value(owner: Any, name: str, value: Any, path: Path, terms: Programme) -> Iterator[Flaw]:
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
            yield Flaw(path, f"at most {MOST_ENTRIES:,} entries, not {len(value):,}")
        for place, entry in enumerate(value):
            yield from of_entry(owner, name, entry, (*path, place), terms)
    else:
        yield from of_entry(owner, name, value, path, terms)


def of_entry(owner: Any, name: str, value: Any, path: Path, terms: Programme) -> Iterator[Flaw]:
    if is_dataclass(value):
        for spec in fields(value):
            yield from of_value(value, spec.name, getattr(value, spec.name), (*path, spec.name), terms)
    elif isinstance(value, int) and not isinstance(value, bool):
        least = int(name in AT_LEAST_ONE.get(type(owner), ()))
        yield from of_number(value, path, least, MOST.get(name.rpartition("_")[2], MOST_OF_ALL))
    elif name in ("wallet", "wallets") and terms.wallets and terms.wallet(value) is None:
        yield Flaw(path, f"there is no wallet {value!r}; known are {', '.join(wallet.name for wallet in terms.wallets)}")
    elif isinstance(owner, Audience) and name == "tiers" and value not in (known := tier_names(terms)):
        yield Flaw(path, f"there is no tier {value!r}; known are {', '.join(known)}")


def tier_names(terms: Programme) -> list[str]:
    return [ENTRY_TIER, *(tier.name for tier in terms.tiers)]


def of_number(value: int, path: Path, least: int, most: int) -> Iterator[Flaw]:
    if not least <= value <= most:
        yield Flaw(path, f"must be from {least:,} to {most:,}, not {value:,}")


def of_rate(value: Rate, path: Path) -> Iterator[Flaw]:
    numerator, denominator = value
    if not 0 < numerator <= HIGHEST_RATE * denominator:
        yield Flaw(path, f"must be above 0 and at most {HIGHEST_RATE:,}")


def of_days(days: Days, path: Path) -> Iterator[Flaw]:
    told = [(name, getattr(days, name)) for name in ("first", "last") if getattr(days, name) is not None]
    wrong = [Flaw((*path, name), f"expected a day such as 2026-11-27, not {day!r}") for name, day in told if not is_day(day)]
    yield from wrong
    if not wrong and len(told) == 2 and told[0][1] > told[1][1]:
        yield Flaw(path, f"ends on {days.last}, before it begins on {days.first}")


def is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
