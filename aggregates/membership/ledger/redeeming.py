"""Spending points for a discount: of a wallet, by earliest expiry, within what the policy allows."""

from __future__ import annotations

from dataclasses import dataclass

from aggregates.decider import Refusal, require_count, require_id
from aggregates.membership.ledger.allocation import allocate, spendable
from aggregates.membership.ledger.grants import Allocations
from aggregates.membership.ledger.ledger import Ledger
from aggregates.membership.ledger.uses import PointsRedeemed
from aggregates.money import part_of
from aggregates.programme import Programme, Wallet


@dataclass(frozen=True)
class Wish:
    """``points`` of a wallet (the programme's first, if none is named) for an order; ``total``: what all of it costs, minor
    units.
    """

    points: int
    wallet: str | None = None
    order: str | None = None
    total: int | None = None


def redeem(member: str, redemption: str, wish: Wish, now: int, terms: Programme, ledger: Ledger) -> PointsRedeemed:
    wallet = wallet_of(wish.wallet, terms)
    money = discount(wish, wallet, terms, ledger)
    spent = chosen(wish.points, wallet.name, now, ledger)
    return PointsRedeemed(member, redemption, wish.order, wish.points, spent, now, wallet.name, money, terms.version)


def wallet_of(name: str | None, terms: Programme) -> Wallet:
    wallet = terms.wallet(name)
    if wallet is None:
        raise Refusal("wallet_unknown", "The programme has no wallet of that name.")
    return wallet


def chosen(points: int, wallet: str, now: int, ledger: Ledger) -> Allocations:
    """The lots to take so many points from. Refused where fewer can be spent."""
    lots = spendable(ledger, wallet, now)
    available = sum(lot.remaining for lot in lots)
    if points > available:
        raise Refusal("points_short", f"Only {available} points can be spent; {points} were asked for.")
    return allocate(points, lots)


def discount(wish: Wish, wallet: Wallet, terms: Programme, ledger: Ledger) -> int:
    """What the points are worth, in minor units, rounded down; refused where the policy does not allow it."""
    require_count("points", wish.points, least=1)
    if wish.order is not None:
        require_id("order", wish.order)
    if wish.total is not None:
        require_count("total", wish.total)
    rules = wallet.redemption
    if not rules.allowed:
        raise Refusal("redemption_not_allowed", f"{wallet.name.capitalize()} cannot be spent for a discount.")
    if wish.points < rules.minimum:
        raise Refusal("points_below_minimum", f"At least {rules.minimum} points are spent at a time.")
    if wish.points % rules.multiple:
        raise Refusal("points_not_a_multiple", f"Points are spent in multiples of {rules.multiple}.")
    numerator, denominator = rules.value
    money = wish.points * numerator * terms.unit // denominator
    if wish.total is not None:
        left = max(0, wish.total * rules.share[0] - paid_before(wish.order, wallet.name, ledger) * rules.share[1])
        if money * rules.share[1] > left:
            most = left * denominator // (rules.share[1] * numerator * terms.unit)
            raise Refusal("points_over_cap", f"At most {most} points can be spent on this order.")
    return money


def paid_before(order: str | None, wallet: str, ledger: Ledger) -> int:
    """What points of a wallet pay of an order already, spent or held for it and not given back, in minor units."""
    if order is None:
        return 0
    spent = [one for one in ledger.redemptions.values() if one.order == order and one.wallet == wallet]
    held = [one.money for one in ledger.holds.values() if one.order == order and one.wallet == wallet]
    return sum(held) + sum(one.money - part_of(one.money, 0, one.points - one.outstanding, one.points) for one in spent)
