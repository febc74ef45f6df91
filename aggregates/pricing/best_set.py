"""The set of promotions that takes off most: depth-first search with a bound, exact unless its work runs out.

Candidates stand in the order of the pipeline, so a set is priced while it is built, and sets with the same beginning share
that work. The bound of a branch is what is taken off already and, for each clique of promotions that exclude each other, the
most that one of them would take off what is left now: amounts only fall, so no promotion can do better later.
Of equal sets, the one with fewer promotions is best, then the one whose promotions end first, then the lower ids.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from aggregates.pricing.candidate import DEALS, OUTSIDE_GOODS, Candidate, amount_off, parts_of, reduced, room_of
from aggregates.pricing.deals import Taken, deal_parts, most_of_deal, solve
from aggregates.pricing.request import LineItem
from aggregates.pricing.terms import conflict

NEVER = 1 << 62

FIRST_STAGE = 3

COST_OF_TRYING = 5
"""What it costs to add a promotion to a set, by what it costs to see what one would take off."""

Key: TypeAlias = tuple[int, int, int, tuple[int, ...], tuple[str, ...]]
"""What makes one set better than another: more pins used, more off, fewer promotions, sooner ends, lower ids."""


@dataclass(frozen=True)
class BestSet:
    """``chosen``: the numbers of the candidates; ``off``: what they take off; ``proven``: no set is better."""

    chosen: tuple[int, ...] = ()
    off: int = 0
    proven: bool = True
    work: int = 0


@dataclass(frozen=True)
class SearchedCart:
    """What a search needs to know of a cart. ``running``: what each line costs before the first candidate.

    ``most``: what ``most_off`` allows in all, None for no bound.
    """

    items: Sequence[LineItem]
    running: tuple[int, ...]
    floors: tuple[int, ...]
    most: int | None


def conflicts_of(candidates: Sequence[Candidate]) -> list[int]:
    """Return, for each candidate, the bits of the candidates that it excludes."""
    masks = [0] * len(candidates)
    for i, one in enumerate(candidates):
        for j in range(i):
            other = candidates[j]
            if one.id == other.id or conflict(one.id, one.terms, other.id, other.terms):
                masks[i] |= 1 << j
                masks[j] |= 1 << i
    return masks


def clique_numbers(conflicts: Sequence[int]) -> list[int]:
    """Return a number of a clique for each candidate, greedily: those of one clique all exclude each other."""
    cliques: list[int] = []  # the bits of their members
    numbers = [0] * len(conflicts)
    for i in sorted(range(len(conflicts)), key=lambda i: (-conflicts[i].bit_count(), i)):
        for number, members in enumerate(cliques):
            if members & ~conflicts[i] == 0:
                cliques[number] |= 1 << i
                numbers[i] = number
                break
        else:
            numbers[i] = len(cliques)
            cliques.append(1 << i)
    return numbers


def best_set(candidates: Sequence[Candidate], cart: SearchedCart, work: int) -> BestSet:
    """Return the best set of candidates, which stand in the order of the pipeline.

    ``work``: how many amounts may be computed; when it runs out, the answer is the best found, and not proven.
    """
    search = Search(candidates, cart, work)
    search.run()
    return BestSet(search.best, search.best_off, search.work_left > 0 and search.exact, work - search.work_left)


class Search:
    """The state of one search: what is known of the candidates, and the best set so far."""

    def __init__(self, candidates: Sequence[Candidate], cart: SearchedCart, work: int) -> None:
        self.candidates = candidates
        self.cart = cart
        self.work_left = work
        self.exact = True
        self.solved: dict[tuple[int, ...], list[Taken]] = {}
        self.deals = sum(each.op.kind in DEALS for each in candidates)  # they stand first
        self.conflicts = conflicts_of(candidates)
        self.cliques = clique_numbers(self.conflicts)
        self.pins = sum(1 << i for i, each in enumerate(candidates) if each.pinned)
        room = [max(0, now - floor) for now, floor in zip(cart.running, cart.floors, strict=True)]
        self.room = sum(room)
        self.room_outside = sum(amount for amount, item in zip(room, cart.items, strict=True) if item.kind in OUTSIDE_GOODS)
        self.alone = [self.value_alone(i) for i in range(len(candidates))]
        self.best: tuple[int, ...] = ()
        self.best_off = 0
        self.best_key = self.key((), 0)

    def run(self) -> None:
        self.begin_greedily()
        self.choose_deals(0, (1 << len(self.candidates)) - 1, ())

    def value_alone(self, i: int) -> int:
        """Return the most that a candidate takes off in any set."""
        each, running = self.candidates[i], self.cart.running
        entry = sum(running[line] for line in each.counted)
        if each.op.kind not in DEALS:
            return amount_off(each, running, self.cart.floors, entry, self.cart.most)
        if entry < each.threshold:
            return 0
        room = room_of(each, running, self.cart.floors)
        bounds = (each.limit, self.cart.most if each.bounded else None)
        return min(most_of_deal(each, self.cart.items, running), room, *(bound for bound in bounds if bound is not None))

    def key(self, chosen: tuple[int, ...], off: int) -> Key:
        """Return what a set is judged by; the greatest is best, and of equal ones the one with the lower ids."""
        used = [self.candidates[i] for i in chosen]
        ends = sorted(NEVER if each.terms.when.ends is None else each.terms.when.ends for each in used)
        return (
            sum(each.pinned for each in used),
            off,
            -len(used),
            tuple(-end for end in ends),
            tuple(sorted(e.id for e in used)),
        )

    def offer(self, chosen: tuple[int, ...], off: int) -> None:
        """Keep a set if it is better than the best so far."""
        if off < self.best_off and not self.pins:
            return
        key = self.key(chosen, off)
        if key[:4] > self.best_key[:4] or (key[:4] == self.best_key[:4] and key[4] < self.best_key[4]):
            self.best, self.best_off, self.best_key = chosen, off, key

    def begin_greedily(self) -> None:
        """Offer the set that takes the most valuable candidate first, so that the bound cuts early."""
        order = sorted(range(len(self.candidates)), key=lambda i: (not self.candidates[i].pinned, -self.alone[i], i))
        chosen, excluded = [], 0
        for i in order:
            if self.alone[i] and not excluded >> i & 1:
                chosen.append(i)
                excluded |= self.conflicts[i]
        chosen.sort()
        deals = tuple(i for i in chosen if i < self.deals)
        effective, running, off, left = self.with_deals(deals)
        if effective != deals:
            return
        stage, entry = FIRST_STAGE, list(self.cart.running)
        for i in chosen[len(deals) :]:
            if self.candidates[i].stage != stage:
                stage, entry = self.candidates[i].stage, running
            running, amount = self.applied(i, running, entry, left)
            if amount:
                off, left, effective = off + amount, self.less(left, i, amount), (*effective, i)
        self.offer(effective, off)

    def choose_deals(self, i: int, allowed: int, chosen: tuple[int, ...]) -> None:
        """Try every set of deals that may still be best, and with each the other promotions.

        A deal without effect may take units from others all the same, so a set with one is not a set to choose.
        """
        effective, running, off, left = self.with_deals(chosen)
        if effective == chosen:
            self.choose_others(self.deals, allowed, effective, running, list(self.cart.running), FIRST_STAGE, off, left)
        alone = sum(self.alone[j] for j in chosen)
        for j in range(i, self.deals):
            if not allowed >> j & 1 or not self.alone[j]:
                continue
            if self.work_left <= 0 or not self.promising_from(j, allowed, alone, len(chosen)):
                return
            self.work_left -= COST_OF_TRYING * (1 + sum(item.quantity for item in self.cart.items) // 8)
            self.choose_deals(j + 1, allowed & ~self.conflicts[j] & ~(1 << j), (*chosen, j))

    def choose_others(
        self,
        i: int,
        allowed: int,
        chosen: tuple[int, ...],
        running: list[int],
        entry: list[int],
        stage: int,
        off: int,
        left: int | None,
    ) -> None:
        """Add each promotion from ``i`` on to a set that was priced so far, and go on with that set."""
        self.offer(chosen, off)
        for j in range(i, len(self.candidates)):
            if not allowed >> j & 1:
                continue
            if self.work_left <= 0 or not self.promising(j, allowed, chosen, running, entry, stage, off, left):
                return
            self.work_left -= COST_OF_TRYING
            if self.candidates[j].stage != stage:
                stage, entry = self.candidates[j].stage, running
            after, amount = self.applied(j, running, entry, left)
            if amount:
                rest = self.less(left, j, amount)
                self.choose_others(j + 1, allowed & ~self.conflicts[j], (*chosen, j), after, entry, stage, off + amount, rest)

    def promising(
        self,
        i: int,
        allowed: int,
        chosen: tuple[int, ...],
        running: list[int],
        entry: list[int],
        stage: int,
        off: int,
        left: int | None,
    ) -> bool:
        """Whether candidates from ``i`` on can make a set better than the best, by what is left now."""
        if not self.promising_from(i, allowed, off, len(chosen), sum(self.candidates[j].pinned for j in chosen)):
            return False
        if self.pins and self.best_key[0] < self.pins.bit_count():
            return True
        needed = self.needed(off, len(chosen))
        if min(self.room - off, needed if left is None else left + self.room_outside) < needed:
            return False
        total, in_clique = 0, [0] * len(self.candidates)
        for j in range(i, len(self.candidates)):
            if not allowed >> j & 1 or self.alone[j] <= in_clique[self.cliques[j]]:
                continue
            self.work_left -= 1
            each = self.candidates[j]
            before = entry if each.stage == stage else running
            value = amount_off(each, running, self.cart.floors, sum([before[line] for line in each.counted]), left)
            more = value - in_clique[self.cliques[j]]
            if more > 0:
                in_clique[self.cliques[j]] = value
                total += more
                if total >= needed:
                    return True
        return total >= needed

    def promising_from(self, i: int, allowed: int, off: int, count: int, pinned: int | None = None) -> bool:
        """Whether candidates from ``i`` on can make a set better than the best, by what each takes off alone."""
        if self.pins:
            reachable = (self.pins & allowed) >> i
            if pinned is None or pinned + reachable.bit_count() > self.best_key[0]:
                return True
            if pinned + reachable.bit_count() < self.best_key[0]:
                return False
        needed = self.needed(off, count)
        total, in_clique = 0, [0] * len(self.candidates)
        for j in range(i, len(self.candidates)):
            if allowed >> j & 1:
                more = self.alone[j] - in_clique[self.cliques[j]]
                if more > 0:
                    in_clique[self.cliques[j]] = self.alone[j]
                    total += more
                    if total >= needed:
                        return True
        return total >= needed

    def needed(self, off: int, count: int) -> int:
        """Return what one or more promotions must add to a set for it to be as good as the best."""
        return max(1, self.best_off - off + (count >= len(self.best)))

    def applied(self, i: int, running: list[int], entry: list[int], left: int | None) -> tuple[list[int], int]:
        """Return the amounts after a promotion, and what it took off."""
        each, floors = self.candidates[i], self.cart.floors
        amount = amount_off(each, running, floors, sum([entry[line] for line in each.counted]), left)
        if not amount:
            return running, 0
        return reduced(each, running, parts_of(each, running, floors, amount)), amount

    def less(self, left: int | None, i: int, amount: int) -> int | None:
        """Return what ``most_off`` still allows after a promotion took an amount off."""
        return left if left is None or not self.candidates[i].bounded else left - amount

    def taken(self, chosen: tuple[int, ...]) -> list[Taken]:
        """Return how the deals of a set share the units, worked out once."""
        if chosen not in self.solved:
            open_ones = [self.candidates[i] for i in chosen]
            self.solved[chosen], exact = solve(open_ones, self.cart.items, self.cart.running)
            self.exact = self.exact and exact
        return self.solved[chosen]

    def with_deals(self, chosen: tuple[int, ...]) -> tuple[tuple[int, ...], list[int], int, int | None]:
        """Return the deals of a set that have an effect, the amounts after them, what they take off, and what may still be."""
        running, off, left = list(self.cart.running), 0, self.cart.most
        effective: tuple[int, ...] = ()
        for i, taken in zip(chosen, self.taken(chosen), strict=True):
            each = self.candidates[i]
            parts = deal_parts(each, taken, running, self.cart.floors, left) if self.alone[i] else []
            if amount := sum(parts):
                running, effective = reduced(each, running, parts), (*effective, i)
                off, left = off + amount, self.less(left, i, amount)
        return effective, running, off, left
