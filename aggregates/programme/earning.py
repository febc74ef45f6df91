"""The terms of earning: by spending, by events, by streaks of days, and by missions of several steps.

Every rule has an id, which its grants name. A shop writes money as whole major units. Each order and rule is rounded once: the
floor of the sum over its lines. A selection, an audience or days that are empty exclude nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

from aggregates.programme.text_values import Rate

Per: TypeAlias = Literal["ever", "day", "week", "month", "year"]
"""The local period of a limit. A week begins on Monday."""

PURCHASE = "purchase"
"""The name of a paid order, as a step of a mission."""


# What a rule is about


@dataclass(frozen=True)
class Selection:
    """Selects lines of an order: of one of these products, categories or departments.

    >>> Selection(categories=("tea",)).has("p1", None, "tea"), Selection().has("p1", None, "tea")
    (True, False)
    """

    products: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()

    def has(self, product: str, department: str | None, category: str | None) -> bool:
        return product in self.products or category in self.categories or department in self.departments

    @property
    def is_empty(self) -> bool:
        return not (self.products or self.categories or self.departments)


@dataclass(frozen=True)
class Audience:
    """Selects members who hold one of ``tiers`` (if any) and have one of ``tags`` (if any)."""

    tiers: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()

    def has(self, tier: str, tags: Collection[str] = ()) -> bool:
        return (not self.tiers or tier in self.tiers) and (not self.tags or any(tag in tags for tag in self.tags))


@dataclass(frozen=True)
class Days:
    """Selects local days from ``first`` to ``last``, both included, as ISO text; None is no bound.

    >>> Days("2026-11-27", "2026-11-30").has("2026-11-30"), Days(first="2026-11-27").has("2026-11-26")
    (True, False)
    """

    first: str | None = None
    last: str | None = None

    def has(self, day: str) -> bool:
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)


# The rules


@dataclass(frozen=True)
class Multiplier:
    """What a campaign multiplies on the lines it is about: ``only`` these (all if empty), on these days, for these members."""

    id: str
    rate: Rate
    only: Selection = Selection()
    audience: Audience = Audience()
    days: Days = Days()


@dataclass(frozen=True)
class Bonus:
    """``points`` more for an order of which at least ``threshold`` (major units) earns."""

    threshold: int
    points: int


@dataclass(frozen=True)
class SpendRule:
    """``rate``: points a major unit, without tax, of the lines that earn: ``only`` these (all if empty), no ``excluded`` one.

    An order below ``minimum`` earns nothing; one earns at most ``cap`` points, bonuses included. ``by_tier``: times the
    multiplier of the tier held before. Of several campaigns on a line the ``best`` counts, or they ``multiply``.
    """

    id: str = PURCHASE
    wallet: str = "points"
    rate: Rate = (1, 1)
    only: Selection = Selection()
    excluded: Selection = Selection()
    minimum: int = 0
    cap: int | None = None
    by_tier: bool = True
    multipliers: tuple[Multiplier, ...] = ()
    stacking: Literal["best", "multiply"] = "best"
    bonuses: tuple[Bonus, ...] = ()
    audience: Audience = Audience()
    days: Days = Days()

    @cached_property
    def is_plain(self) -> bool:
        """Return whether the rule needs nothing but the order's net and the tier."""
        rest = (self.multipliers, self.bonuses, self.minimum, self.cap, self.audience.tiers, self.audience.tags)
        return not self.needs_lines and not any(rest) and self.cap is None and self.days == Days()

    @cached_property
    def needs_lines(self) -> bool:
        """Return whether what an order earns depends on more than its net."""
        selections = (self.only, self.excluded, *(multiplier.only for multiplier in self.multipliers))
        return not all(selection.is_empty for selection in selections)


@dataclass(frozen=True)
class EventRule:
    """``event``: sign_up, review, share, birthday, referral, or a name of the shop's own; ``limit`` times ``per`` period."""

    id: str
    event: str
    points: int
    wallet: str = "points"
    limit: int | None = None
    per: Per = "ever"
    by_tier: bool = False
    audience: Audience = Audience()
    days: Days = Days()


@dataclass(frozen=True)
class StreakRule:
    """``points`` of the first, second, … local day in a row with the event.

    After the last of them the last goes on, or the row ``restarts``.
    """

    id: str
    points: tuple[int, ...]
    event: str = "check_in"
    wallet: str = "points"
    restarts: bool = False
    audience: Audience = Audience()
    days: Days = Days()


@dataclass(frozen=True)
class Step:
    """``event``, so many ``times``; of purchases, those of at least ``minimum`` (major units) with a line of ``only`` these."""

    event: str
    times: int = 1
    minimum: int = 0
    only: Selection = Selection()


@dataclass(frozen=True)
class Mission:
    """All ``steps``, in any order or in theirs, ``within_days`` of the first; at most ``repeats`` times by one member."""

    id: str
    steps: tuple[Step, ...]
    points: int
    wallet: str = "points"
    in_order: bool = False
    within_days: int | None = None
    repeats: int = 1
    audience: Audience = Audience()
    days: Days = Days()


@dataclass(frozen=True)
class Earning:
    spend: tuple[SpendRule, ...] = (SpendRule(),)
    events: tuple[EventRule, ...] = ()
    streaks: tuple[StreakRule, ...] = ()
    missions: tuple[Mission, ...] = ()

    @cached_property
    def rewarded(self) -> frozenset[str]:
        """Return the events that some rule is about."""
        steps = [step.event for mission in self.missions for step in mission.steps]
        return frozenset([*(rule.event for rule in self.events), *(rule.event for rule in self.streaks), *steps])

    @cached_property
    def needs_lines(self) -> bool:
        """Return whether any rule needs the lines of an order."""
        selected = any(not step.only.is_empty for mission in self.missions for step in mission.steps)
        return selected or any(rule.needs_lines for rule in self.spend)
