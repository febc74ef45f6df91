"""Stages 1 and 2: the price of each line before promotions.

An activity price (a flash sale, a group price) locks its line: no later promotion reduces it. Of all other prices of a line
(list, sale, member, quantity) the lowest holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aggregates.pricing.apportioning import half_up
from aggregates.pricing.best_set import SearchedCart
from aggregates.pricing.candidate import OUTSIDE_GOODS
from aggregates.pricing.eligibility import Needs, needs_of
from aggregates.pricing.preparing import covers, stage_of
from aggregates.pricing.request import LineItem, PriceRequest, PriceRules, Running
from aggregates.pricing.trace import Op, PriceStep


@dataclass(frozen=True)
class LinePrices:
    """``running``: what each line costs now; ``locked``: the numbers of the lines with an activity price."""

    running: tuple[int, ...]
    locked: frozenset[int]
    steps: tuple[PriceStep, ...]


def line_prices(request: PriceRequest, held: Sequence[tuple[Running, str | None]], items: Sequence[LineItem]) -> LinePrices:
    """Return the lowest price of each line, and the steps that lead to it."""
    running = [item.list_unit * item.quantity for item in items]
    steps: list[PriceStep] = []
    locked: set[int] = set()
    for name in ("activity", "price"):
        offers = [offer for offer in held if offer[0].terms.stage == name]
        for i, item in enumerate(items):
            if item.kind != "goods" or i in locked:
                continue
            step = lowest(request, offers, item, running[i])
            if step is not None:
                steps.append(step)
                running[i] -= step.amount
                if name == "activity":
                    locked.add(i)
    return LinePrices(tuple(running), frozenset(locked), tuple(steps))


def lowest(request: PriceRequest, offers: Sequence[tuple[Running, str | None]], item: LineItem, now: int) -> PriceStep | None:
    """Return the step to the lowest price of a line, None if no offer lowers it."""
    best: PriceStep | None = None
    for running, code in offers:
        if not covers(running, item):
            continue
        needs = needs_of(running, request, item.quantity)
        if not isinstance(needs, Needs) or needs.count > item.quantity or needs.amount > now:
            continue
        step = priced(running, code, item, now, needs)
        if step is not None and step.amount and (best is None or step.amount > best.amount):
            best = step
    return best


def priced(running: Running, code: str | None, item: LineItem, now: int, needs: Needs) -> PriceStep | None:
    op = op_of_line(running, item)
    if op is None:
        return None
    if op.kind == "unit":
        wanted = max(0, now - op.n * item.quantity)
    else:
        wanted = half_up(now, *(op.rate or (0, 1))) if op.kind == "percent" else op.n
    room = max(0, now - item.floor * item.quantity)
    amount = min(wanted, room)
    return PriceStep(
        stage_of(running),
        running.source,
        code,
        (item.id,),
        now,
        needs.amount,
        op,
        wanted,
        "none" if wanted <= room else "floor" if item.floor else "left",
        amount,
        ((item.id, amount),),
        least_units=needs.count,
    )


def op_of_line(running: Running, item: LineItem) -> Op | None:
    """Return how an offer prices one line; of a ladder, the rung that the line's quantity reaches."""
    effect = running.terms.effect
    if effect.unit is not None:
        return Op("unit", n=effect.unit)
    if effect.percent is not None:
        return Op("percent", rate=effect.percent)
    if effect.fixed is not None:
        return Op("fixed", n=effect.fixed)
    reached = [rung for rung in sorted(effect.ladder, key=lambda rung: rung.at) if rung.at <= item.quantity]
    if not reached:
        return None
    rung = reached[-1]
    if rung.unit is not None:
        return Op("unit", n=rung.unit)
    return Op("percent", rate=rung.percent) if rung.percent is not None else Op("fixed", n=rung.off or 0)


def cart_of(rules: PriceRules, items: Sequence[LineItem], prices: LinePrices) -> SearchedCart:
    """Return what a search needs to know; ``items`` may have more lines than were priced."""
    lists = [item.list_unit * item.quantity for item in items]
    running = (*prices.running, *lists[len(prices.running) :])
    floors = tuple(item.floor * item.quantity for item in items)
    if rules.most_off is None:
        return SearchedCart(items, running, floors, None)
    inside = [i for i, item in enumerate(items) if item.kind not in OUTSIDE_GOODS]
    allowed = sum(lists[i] for i in inside) * rules.most_off[0] // rules.most_off[1]
    return SearchedCart(items, running, floors, max(0, allowed - sum(lists[i] - running[i] for i in inside)))
