"""A promotion made ready for one cart: lines as numbers, so that a search can try it thousands of times."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aggregates.pricing.apportioning import apportion_capped, half_up
from aggregates.pricing.request import LineItem, Running
from aggregates.pricing.terms import STAGES, CampaignTerms, Effect, Rung
from aggregates.pricing.trace import LadderStep, Op

DEALS = ("units", "bundle")

OUTSIDE_GOODS = frozenset({"gift", "shipping"})
"""Kinds of line whose discounts the bound on all discounts does not count."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """``scope``: the numbers of the lines it reduces; ``counted``: those whose amounts it looks at.

    ``rank``: its place in its stage: deals, then what depends on a part, then what takes off an amount.
    ``threshold``: the amount that ``counted`` must have on entry to the stage. ``bounded``: it counts for ``most_off``.
    ``whole``: all that it wants or nothing, as a gift is.
    """

    running: Running
    code: str | None
    stage: int
    rank: int
    op: Op
    scope: tuple[int, ...]
    counted: tuple[int, ...]
    units: int
    threshold: int
    least_units: int
    limit: int | None
    floored: bool
    bounded: bool
    whole: bool
    pinned: bool

    @property
    def id(self) -> str:
        return self.running.id

    @property
    def terms(self) -> CampaignTerms:
        return self.running.terms

    @property
    def place(self) -> tuple[int, int, str]:
        return self.stage, self.rank, self.running.id


def candidate(
    running: Running,
    code: str | None,
    items: Sequence[LineItem],
    scope: tuple[int, ...],
    counted: tuple[int, ...],
    needs: tuple[int, int],
    pinned: bool = False,
) -> Candidate:
    """Make a campaign ready for a cart; ``needs``: the amount and the number of units it asks for."""
    terms = running.terms
    op, rank = op_of(terms.effect)
    bounds = [bound for bound in (terms.cap, running.budget_left) if bound is not None]
    return Candidate(
        running,
        code,
        STAGES[terms.stage],
        rank,
        op,
        scope,
        counted,
        sum(items[i].quantity for i in counted),
        needs[0],
        needs[1],
        min(bounds) if bounds else None,
        any(items[i].floor for i in scope),
        all(items[i].kind not in OUTSIDE_GOODS for i in scope),
        terms.effect.gift is not None,
        pinned,
    )


def op_of(effect: Effect) -> tuple[Op, int]:
    """Return the operation of an effect and its rank in its stage."""
    if effect.deal is not None:
        return Op("units", rate=effect.deal.percent, group=(effect.deal.buy, effect.deal.get)), 0
    if effect.bundle is not None:
        return Op("bundle", n=effect.bundle.price), 0
    if effect.free_shipping or effect.gift is not None:
        return Op("percent", rate=(1, 1)), 1
    if effect.percent is not None:
        return Op("percent", rate=effect.percent), 1
    if effect.fixed is not None:
        return Op("fixed", n=effect.fixed), 2
    if effect.per_full is not None:
        return Op("per_full", n=effect.per_full.off, a=effect.per_full.amount), 2
    if effect.ladder:
        rungs = tuple(sorted((rung_of(rung) for rung in effect.ladder), key=lambda rung: rung.start))
        by_rate = any(rung.rate is not None for rung in rungs)
        return Op("ladder", by=effect.ladder_by, rungs=rungs), 1 if by_rate else 2
    return Op("unit", n=effect.unit or 0), 0


def rung_of(rung: Rung) -> LadderStep:
    return LadderStep(rung.at, rung.off or 0, rung.percent)


def wanted(op: Op, now: int, entry: int, units: int) -> int:
    """Return what an operation on a whole scope would take off.

    ``now``: what the scope costs; ``entry``: what the counted lines cost on entry to the stage; ``units``: how many they are.
    """
    match op.kind:
        case "percent":
            return half_up(now, *(op.rate or (0, 1)))
        case "fixed":
            return op.n
        case "per_full":
            return entry // op.a * op.n
        case "ladder":
            measure = units if op.by == "count" else entry
            reached = [rung for rung in op.rungs if rung.start <= measure]
            if not reached:
                return 0
            return half_up(now, *reached[-1].rate) if reached[-1].rate else reached[-1].off
        case _:
            raise ValueError(f"{op.kind} does not act on a whole scope")


def room_of(chosen: Candidate, running: Sequence[int], floors: Sequence[int]) -> int:
    """Return how much the lines of a candidate can still be reduced."""
    if not chosen.floored:
        return sum([running[i] for i in chosen.scope])
    return sum([max(0, running[i] - floors[i]) for i in chosen.scope])


def amount_off(chosen: Candidate, running: Sequence[int], floors: Sequence[int], entry: int, left: int | None) -> int:
    """Return what a promotion other than a quantity deal takes off now. ``left``: what ``most_off`` still allows."""
    if entry < chosen.threshold:
        return 0
    now = sum([running[i] for i in chosen.scope])
    amount = wanted(chosen.op, now, entry, chosen.units)
    room = room_of(chosen, running, floors) if chosen.floored else now
    if chosen.limit is not None and chosen.limit < room:
        room = chosen.limit
    if left is not None and chosen.bounded and left < room:
        room = left
    if room < amount:
        return 0 if chosen.whole else room
    return amount


def parts_of(chosen: Candidate, running: Sequence[int], floors: Sequence[int], amount: int) -> list[int]:
    """Split an amount over the lines in scope by what they cost, none below its floor."""
    weights = [running[i] for i in chosen.scope]
    caps = [max(0, running[i] - floors[i]) for i in chosen.scope] if chosen.floored else weights
    return apportion_capped(amount, weights, caps)


def reduced(chosen: Candidate, running: Sequence[int], parts: Sequence[int]) -> list[int]:
    """Return the running amounts after the parts have been taken off."""
    after = list(running)
    for i, part in zip(chosen.scope, parts, strict=True):
        after[i] -= part
    return after


def select(items: Sequence[LineItem], wanted: Callable[[LineItem], bool]) -> tuple[int, ...]:
    """Return the numbers of the lines that are wanted."""
    return tuple(i for i, item in enumerate(items) if wanted(item))
