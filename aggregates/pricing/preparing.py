"""Which campaigns are candidates for a cart, and why the others are not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from aggregates.pricing.candidate import Candidate, candidate, select
from aggregates.pricing.eligibility import Needs, needs_of
from aggregates.pricing.request import Entered, LineItem, PriceRequest, Running
from aggregates.pricing.terms import STAGES
from aggregates.pricing.trace import NotUsed

PRICE_STAGES = ("activity", "price")

NEUTRAL = "\U0010ffff"
"""The id of the line that a hint adds: it stands last, nothing reduces it, and only thresholds see it."""


@dataclass(frozen=True)
class Prepared:
    """``items``: the lines by id, with one for each gift that may be had. Candidates stand in the order of the pipeline."""

    items: tuple[LineItem, ...]
    candidates: tuple[Candidate, ...]
    refused: tuple[NotUsed, ...]


def lines_of(request: PriceRequest) -> tuple[LineItem, ...]:
    """Return the lines by id, so that the order of entry decides nothing."""
    return tuple(sorted(request.items, key=lambda item: item.id))


def usable(request: PriceRequest) -> tuple[list[tuple[Running, str | None]], list[NotUsed]]:
    """Return the campaigns that hold without a code or with one that was entered, and the codes that are of no use."""
    by_id = {running.id: running for running in request.campaigns}
    refused: list[NotUsed] = []
    codes: dict[str, str] = {}
    for entered in sorted(set(request.codes), key=lambda entered: entered.code):
        reason = problem_of(entered, by_id)
        if reason is None and entered.campaign in codes:
            refused.append(NotUsed("conflicts_with", entered.campaign, entered.code, by=(entered.campaign,)))
        elif reason is None and entered.campaign is not None:
            codes[entered.campaign] = entered.code
        else:
            refused.append(NotUsed(reason or "code_unknown", entered.campaign, entered.code))
    held = [(by_id[name], codes.get(name)) for name in sorted(by_id) if name in codes or not by_id[name].terms.by_code]
    return held, refused


def problem_of(entered: Entered, known: dict[str, Running]) -> str | None:
    if entered.problem is not None:
        return entered.problem
    return None if entered.campaign in known else "code_unknown"


def prepare(
    request: PriceRequest,
    items: Sequence[LineItem],
    locked: frozenset[int] = frozenset(),
    neutral: tuple[str, int] | None = None,
) -> Prepared:
    """Make the campaigns of a request ready for its cart.

    ``locked``: lines that an activity price excludes. ``neutral``: a campaign, and the amount that a line is to add to it.
    """
    held, refused = usable(request)
    held = [(running, code) for running, code in held if running.terms.stage not in PRICE_STAGES]
    all_items = [*items, *gifts(held)]
    if neutral is not None:
        all_items.append(LineItem(NEUTRAL, NEUTRAL, 1, neutral[1], floor=neutral[1]))
    found: list[Candidate] = []
    for running, code in held:
        each = ready(request, running, code, all_items, locked, neutral[0] if neutral else None)
        if isinstance(each, NotUsed):
            refused.append(each)
        else:
            found.append(each)
    return Prepared(tuple(all_items), tuple(sorted(found, key=lambda each: each.place)), tuple(refused))


def gifts(held: Sequence[tuple[Running, str | None]]) -> Iterator[LineItem]:
    for running, _ in held:
        gift = running.terms.effect.gift
        if gift is not None:
            yield LineItem(f"gift:{running.id}", gift.product, 1, gift.value, kind="gift")


def ready(
    request: PriceRequest,
    running: Running,
    code: str | None,
    items: Sequence[LineItem],
    locked: frozenset[int],
    hinted: str | None,
) -> Candidate | NotUsed:
    """Return the candidate that a campaign is, or why it is none."""
    terms = running.terms
    goods = select(items, lambda item: item.kind == "goods" and item.id != NEUTRAL)
    matching = [i for i in goods if covers(running, items[i])]
    counted = tuple(i for i in matching if i not in locked)
    needs = needs_of(running, request, sum(items[i].quantity for i in counted))
    if not isinstance(needs, Needs):
        return NotUsed(needs, running.id, code)
    scope = scope_of(running, items, counted, goods, locked)
    if not counted or not scope:
        any_excluded = matching or any(terms.excluded.has(*kinds_of(items[i])) for i in goods)
        return NotUsed("excluded" if any_excluded else "nothing_matches", running.id, code)
    if hinted is not None and items[-1].id == NEUTRAL and (hinted == running.id or terms.only.is_empty):
        counted = (*counted, len(items) - 1)
    made = candidate(running, code, items, scope, counted, (needs.amount, needs.count), running.id in request.pins)
    if made.units < needs.count:
        return NotUsed("below_threshold", running.id, code, units=needs.count - made.units)
    return made


def scope_of(
    running: Running, items: Sequence[LineItem], counted: tuple[int, ...], goods: tuple[int, ...], locked: frozenset[int]
) -> tuple[int, ...]:
    """Return the lines that a campaign reduces."""
    effect = running.terms.effect
    if effect.free_shipping or running.terms.stage == "shipping":
        return select(items, lambda item: item.kind == "shipping")
    if effect.gift is not None:
        return select(items, lambda item: item.id == f"gift:{running.id}")
    if effect.on.is_empty:
        return counted
    return tuple(i for i in goods if i not in locked and effect.on.has(*kinds_of(items[i])))


def kinds_of(item: LineItem) -> tuple[str, str | None, str | None]:
    return item.product, item.department, item.category


def covers(running: Running, item: LineItem) -> bool:
    return running.terms.covers(*kinds_of(item))


def stage_of(running: Running) -> int:
    return STAGES[running.terms.stage]
