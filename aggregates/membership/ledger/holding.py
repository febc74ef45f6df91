"""Points held for an order until it is settled: they are nobody else's meanwhile, and do not lapse."""

from __future__ import annotations

from aggregates.decider import Refusal
from aggregates.membership.ledger.ledger import Hold, Ledger
from aggregates.membership.ledger.redeeming import Wish, chosen, discount, wallet_of
from aggregates.membership.ledger.returning import grace_end, issue
from aggregates.membership.ledger.uses import HoldCaptured, HoldReleased, PointsHeld, PointsRedeemed
from aggregates.programme import Programme, Wallet

MINUTE = 60_000


def hold(member: str, name: str, wish: Wish, now: int, terms: Programme, ledger: Ledger) -> PointsHeld:
    wallet = wallet_of(wish.wallet, terms)
    money = discount(wish, wallet, terms, ledger)
    allocations = chosen(wish.points, wallet.name, now, ledger)
    until = now + wallet.hold_minutes * MINUTE
    return PointsHeld(member, name, wallet.name, wish.order, wish.points, allocations, until, money, terms.version, now)


def held(name: str, ledger: Ledger) -> Hold:
    found = ledger.holds.get(name)
    if found is None:
        raise Refusal("hold_over", "There is no such hold, or it is over: hold the points anew.")
    return found


def capture(member: str, name: str, now: int, ledger: Ledger) -> tuple[HoldCaptured, PointsRedeemed]:
    """What was held is spent, by a redemption of the hold's name, for what it was worth when it was held."""
    kept = held(name, ledger)
    points = sum(part for _, part in kept.allocations)
    captured = HoldCaptured(member, name, kept.wallet, kept.allocations, now)
    return captured, PointsRedeemed(
        member, name, kept.order, points, kept.allocations, now, kept.wallet, kept.money, kept.terms
    )


def release(member: str, name: str, by_shop: bool, now: int, terms: Programme, ledger: Ledger) -> HoldReleased:
    """Where the shop gave up the order, what has lapsed meanwhile, or is about to, lives on for the days of grace."""
    kept = held(name, ledger)
    ends = grace_end(now, (terms.wallet(kept.wallet) or Wallet()).hold_grace_days, terms)
    lots = ledger.lots
    soon = [part for part in kept.allocations if lots[part[0]].is_over(ends)] if by_shop else []
    over = tuple(part for part in kept.allocations if part not in soon and lots[part[0]].is_over(now))
    back = tuple(part for part in kept.allocations if part not in soon and part not in over)
    return HoldReleased(
        member, name, kept.wallet, back, over, issue(soon, name, ends, lots), "shop" if by_shop else "released", now
    )
