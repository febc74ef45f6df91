"""What an order would have cost with the goods that are kept: its own trace again, at frozen prices, without any search."""

from __future__ import annotations

from collections.abc import Mapping

from aggregates.pricing.apportioning import apportion_capped, half_up
from aggregates.pricing.terms import POINTS_STAGE, TAX_STAGE
from aggregates.pricing.trace import Op, PricedLine, PriceStep, Trace

Amounts = dict[str, int]


def price_of_kept(trace: Trace, kept: Mapping[str, int]) -> int:
    """Return what ``kept`` units of each line cost by the same campaigns; points keep paying for the units that are kept."""
    lines = {line.id: line for line in trace.lines}
    running = {name: line.list_unit * kept[name] for name, line in lines.items()}
    left = most_left(trace, kept)
    stage, entry = 0, dict(running)
    for step in trace.steps:
        if step.stage == TAX_STAGE:
            continue
        if step.stage != stage:
            stage, entry = step.stage, dict(running)
        parts = (
            parts_of_points(step, lines, kept)
            if stage == POINTS_STAGE
            else parts_again(step, lines, kept, running, entry, left)
        )
        for name, part in parts.items():
            running[name] -= part
            if left is not None and stage < POINTS_STAGE and lines[name].kind not in ("gift", "shipping"):
                left -= part
    total = sum(running.values())
    return total + (tax_added(trace, running) if trace.mode == "added" else 0)


def holds(step: PriceStep, kept: Mapping[str, int], entry: Mapping[str, int]) -> bool:
    """Whether a step's thresholds are still met by what is kept."""
    counted = step.counted or step.scope
    return sum(entry[name] for name in counted) >= step.threshold and sum(kept[name] for name in counted) >= step.least_units


def most_left(trace: Trace, kept: Mapping[str, int]) -> int | None:
    if trace.most_off is None:
        return None
    lists = sum(line.list_unit * kept[line.id] for line in trace.lines if line.kind not in ("gift", "shipping"))
    return lists * trace.most_off[0] // trace.most_off[1]


def parts_of_points(step: PriceStep, lines: Mapping[str, PricedLine], kept: Mapping[str, int]) -> Amounts:
    """Return what points paid of the units that are kept: what the units that came back did not take with them."""
    return {name: part - part * (lines[name].quantity - kept[name]) // lines[name].quantity for name, part in step.parts}


def parts_again(
    step: PriceStep,
    lines: Mapping[str, PricedLine],
    kept: Mapping[str, int],
    running: Mapping[str, int],
    entry: Mapping[str, int],
    left: int | None,
) -> Amounts:
    """Return what a step takes off the goods that are kept.

    Free shipping once given stays, and so does a gift that may be kept.
    """
    scope = [name for name in step.scope if kept[name]]
    if not scope:
        return {}
    kinds = {lines[name].kind for name in scope}
    stays = "shipping" in kinds or ("gift" in kinds and step.gift == "keep")
    if not stays and not holds(step, kept, entry):
        return {}
    wish = wanted_again(step, kept, running, entry)
    weights = [running[name] for name in scope]
    caps = [max(0, running[name] - lines[name].floor * kept[name]) for name in scope]
    bounds = [sum(caps), *(min(bound, step.amount) if name == "budget" else bound for name, bound in step.limits)]
    if left is not None and 2 < step.stage < POINTS_STAGE and not kinds & {"gift", "shipping"}:
        bounds.append(max(0, left))
    return dict(zip(scope, apportion_capped(max(0, min(wish, *bounds)), weights, caps), strict=True))


def wanted_again(
    step: PriceStep,
    kept: Mapping[str, int],
    running: Mapping[str, int],
    entry: Mapping[str, int],
) -> int:
    op, counted = step.op, step.counted or step.scope
    now = sum(running[name] for name in step.scope)
    before = sum(entry[name] for name in counted)
    match op.kind:
        case "unit":
            return now - sum(op.n * kept[name] for name in step.scope)
        case "percent":
            return half_up(now, *(op.rate or (0, 1)))
        case "fixed":
            return op.n
        case "per_full":
            return before // op.a * op.n
        case "ladder":
            measure = sum(kept[name] for name in counted) if op.by == "count" else before
            reached = [rung for rung in op.rungs if rung.start <= measure]
            if not reached:
                return 0
            return half_up(now, *reached[-1].rate) if reached[-1].rate else reached[-1].off
        case "units":
            return deal_again(step, kept, entry)
        case "bundle":
            return bundle_again(op, kept)
        case _:
            return 0


def deal_again(step: PriceStep, kept: Mapping[str, int], entry: Mapping[str, int]) -> int:
    """Return what a quantity deal takes off the units that are kept, at their prices on entry to its stage."""
    buy, get = step.op.group or (1, 1)
    if step.counted and step.counted != step.scope:
        bought = sum(kept[name] for name in step.counted if name not in step.scope)
        offs = sorted(off.each for off in step.op.units for _ in range(min(off.units, kept[off.line])))
        return sum(offs[: bought // buy * get])
    prices = sorted((entry[name] // kept[name] for name in step.scope for _ in range(kept[name])), reverse=True)
    reduced = [half_up(price, *(step.op.rate or (1, 1))) for i, price in enumerate(prices) if i % (buy + get) >= buy]
    return min(sum(reduced), sum(off.units * off.each for off in step.op.units))


def bundle_again(op: Op, kept: Mapping[str, int]) -> int:
    """Return what the bundles save that the kept units still make; of several, each has an equal part of the units."""
    times = op.a
    while times and any(kept[off.line] < -(-off.units * times // op.a) for off in op.units):
        times -= 1
    worth = sum(off.units * off.each for off in op.units)
    return worth * times // op.a - op.n * times if times else 0


def tax_added(trace: Trace, running: Mapping[str, int]) -> int:
    groups: dict[object, int] = {}
    rates: dict[object, tuple[int, int]] = {}
    for line in trace.lines:
        key = (line.rate, line.id if trace.basis == "line" else "")
        groups[key] = groups.get(key, 0) + running[line.id]
        rates[key] = line.rate
    return sum(half_up(total, *rates[key]) for key, total in groups.items())
