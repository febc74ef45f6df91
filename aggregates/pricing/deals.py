"""Quantity deals and bundles: which units they reduce. Each unit serves one deal.

Deals that reduce the cheapest of each group share the units by dynamic programming over the units by falling price; its state
is how far each deal's open group is filled. The other deals and bundles then take, in the order of their ids, what is left.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from aggregates.pricing.apportioning import apportion_capped, half_up
from aggregates.pricing.candidate import Candidate
from aggregates.pricing.request import LineItem
from aggregates.pricing.terms import BundlePart, Deal

MOST_STATES = 2_000
"""The most states of all units together; beyond it the best ones are followed, and the answer is not proven."""

FEWEST_A_UNIT = 16

Unit: TypeAlias = tuple[int, int]  # price, number of the line


@dataclass(frozen=True)
class Taken:
    """What a deal does to a cart: the units it reduces, by line and by what each is reduced; what it wants in all.

    For a bundle the units are all of the bundle, with their prices, and ``times`` bundles are made.
    """

    units: tuple[tuple[int, int, int], ...]  # line, units, each
    wanted: int
    times: int = 0


NOTHING = Taken((), 0)


def solve(chosen: Sequence[Candidate], items: Sequence[LineItem], entry: Sequence[int]) -> tuple[list[Taken], bool]:
    """Return what each deal takes, in their order, and whether no better way to share the units exists.

    ``entry``: what each line costs on entry to the stage; a unit costs the whole part of an equal share of its line.
    """
    prices = [amount // item.quantity if item.quantity else 0 for amount, item in zip(entry, items, strict=True)]
    left = [item.quantity for item in items]
    holding = [i for i, deal in enumerate(chosen) if sum(entry[line] for line in deal.counted) >= deal.threshold]
    grouped = [i for i in holding if shares_units(chosen[i])]
    found: list[Taken] = [NOTHING] * len(chosen)
    exact = True
    if grouped:
        shared, exact = share_units([chosen[i] for i in grouped], prices, left)
        for i, taken in zip(grouped, shared, strict=True):
            found[i] = taken
    for i in holding:
        if i not in grouped:
            found[i] = take_alone(chosen[i], items, prices, left)
    return found, exact


def deal_parts(chosen: Candidate, taken: Taken, running: Sequence[int], floors: Sequence[int], left: int | None) -> list[int]:
    """Return what each line in a deal's scope bears, none below its floor and all within the campaign's bounds.

    ``left``: what ``most_off`` still allows.
    """
    share = dict.fromkeys(chosen.scope, 0)
    for line, units, each in taken.units:
        share[line] += units * each
    weights = [share[i] for i in chosen.scope]
    caps = [min(share[i], max(0, running[i] - floors[i])) for i in chosen.scope]
    amount = min(taken.wanted, sum(caps))
    if chosen.limit is not None:
        amount = min(amount, chosen.limit)
    if left is not None and chosen.bounded:
        amount = min(amount, left)
    return apportion_capped(amount, weights, caps)


def most_of_deal(chosen: Candidate, items: Sequence[LineItem], entry: Sequence[int]) -> int:
    """Return the most that a deal wants in any set: other deals may leave it dearer units than it would take alone."""
    prices = [amount // item.quantity if item.quantity else 0 for amount, item in zip(entry, items, strict=True)]
    left = [item.quantity for item in items]
    deal = chosen.terms.effect.deal
    if deal is None:
        return bundles(chosen, items, prices, left).wanted
    if chosen.terms.effect.on.is_empty:
        return share_units([chosen], prices, left)[0][0].wanted
    bought = sum(left[i] for i in chosen.counted if i not in chosen.scope) // deal.buy
    groups = bought if deal.times is None else min(deal.times, bought)
    return sum(half_up(price, *deal.percent) for price, _ in units_of(chosen.scope, prices, left)[: groups * deal.get])


def shares_units(deal: Candidate) -> bool:
    terms = deal.terms.effect.deal
    return terms is not None and terms.cheapest == "of_group" and deal.terms.effect.on.is_empty


def units_of(lines: Sequence[int], prices: Sequence[int], left: Sequence[int]) -> list[Unit]:
    """Return the units that are left of some lines, by falling price, then by line."""
    units = [(prices[i], i) for i in lines for _ in range(left[i])]
    return sorted(units, key=lambda unit: (-unit[0], unit[1]))


class UnitChoice(NamedTuple):
    """A unit went to a deal; ``off``: what it is reduced by; ``before``: the choices before it."""

    deal: int
    line: int
    off: int
    before: UnitChoice | None


class Path(NamedTuple):
    """One way to have used the units so far, and what it brings."""

    value: int
    last: UnitChoice | None

    def choices(self) -> list[UnitChoice]:
        """Return the choices in their order."""
        found: list[UnitChoice] = []
        choice = self.last
        while choice is not None:
            found.append(choice)
            choice = choice.before
        return found[::-1]


State: TypeAlias = tuple[int, ...]


def share_units(deals: Sequence[Candidate], prices: Sequence[int], left: list[int]) -> tuple[list[Taken], bool]:
    """Share the units among deals so that they bring most; ``left`` is reduced by the units that serve one."""
    known = [deal.terms.effect.deal for deal in deals if deal.terms.effect.deal is not None]
    scopes = [frozenset(deal.scope) for deal in deals]
    lines = sorted(frozenset[int]().union(*scopes))
    paths: dict[State, Path] = {(0,) * len(deals): Path(0, None)}
    exact = True
    units = units_of(lines, prices, left)
    most = max(FEWEST_A_UNIT, MOST_STATES // max(1, len(units)))
    for price, line in units:
        takers = [(j, deal) for j, deal in enumerate(known) if line in scopes[j]]
        paths = with_unit(paths, price, line, takers)
        if len(paths) > most:
            exact = False
            best = sorted(paths.items(), key=lambda entry: (-entry[1].value, entry[0]))
            paths = dict(best[:most])
    best_path = min(paths.items(), key=lambda entry: (-entry[1].value, entry[0]))[1]
    choices = best_path.choices()
    for choice in served(choices, known):
        left[choice.line] -= 1
    return [taken_by(j, choices) for j in range(len(deals))], exact


def with_unit(paths: dict[State, Path], price: int, line: int, takers: Sequence[tuple[int, Deal]]) -> dict[State, Path]:
    """Return the best path to each state once one more unit was given to a deal or to none."""
    after = dict(paths)
    for state, path in paths.items():
        for j, deal in takers:
            step = next_state(state, j, deal)
            if step is None:
                continue
            off = half_up(price, *deal.percent) if state[j] % (deal.buy + deal.get) >= deal.buy else 0
            value = path.value + off
            if step not in after or after[step].value < value:
                after[step] = Path(value, UnitChoice(j, line, off, path.last))
    return after


def next_state(state: State, j: int, deal: Deal) -> State | None:
    """Return the state after one more unit went to a deal, None if it may not be used once more.

    Without a bound on its times, only the place in the open group matters.
    """
    size = deal.buy + deal.get
    if deal.times is not None and state[j] >= size * deal.times:
        return None
    place = state[j] + 1 if deal.times is not None else (state[j] + 1) % size
    return (*state[:j], place, *state[j + 1 :])


def served(choices: Sequence[UnitChoice], deals: Sequence[Deal]) -> Iterator[UnitChoice]:
    """Yield the choices that belong to a group in which a unit is reduced; the other units serve no deal."""
    for j, deal in enumerate(deals):
        mine = [choice for choice in choices if choice.deal == j]
        size = deal.buy + deal.get
        for start in range(0, len(mine), size):
            group = mine[start : start + size]
            if any(choice.off for choice in group):
                yield from group


def taken_by(j: int, choices: Sequence[UnitChoice]) -> Taken:
    counted: dict[tuple[int, int], int] = {}
    for choice in choices:
        if choice.deal == j and choice.off:
            counted[choice.line, choice.off] = counted.get((choice.line, choice.off), 0) + 1
    return taken(counted)


def taken(counted: Mapping[tuple[int, int], int]) -> Taken:
    units = tuple((line, number, off) for (line, off), number in sorted(counted.items()))
    return Taken(units, sum(number * off for _, number, off in units))


def take_alone(chosen: Candidate, items: Sequence[LineItem], prices: Sequence[int], left: list[int]) -> Taken:
    """Let a deal or bundle that shares no units take what it can; ``left`` is reduced by it."""
    effect = chosen.terms.effect
    if effect.bundle is not None:
        return bundles(chosen, items, prices, left)
    if effect.deal is None:
        return NOTHING
    if effect.on.is_empty:
        return cheapest_of_all(chosen.scope, effect.deal, prices, left)
    return reduced_with_others(chosen, effect.deal, prices, left)


def cheapest_of_all(lines: Sequence[int], deal: Deal, prices: Sequence[int], left: list[int]) -> Taken:
    """Reduce the cheapest of all units, ``get`` for each full group."""
    units = units_of(lines, prices, left)
    size = deal.buy + deal.get
    groups = len(units) // size if deal.times is None else min(deal.times, len(units) // size)
    return reduce_units(units[len(units) - groups * deal.get :] if groups else [], units[: groups * deal.buy], deal, left)


def reduced_with_others(chosen: Candidate, deal: Deal, prices: Sequence[int], left: list[int]) -> Taken:
    """Reduce the cheapest units of one kind for units bought of another."""
    bought = units_of([i for i in chosen.counted if i not in chosen.scope], prices, left)
    others = units_of(chosen.scope, prices, left)
    groups = len(bought) // deal.buy if deal.times is None else min(deal.times, len(bought) // deal.buy)
    number = min(groups * deal.get, len(others))
    used = -(-number // deal.get) * deal.buy
    return reduce_units(others[len(others) - number :] if number else [], bought[:used], deal, left)


def reduce_units(units: Sequence[Unit], bought: Sequence[Unit], deal: Deal, left: list[int]) -> Taken:
    counted: dict[tuple[int, int], int] = {}
    for price, line in units:
        off = half_up(price, *deal.percent)
        counted[line, off] = counted.get((line, off), 0) + 1
        left[line] -= 1
    for _, line in bought:
        left[line] -= 1
    return taken({key: number for key, number in counted.items() if key[1]})


def bundles(chosen: Candidate, items: Sequence[LineItem], prices: Sequence[int], left: list[int]) -> Taken:
    """Make bundles of the dearest units while each saves money."""
    bundle = chosen.terms.effect.bundle
    if bundle is None:
        return NOTHING
    counted: dict[tuple[int, int], int] = {}
    times = worth = 0
    while bundle.times is None or times < bundle.times:
        units = one_bundle(bundle.parts, chosen.scope, items, prices, left)
        value = sum(price for price, _ in units)
        if not units or value <= bundle.price:
            break
        for price, line in units:
            counted[line, price] = counted.get((line, price), 0) + 1
            left[line] -= 1
        times, worth = times + 1, worth + value
    return Taken(taken(counted).units, worth - times * bundle.price, times) if times else NOTHING


def one_bundle(
    parts: Sequence[BundlePart], scope: Sequence[int], items: Sequence[LineItem], prices: Sequence[int], left: Sequence[int]
) -> list[Unit]:
    """Return the dearest units that make one bundle, none if a part is missing."""
    remaining = list(left)
    units: list[Unit] = []
    for part in parts:
        lines = [i for i in scope if part.only.has(items[i].product, items[i].department, items[i].category)]
        found = units_of(lines, prices, remaining)[: part.quantity]
        if len(found) < part.quantity:
            return []
        for _, line in found:
            remaining[line] -= 1
        units += found
    return units
