"""A campaign's terms as plain data, which a file or an event holds: reading, writing, and what is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from aggregates.decider import LARGEST_COUNT, LATEST_INSTANT
from aggregates.pricing.terms import Bundle, CampaignTerms, Condition, Deal, Effect, Rung, WeeklyHours
from aggregates.programme.document import ABSENT, DocumentReader, Flaw, Path, expected, stated

CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d|24:00", re.ASCII)

EFFECTS = ("unit", "percent", "fixed", "per_full", "ladder", "deal", "bundle", "free_shipping", "gift")

STAGES_OF = {
    "unit": ("activity", "price"),
    "percent": ("activity", "price", "line", "order", "code", "shipping"),
    "fixed": ("activity", "price", "line", "order", "code", "shipping"),
    "per_full": ("order", "code"),
    "ladder": ("price", "line", "order", "code"),
    "deal": ("line",),
    "bundle": ("line",),
    "free_shipping": ("shipping",),
    "gift": ("line", "order", "code"),
}

MOST_ENTRIES = 1_000
MOST_UNITS = 100


def read_campaign(document: object) -> tuple[CampaignTerms | None, list[Flaw]]:
    """Return the terms that a document states, None if it states none, and what is wrong with it.

    >>> terms, problems = read_campaign({"effect": {"percent": "10 %"}, "stage": "code", "by_code": True})
    >>> terms.effect.percent, problems
    ((1, 10), [])
    """
    reading = DocumentReader()
    terms = reading.record(CampaignTerms, document, ())
    if terms is ABSENT:
        return None, reading.problems
    return terms, [*reading.problems, *problems_of(terms)]


def plain_campaign(terms: CampaignTerms) -> dict[str, Any]:
    """Return the document that states these terms, complete: a later default changes nothing."""
    return without_nothing({name: stated(hint, getattr(terms, name)) for name, hint in expected(CampaignTerms).items()})


def without_nothing(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document without the fields that say nothing, at any depth."""
    found = {}
    for name, value in document.items():
        shorter = without_nothing(value) if isinstance(value, Mapping) else value
        if isinstance(value, list):
            shorter = [without_nothing(entry) if isinstance(entry, Mapping) else entry for entry in value]
        if shorter is not None and shorter not in ([], {}):
            found[name] = shorter
    return found


def problems_of(terms: CampaignTerms) -> list[Flaw]:
    """Return what is wrong with terms that their types allow."""
    return [
        *of_effect(terms),
        *of_condition(terms.when, ("when",)),
        *of_place(terms),
        *of_bounds(terms),
    ]


def of_effect(terms: CampaignTerms) -> Iterator[Flaw]:
    """Exactly one effect, at a stage that knows it."""
    given = [name for name in EFFECTS if getattr(terms.effect, name) not in (None, (), False)]
    if len(given) != 1:
        told = f"not {', '.join(given)}" if given else "none is given"
        yield Flaw(("effect",), f"exactly one of {', '.join(EFFECTS)} is needed, {told}")
        return
    if terms.stage not in STAGES_OF[given[0]]:
        yield Flaw(("stage",), f"{given[0]} belongs to {' or '.join(STAGES_OF[given[0]])}, not {terms.stage}")
    effect = terms.effect
    if effect.percent is not None:
        yield from of_part(effect.percent, ("effect", "percent"))
    if effect.per_full is not None:
        yield from of_amount(effect.per_full.amount, ("effect", "per_full", "amount"), 1)
    yield from of_ladder(effect, terms)
    if effect.deal is not None:
        yield from of_deal(effect.deal)
    if effect.bundle is not None:
        yield from of_bundle(effect.bundle)


def of_part(rate: tuple[int, int], path: Path) -> Iterator[Flaw]:
    if not 0 < rate[0] <= rate[1]:
        yield Flaw(path, "must be above 0 and at most 100 %")


def of_ladder(effect: Effect, terms: CampaignTerms) -> Iterator[Flaw]:
    """Rungs rise, are all of one kind, and take off ever more, so that more in the cart is never worth less."""
    kinds = {kind_of(rung) for rung in effect.ladder}
    if "" in kinds or len(kinds) > 1:
        yield Flaw(("effect", "ladder"), "every rung has the same one of off, percent and unit")
        return
    if "unit" in kinds and (terms.stage != "price" or effect.ladder_by != "count"):
        yield Flaw(("effect", "ladder"), "a unit price by quantity belongs to stage price, with ladder_by count")
    if effect.ladder and terms.stage == "price" and effect.ladder_by != "count":
        yield Flaw(("effect", "ladder_by"), "at stage price a ladder goes by count")
    worths = [worth_of(rung) for rung in sorted(effect.ladder, key=lambda rung: rung.at)]
    rising = all(low < high for low, high in pairwise(worths))
    if not rising or len({rung.at for rung in effect.ladder}) < len(effect.ladder):
        yield Flaw(("effect", "ladder"), "each rung starts higher and takes off more than the one before")
    for place, rung in enumerate(effect.ladder):
        yield from of_amount(rung.at, ("effect", "ladder", place, "at"), 0)
        if rung.percent is not None:
            yield from of_part(rung.percent, ("effect", "ladder", place, "percent"))


def kind_of(rung: Rung) -> str:
    given = [name for name in ("off", "percent", "unit") if getattr(rung, name) is not None]
    return given[0] if len(given) == 1 else ""


def worth_of(rung: Rung) -> float:
    """Return a number to compare rungs of one kind by; a lower unit price is worth more."""
    if rung.percent is not None:
        return rung.percent[0] / rung.percent[1]
    return rung.off if rung.off is not None else -(rung.unit or 0)


def of_deal(deal: Deal) -> Iterator[Flaw]:
    yield from of_part(deal.percent, ("effect", "deal", "percent"))
    for name in ("buy", "get", "times"):
        value = getattr(deal, name)
        if value is not None and not 1 <= value <= MOST_UNITS:
            yield Flaw(("effect", "deal", name), f"must be from 1 to {MOST_UNITS}, not {value}")


def of_bundle(bundle: Bundle) -> Iterator[Flaw]:
    if not bundle.parts:
        yield Flaw(("effect", "bundle", "parts"), "at least one part is needed")
    for place, part in enumerate(bundle.parts):
        if part.only.is_empty:
            yield Flaw(("effect", "bundle", "parts", place, "only"), "name products, categories or departments")
        if not 1 <= part.quantity <= MOST_UNITS:
            yield Flaw(("effect", "bundle", "parts", place, "quantity"), f"must be from 1 to {MOST_UNITS}")
    if bundle.times is not None and bundle.times < 1:
        yield Flaw(("effect", "bundle", "times"), "must be at least 1")


def of_condition(when: Condition, path: Path) -> Iterator[Flaw]:
    for name in ("starts", "ends"):
        instant = getattr(when, name)
        if instant is not None and not 0 <= instant < LATEST_INSTANT:
            yield Flaw((*path, name), "must be an instant: UTC epoch milliseconds, from 1970 on")
    if when.starts is not None and when.ends is not None and when.ends <= when.starts:
        yield Flaw((*path, "ends"), "must be after it starts")
    yield from of_amount(when.amount, (*path, "amount"), 0)
    yield from of_amount(when.count, (*path, "count"), 0)
    for place, hours in enumerate(when.hours):
        yield from of_hours(hours, (*path, "hours", place))
    for place, inner in enumerate(when.any_of):
        yield from of_condition(inner, (*path, "any_of", place))


def of_hours(hours: WeeklyHours, path: Path) -> Iterator[Flaw]:
    for name in ("start", "end"):
        if not CLOCK.fullmatch(getattr(hours, name)):
            yield Flaw((*path, name), f"expected a time such as 18:30, not {getattr(hours, name)!r}")
    if hours.start == "24:00":
        yield Flaw((*path, "start"), "a day begins at 00:00")


def of_place(terms: CampaignTerms) -> Iterator[Flaw]:
    """What only promotions can have, and prices cannot."""
    if terms.stage in ("activity", "price") and (terms.cap is not None or terms.budget is not None):
        yield Flaw(("cap" if terms.cap is not None else "budget",), f"a price of stage {terms.stage} has no bound")
    if terms.limits.code is not None and not terms.by_code:
        yield Flaw(("limits", "code"), "only a campaign by code limits the uses of a code")
    if not terms.effect.on.is_empty and (terms.effect.bundle or terms.effect.gift or terms.effect.free_shipping):
        yield Flaw(("effect", "on"), "a bundle, a gift or free shipping reduces no other goods")


def of_bounds(terms: CampaignTerms) -> Iterator[Flaw]:
    effect = terms.effect
    amounts: dict[Path, int | None] = {
        ("cap",): terms.cap,
        ("budget", "amount"): terms.budget.amount if terms.budget else None,
        ("limits", "total"): terms.limits.total,
        ("limits", "member"): terms.limits.member,
        ("limits", "code"): terms.limits.code,
        ("effect", "unit"): effect.unit,
        ("effect", "fixed"): effect.fixed,
        ("effect", "bundle", "price"): effect.bundle.price if effect.bundle else None,
        ("effect", "gift", "value"): effect.gift.value if effect.gift else None,
    }
    for path, value in amounts.items():
        if value is not None:
            yield from of_amount(value, path, 0)
    for name in ("hours", "members", "tiers", "tags", "any_of"):
        if len(getattr(terms.when, name)) > MOST_ENTRIES:
            yield Flaw(("when", name), f"at most {MOST_ENTRIES:,} entries")


def of_amount(value: int, path: Path, least: int) -> Iterator[Flaw]:
    if not least <= value <= LARGEST_COUNT:
        yield Flaw(path, f"must be from {least} to {LARGEST_COUNT:,}, not {value:,}")
