"""The price pipeline: what a cart costs, step by step.

0 list price · 1 activity price · 2 lowest price a line · 3 line promotions · 4 order promotions · 5 codes · 6 points ·
7 shipping · 8 tax. Tender (9) changes no price, and points earned (10) follow from the net. Thresholds look at the amounts on
entry to the stage; free shipping looks at the goods before points, so that paying with points never loses it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from aggregates.pricing.apportioning import apportion_capped, half_up
from aggregates.pricing.best_set import BestSet, SearchedCart, best_set
from aggregates.pricing.candidate import (
    DEALS,
    Candidate,
    amount_off,
    parts_of,
    reduced,
    room_of,
    wanted,
)
from aggregates.pricing.deals import Taken, deal_parts, solve
from aggregates.pricing.explaining import hints, refusals
from aggregates.pricing.line_prices import LinePrices, cart_of, line_prices
from aggregates.pricing.preparing import Prepared, lines_of, prepare, usable
from aggregates.pricing.request import LineItem, PointsWanted, PriceRequest, PriceRules
from aggregates.pricing.terms import POINTS_STAGE, PROMOTION_STAGES, TAX_STAGE
from aggregates.pricing.trace import Op, PricedLine, PriceStep, RefundRule, Share, Trace, UnitsOff
from aggregates.value import replace

LimitedBy: TypeAlias = Literal["floor", "cap", "max_discount", "budget", "share", "left", "none"]


@dataclass(frozen=True)
class Priced:
    """``work``: what the search cost. ``best``: the numbers of the candidates that were used."""

    trace: Trace
    prepared: Prepared
    best: BestSet

    @property
    def points(self) -> int:
        """Return the number of points that are used."""
        return sum(share.points for share in self.trace.shares)


def price(request: PriceRequest) -> Priced:
    """Return what a cart costs, with the whole trace; the same for any order of lines, codes and campaigns."""
    items = lines_of(request)
    prices = line_prices(request, usable(request)[0], items)
    prepared = prepare(request, items, prices.locked)
    cart = cart_of(request.rules, prepared.items, prices)
    best = best_set(prepared.candidates, cart, request.rules.work)
    return priced_with(request, prices, prepared, cart, best)


def priced_with(request: PriceRequest, prices: LinePrices, prepared: Prepared, cart: SearchedCart, best: BestSet) -> Priced:
    """Return the price of a cart with a set of promotions."""
    chosen = [prepared.candidates[i] for i in best.chosen]
    promoted, running, entries = promotion_steps(chosen, cart)
    points, running = points_steps(request, prepared.items, running)
    taxes = tax_steps(request.rules, prepared.items, running)
    steps = (
        *prices.steps,
        *(step for step in promoted if step.stage < POINTS_STAGE),
        *points,
        *(step for step in promoted if step.stage > POINTS_STAGE),
        *taxes,
    )
    given = {f"gift:{each.id}" for each in chosen}
    lines = [i for i, item in enumerate(prepared.items) if item.kind != "gift" or item.id in given]
    lines.sort(key=lambda i: prepared.items[i].id)
    shares = tuple(shares_of(request.rules, [prepared.items[i] for i in lines], [running[i] for i in lines], steps))
    rules = request.rules
    trace = Trace(
        rules.currency,
        rules.digits,
        rules.policy,
        rules.mode,
        rules.basis,
        rules.most_off,
        tuple(priced_line(prepared.items[i], i in prices.locked) for i in lines),
        steps,
        (),
        (),
        best.proven,
        sum(share.paid for share in shares),
        sum(share.tax for share in shares),
        shares,
    )
    refused = refusals(request, prepared, cart, best, entries)
    found = hints(request, prepared, prices, best, entries) if request.hints else ()
    return Priced(replace(trace, refused=refused, hints=found), prepared, best)


def priced_line(item: LineItem, locked: bool) -> PricedLine:
    return PricedLine(
        item.id, item.product, item.quantity, item.list_unit, item.rate, item.floor, item.kind, item.tax_class, locked
    )


def promotion_steps(chosen: Sequence[Candidate], cart: SearchedCart) -> tuple[list[PriceStep], list[int], dict[int, list[int]]]:
    """Return the steps of a set in the order of the pipeline, the amounts after them, and those on entry to each stage."""
    running, left = list(cart.running), cart.most
    entries: dict[int, list[int]] = {}
    taken = iter(solve([each for each in chosen if each.op.kind in DEALS], cart.items, cart.running)[0])
    steps: list[PriceStep] = []
    for each in chosen:
        for stage in PROMOTION_STAGES:
            if stage <= each.stage:
                entries.setdefault(stage, running)
        before = sum(entries[each.stage][i] for i in each.counted)
        if each.op.kind in DEALS:
            deal = next(taken)
            parts = deal_parts(each, deal, running, cart.floors, left)
            wish, op = deal.wanted, op_of_deal(each, deal, cart.items)
        else:
            wish, op = wanted(each.op, sum(running[i] for i in each.scope), before, each.units), each.op
            parts = parts_of(each, running, cart.floors, amount_off(each, running, cart.floors, before, left))
        steps.append(step_of(each, cart, running, left, before, wish, op, parts))
        running = reduced(each, running, parts)
        if left is not None and each.bounded:
            left -= sum(parts)
    for stage in PROMOTION_STAGES:
        entries.setdefault(stage, running)
    return steps, running, entries


def op_of_deal(each: Candidate, deal: Taken, items: Sequence[LineItem]) -> Op:
    units = tuple(UnitsOff(items[line].id, number, off) for line, number, off in deal.units)
    return replace(each.op, units=units, a=deal.times)


def step_of(
    each: Candidate,
    cart: SearchedCart,
    running: Sequence[int],
    left: int | None,
    entry: int,
    wish: int,
    op: Op,
    parts: Sequence[int],
) -> PriceStep:
    ids = [item.id for item in cart.items]
    terms = each.terms
    limits = tuple(
        (name, bound) for name, bound in (("cap", terms.cap), ("budget", each.running.budget_left)) if bound is not None
    )
    return PriceStep(
        each.stage,
        each.running.source,
        each.code,
        tuple(ids[i] for i in each.scope),
        entry,
        each.threshold,
        op,
        wish,
        limited_by(each, cart, running, left, wish, sum(parts)),
        sum(parts),
        tuple((ids[i], part) for i, part in zip(each.scope, parts, strict=True)),
        () if each.counted == each.scope else tuple(ids[i] for i in each.counted),
        each.least_units,
        limits,
        terms.refund,
        terms.gift,
    )


def limited_by(
    each: Candidate, cart: SearchedCart, running: Sequence[int], left: int | None, wish: int, amount: int
) -> LimitedBy:
    """Return which bound kept a promotion from taking off what it wanted."""
    if amount >= wish:
        return "none"
    if each.terms.cap == amount:
        return "cap"
    if each.running.budget_left == amount:
        return "budget"
    if left == amount and each.bounded:
        return "max_discount"
    return "floor" if room_of(each, running, cart.floors) < sum(running[i] for i in each.scope) else "left"


def points_steps(request: PriceRequest, items: Sequence[LineItem], running: list[int]) -> tuple[list[PriceStep], list[int]]:
    """Return the step in which points pay for goods, if any do, and the amounts after it."""
    wish = request.points
    scope = [i for i, item in enumerate(items) if item.kind == "goods"]
    now = sum(running[i] for i in scope)
    if wish is None or not now:
        return [], running
    caps = [max(0, running[i] - items[i].floor * items[i].quantity) for i in scope]
    allowed = now * wish.share[0] // wish.share[1]
    room = min(sum(caps), allowed)
    asked = wish.points - wish.points % wish.multiple
    used, worth = points_used(wish, asked, room)
    if not worth:
        return [], running
    parts = apportion_capped(worth, [running[i] for i in scope], caps)
    after = list(running)
    for i, part in zip(scope, parts, strict=True):
        after[i] -= part
    wanted_worth = asked * wish.value[0] // wish.value[1]
    bound: LimitedBy = "share" if allowed < sum(caps) else "floor" if sum(caps) < now else "left"
    step = PriceStep(
        POINTS_STAGE,
        f"wallet:{wish.wallet}",
        None,
        tuple(items[i].id for i in scope),
        now,
        0,
        Op("points", n=worth, a=used, rate=wish.value),
        wanted_worth,
        "none" if worth == wanted_worth else bound,
        worth,
        tuple((items[i].id, part) for i, part in zip(scope, parts, strict=True)),
        limits=(("share", allowed),),
    )
    return [step], after


def points_used(wish: PointsWanted, asked: int, room: int) -> tuple[int, int]:
    """Return how many points are used and what they are worth: no more than the room, and none that bring nothing."""
    numerator, denominator = wish.value
    if not numerator:
        return 0, 0
    most = min(asked, ((room + 1) * denominator - 1) // numerator)
    most -= most % wish.multiple
    worth = most * numerator // denominator
    least = -(-worth * denominator // numerator)
    return least + -least % wish.multiple, worth


def tax_steps(rules: PriceRules, items: Sequence[LineItem], running: Sequence[int]) -> list[PriceStep]:
    """Return the tax of each rate on the sum of its lines (by line: on each line), half up, split over the lines."""
    groups: dict[tuple[tuple[int, int], int], list[int]] = {}
    for i, item in enumerate(items):
        if item.rate[0] and running[i]:
            groups.setdefault((item.rate, i if rules.basis == "line" else 0), []).append(i)
    return [tax_step(rules, rate, [(items[i].id, running[i]) for i in lines]) for (rate, _), lines in sorted(groups.items())]


def tax_step(rules: PriceRules, rate: tuple[int, int], lines: Sequence[tuple[str, int]]) -> PriceStep:
    amounts = [amount for _, amount in lines]
    total = sum(amounts)
    tax = half_up(total, rate[0], rate[0] + rate[1] if rules.mode == "included" else rate[1])
    caps = amounts if rules.mode == "included" else [tax] * len(lines)
    parts = apportion_capped(tax, amounts, caps)
    names = tuple(name for name, _ in lines)
    by_line = tuple(zip(names, parts, strict=True))
    return PriceStep(
        TAX_STAGE, f"policy@{rules.policy}", None, names, total, 0, Op("tax", rate=rate), tax, "none", tax, by_line
    )


def shares_of(rules: PriceRules, items: Sequence[LineItem], running: Sequence[int], steps: Sequence[PriceStep]) -> list[Share]:
    """Return what each line was sold for; the points of a line follow what they paid of it."""
    tax: dict[str, int] = {}
    points: dict[str, int] = {}
    rule: dict[str, RefundRule] = {}
    for step in steps:
        if step.stage == TAX_STAGE:
            tax.update(step.parts)
        if step.stage == POINTS_STAGE:
            worths = [worth for _, worth in step.parts]
            split = apportion_capped(step.op.a, worths, [step.op.a] * len(worths))
            points = dict(zip(step.scope, split, strict=True))
        if step.refund == "recompute":
            rule.update(dict.fromkeys(step.scope, step.refund))
    return [
        Share(
            item.id,
            now + (tax.get(item.id, 0) if rules.mode == "added" else 0),
            tax.get(item.id, 0),
            points.get(item.id, 0),
            rule.get(item.id, "proportional"),
        )
        for item, now in zip(items, running, strict=True)
    ]
