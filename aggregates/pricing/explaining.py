"""Why a promotion or code was not used, and what little more would bring the next one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from aggregates.pricing.best_set import BestSet, SearchedCart, best_set, conflicts_of
from aggregates.pricing.candidate import DEALS, Candidate, amount_off, room_of
from aggregates.pricing.line_prices import LinePrices, cart_of
from aggregates.pricing.preparing import Prepared, lines_of, prepare
from aggregates.pricing.request import PriceRequest
from aggregates.pricing.trace import Hint, NotUsed
from aggregates.value import replace

OPEN_REASONS = frozenset({"below_threshold", "conflicts_with", "beaten_by", "floor_reached", "no_effect"})
"""Reasons that another cart would not have; a promotion without a code is explained for these alone."""

MOST_HINTS, MOST_TRIED = 3, 6
NEAR = (3, 10)
"""A threshold is near when this part of it is missing at most."""

Entries = Mapping[int, Sequence[int]]


def refusals(
    request: PriceRequest, prepared: Prepared, cart: SearchedCart, best: BestSet, entries: Entries
) -> tuple[NotUsed, ...]:
    """Return why each code that was entered, and each promotion that could have held, was not used."""
    found = [each for each in prepared.refused if each.code is not None or each.reason in OPEN_REASONS]
    conflicts = conflicts_of(prepared.candidates)
    for i, each in enumerate(prepared.candidates):
        if i not in best.chosen:
            found.append(reason_of(i, each, request, prepared, cart, best, entries, conflicts))
    return tuple(sorted(found, key=lambda each: (each.campaign or "", each.code or "", each.reason)))


def reason_of(
    i: int,
    each: Candidate,
    request: PriceRequest,
    prepared: Prepared,
    cart: SearchedCart,
    best: BestSet,
    entries: Entries,
    conflicts: Sequence[int],
) -> NotUsed:
    """Return why a candidate is not in the best set."""
    missing = missing_of(each, entries)
    if missing:
        return NotUsed("below_threshold", each.id, each.code, missing)
    against = [prepared.candidates[j] for j in best.chosen if conflicts[i] >> j & 1]
    pinned = tuple(other.id for other in against if other.pinned)
    if pinned:
        return NotUsed("conflicts_with", each.id, each.code, by=pinned)
    if not against:
        entry = entries[each.stage]
        if not room_of(each, entry, cart.floors):
            return NotUsed("floor_reached" if each.floored else "no_effect", each.id, each.code)
        if each.op.kind not in DEALS and not amount_off(each, entry, cart.floors, sum(entry[k] for k in each.counted), None):
            return NotUsed("no_effect", each.id, each.code)
    by = tuple(other.id for other in against) or tuple(prepared.candidates[j].id for j in best.chosen)
    return NotUsed("beaten_by", each.id, each.code, beaten_by(each, request, prepared, cart, best), by)


def beaten_by(each: Candidate, request: PriceRequest, prepared: Prepared, cart: SearchedCart, best: BestSet) -> int:
    """Return by how much the best set is better than the best with this code; 0 of a promotion without a code."""
    if each.code is None:
        return 0
    forced = [replace(other, pinned=other.pinned or other is each) for other in prepared.candidates]
    return max(0, best.off - best_set(forced, cart, request.rules.work).off)


def missing_of(each: Candidate, entries: Entries) -> int:
    """Return what is missing to the amount from which on a promotion takes something off, 0 if nothing is."""
    entry = sum(entries[each.stage][i] for i in each.counted)
    least = max(each.threshold, each.op.a if each.op.kind == "per_full" else 0)
    if each.op.kind == "ladder" and each.op.by == "amount":
        least = max(least, each.op.rungs[0].start)
    return max(0, least - entry)


def hints(request: PriceRequest, prepared: Prepared, prices: LinePrices, best: BestSet, entries: Entries) -> tuple[Hint, ...]:
    """Return what a little more spent on a promotion's goods would bring, the greatest gain first.

    The gain is that of the best set with the missing amount as a line that nothing reduces.
    """
    near = sorted(set(near_thresholds(prepared, entries)))[:MOST_TRIED]
    found = []
    for missing, campaign in near:
        again = prepare(request, lines_of(request), prices.locked, (campaign, missing))
        cart = cart_of(request.rules, again.items, prices)
        gain = best_set(again.candidates, cart, request.rules.work).off - best.off
        if gain > 0:
            found.append(Hint(campaign, missing, gain))
    return tuple(sorted(found, key=lambda hint: (-hint.gain, hint.spend, hint.campaign))[:MOST_HINTS])


def near_thresholds(prepared: Prepared, entries: Entries) -> Iterator[tuple[int, str]]:
    """Yield what is missing to the next threshold of each promotion that the shopper may know of."""
    for each in prepared.candidates:
        if each.terms.public or each.code is not None:
            entry = sum(entries[each.stage][i] for i in each.counted)
            threshold = next_threshold(each, entry)
            if threshold is not None and (threshold - entry) * NEAR[1] <= threshold * NEAR[0]:
                yield threshold - entry, each.id


def next_threshold(each: Candidate, entry: int) -> int | None:
    """Return the next amount that changes what a promotion takes off."""
    if entry < each.threshold:
        return each.threshold
    if each.op.kind == "per_full":
        return (entry // each.op.a + 1) * each.op.a
    if each.op.kind == "ladder" and each.op.by == "amount":
        return next((rung.start for rung in each.op.rungs if rung.start > entry), None)
    return None
