"""Spent points that come back: to the lots they were taken from, never with more life than those, but for a short grace."""

from __future__ import annotations

from collections.abc import Iterable

from aggregates.calendar import add_days, end_of_day
from aggregates.decider import Refusal
from aggregates.membership.ledger.allocation import take, unused
from aggregates.membership.ledger.ledger import Ledger, Spent
from aggregates.membership.ledger.lots import Lots
from aggregates.membership.ledger.uses import IssuedLot, PointsReturned
from aggregates.money import part_of
from aggregates.programme import Programme, Wallet


def give_back(
    member: str, redemption: str, reversal: str, points: int | None, now: int, terms: Programme, ledger: Ledger
) -> PointsReturned:
    """``points``: how many of a redemption, all that are left if None; in reverse order of their use."""
    spent = ledger.redemptions[redemption]
    outstanding = spent.outstanding
    points = outstanding if points is None else points
    if points > outstanding:
        raise Refusal("nothing_left", f"Only {outstanding} points of this redemption can still come back.")
    back = take(points, reversed(spent.left))
    restored = tuple(part for part in back if not ledger.lots[part[0]].is_over(now))
    over = [part for part in back if ledger.lots[part[0]].is_over(now)]
    ends = grace_end(now, (terms.wallet(spent.wallet) or Wallet()).reissue_days, terms)
    money = part_of(spent.money, spent.points - outstanding, points, spent.points)
    reissued = issue(over, reversal, ends, ledger.lots)
    return PointsReturned(member, redemption, reversal, spent.wallet, points, restored, reissued, money, now)


def due_back(spent: Spent, bought: int, net: int) -> int:
    """How many points of a redemption are to come back once an order of ``bought`` still counts for ``net``."""
    target = spent.points if net <= 0 else spent.points - -(-spent.points * net // bought)
    return max(0, target - (spent.points - spent.outstanding))


def grace_end(now: int, days: int, terms: Programme) -> int:
    return end_of_day(add_days(now, days, terms.zone), terms.zone)


def issue(parts: Iterable[tuple[str, int]], name: str, ends: int | None, lots: Lots) -> tuple[IssuedLot, ...]:
    """New lots in place of parts of others, named after them and what brings them back."""
    return tuple(IssuedLot(unused(lots, f"{lot}+{name}"), lot, points, ends) for lot, points in parts)
