"""The terms of a campaign: for whom and when it holds, what it takes off, and with what it combines.

Amounts are minor units of the shop's currency, rates are rationals, ``starts`` and ``ends`` are instants (``ends`` is the first
instant after). Terms are frozen: a change is a new version.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from aggregates.pricing.trace import RefundRule
from aggregates.programme.earning import Selection
from aggregates.programme.text_values import Rate

StageName: TypeAlias = Literal["activity", "price", "line", "order", "code", "shipping"]

STAGES: dict[str, int] = {"activity": 1, "price": 2, "line": 3, "order": 4, "code": 5, "shipping": 7}
"""The place of each stage in the pipeline; 6 is points, 8 tax."""

POINTS_STAGE, TAX_STAGE = 6, 8
PROMOTION_STAGES = (3, 4, 5, 7)

Weekday: TypeAlias = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

EVERYTHING = Selection()


@dataclass(frozen=True)
class WeeklyHours:
    """On these days (none: every day) from ``start`` until before ``end``, local time of the shop, as ``HH:MM``.

    An ``end`` that is not after ``start`` is on the next day.
    """

    days: tuple[Weekday, ...] = ()
    start: str = "00:00"
    end: str = "24:00"


@dataclass(frozen=True)
class Condition:
    """All parts that are given must hold, and one of ``any_of`` if there are any.

    ``amount`` and ``count``: the least sum and number of units of what the campaign is about, on entry to its stage.
    """

    starts: int | None = None
    ends: int | None = None
    hours: tuple[WeeklyHours, ...] = ()
    members: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    first_order: bool = False
    amount: int = 0
    count: int = 0
    any_of: tuple[Condition, ...] = ()


@dataclass(frozen=True)
class Rung:
    """From ``at`` on (money or units): ``off`` minor units, or ``percent``, off. At stage ``price``, ``unit`` is the price."""

    at: int
    off: int | None = None
    percent: Rate | None = None
    unit: int | None = None


@dataclass(frozen=True)
class PerFull:
    """``off`` for each full ``amount``."""

    amount: int
    off: int


@dataclass(frozen=True)
class Deal:
    """Of each ``buy + get`` units, ``get`` are reduced by ``percent``.

    ``cheapest`` "of_group": units by falling price, the cheapest of each group; "of_all": the cheapest of all units.
    With an effect's ``on``, the units that are reduced are those, and the units bought are the campaign's.
    """

    buy: int
    get: int = 1
    percent: Rate = (1, 1)
    times: int | None = None
    cheapest: Literal["of_group", "of_all"] = "of_group"


@dataclass(frozen=True)
class BundlePart:
    only: Selection
    quantity: int = 1


@dataclass(frozen=True)
class Bundle:
    """The units of all parts together for ``price``."""

    price: int
    parts: tuple[BundlePart, ...]
    times: int | None = None


@dataclass(frozen=True)
class Gift:
    """One unit of a product for nothing; ``value`` is what it is worth."""

    product: str
    value: int


@dataclass(frozen=True)
class Effect:
    """Exactly one of these. ``on``: the goods it reduces, where they are not what the campaign is about."""

    unit: int | None = None
    percent: Rate | None = None
    fixed: int | None = None
    per_full: PerFull | None = None
    ladder: tuple[Rung, ...] = ()
    ladder_by: Literal["amount", "count"] = "amount"
    deal: Deal | None = None
    bundle: Bundle | None = None
    free_shipping: bool = False
    gift: Gift | None = None
    on: Selection = EVERYTHING


@dataclass(frozen=True)
class Limits:
    """How many orders may use it: in all, a member, and a code."""

    total: int | None = None
    member: int | None = None
    code: int | None = None


@dataclass(frozen=True)
class Budget:
    """At most ``amount`` off, in all orders of a period of the shop's calendar."""

    amount: int
    per: Literal["ever", "day", "week", "month"] = "ever"


ALWAYS = Condition()
UNLIMITED = Limits()


@dataclass(frozen=True)
class CampaignTerms:
    """``by_code``: it holds only with a code. ``group``: of one group, the best one holds.

    ``combines_with``: ids, groups, and the words ``all``, ``promotions`` (stages line and order), ``codes``, ``shipping``; two
    campaigns are used together only if both consent. ``cap``: the most it takes off an order. ``gift``: whether a gift may be
    kept when the threshold is lost. ``public``: everybody may be told of it.
    """

    effect: Effect
    title: str | None = None
    stage: StageName = "order"
    by_code: bool = False
    when: Condition = ALWAYS
    only: Selection = EVERYTHING
    excluded: Selection = EVERYTHING
    cap: int | None = None
    group: str | None = None
    combines_with: tuple[str, ...] = ("all",)
    limits: Limits = UNLIMITED
    budget: Budget | None = None
    refund: RefundRule = "proportional"
    gift: Literal["keep", "charge"] = "keep"
    public: bool = True

    def covers(self, product: str, department: str | None, category: str | None) -> bool:
        """Whether goods are what this campaign is about."""
        wanted = self.only.is_empty or self.only.has(product, department, category)
        return wanted and not self.excluded.has(product, department, category)

    def consents(self, other: str, terms: CampaignTerms) -> bool:
        """Whether this campaign may be used together with another."""
        words = {"all", other, terms.group, WORD_OF_STAGE.get(terms.stage)}
        return not words.isdisjoint(self.combines_with)


WORD_OF_STAGE = {"line": "promotions", "order": "promotions", "code": "codes", "shipping": "shipping"}


def conflict(one: str, terms: CampaignTerms, other: str, others: CampaignTerms) -> bool:
    """Whether two campaigns exclude each other: they share a group, or one of them does not consent."""
    if terms.group is not None and terms.group == others.group:
        return True
    return not (terms.consents(other, others) and others.consents(one, terms))


def is_limited(terms: CampaignTerms) -> bool:
    return terms.budget is not None or terms.limits.total is not None or terms.limits.member is not None


def needs_reservation(terms: CampaignTerms) -> bool:
    """Return whether an order that uses a campaign reserves it: one with neither limits nor codes has nothing to count."""
    return is_limited(terms) or terms.by_code
