"""What a refund takes back: what the order no longer earns, by the rule, the policy and the tier of its purchase.

It is cumulative: after any refunds, in any order, the points left are exactly those that what is kept earns. They are taken
from the order's own lot, then from others, as the policy of the purchase says; what has lapsed of the own lot unused is not
taken twice; the rest is owed, or written off.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aggregates.membership.earning.formula import worth
from aggregates.membership.earning.purchases import Grant, Purchase
from aggregates.membership.ledger.allocation import allocate, spendable
from aggregates.membership.ledger.folding import evolve
from aggregates.membership.ledger.grants import PointsClawedBack
from aggregates.membership.ledger.ledger import Ledger
from aggregates.membership.ledger.lots import Lot
from aggregates.programme import Clawback, Policies


def claw_back_all(
    member: str,
    purchase: Purchase,
    reversal: str,
    net: int,
    given_back: Sequence[int],
    now: int,
    policies: Policies,
    ledger: Ledger,
) -> Iterator[PointsClawedBack]:
    """Of each of the order's grants, one after the other: a point is taken once."""
    for grant in purchase.grants:
        clawed = claw_back(member, purchase, grant, reversal, net, given_back, now, policies, ledger)
        yield clawed
        ledger = evolve(ledger, clawed)


def claw_back(
    member: str,
    purchase: Purchase,
    grant: Grant,
    reversal: str,
    net: int,
    given_back: Sequence[int],
    now: int,
    policies: Policies,
    ledger: Ledger,
) -> PointsClawedBack:
    """``net``: what the order still counts for; ``given_back``: the money of each of its lines that goes back now."""
    lot = ledger.lots[grant.lot]
    terms = policies.version(grant.terms)
    kept = still_kept(purchase, grant, net, given_back)
    points = max(0, lot.earned - worth(grant.formula, net, kept, terms.unit))
    told = terms.wallet(lot.wallet)
    rules = told.clawback if told else Clawback()
    lapsed = min(points, lot.lapsed)
    allocations = allocate(points - lapsed, sources(lot, rules, now, ledger))
    rest = points - lapsed - sum(part for _, part in allocations)
    owed = owable(rest, rules, ledger.debts.get(lot.wallet, 0))
    return PointsClawedBack(
        member,
        lot.lot,
        reversal,
        points,
        allocations,
        owed,
        net,
        0,  # what it leaves of the metric is counted once all is taken back
        now,
        lapsed,
        rest - owed,
        kept,
        purchase.order,
        lot.wallet,
    )


def still_kept(purchase: Purchase, grant: Grant, net: int, given_back: Sequence[int]) -> tuple[int, ...]:
    """What is left of the money of each line that earned; in proportion, where nobody says which lines went back."""
    if not grant.kept or net <= 0:
        return (0,) * len(grant.kept)
    if not given_back:
        return tuple([left * net // purchase.net for left in grant.kept])
    numbers = [line.number for line in grant.formula.lines]
    return tuple([left - given_back[number - 1] for number, left in zip(numbers, grant.kept, strict=True)])


def sources(lot: Lot, rules: Clawback, now: int, ledger: Ledger) -> list[Lot]:
    is_active = lot.is_active(now)
    own = [lot] if rules.sources != "own_pending" or not is_active else []
    if rules.sources != "all":
        return own
    return own + [other for other in spendable(ledger, lot.wallet, now) if other.lot != lot.lot]


def owable(points: int, rules: Clawback, owed: int) -> int:
    if rules.shortfall == "write_off":
        return 0
    return points if rules.debt_cap is None else min(points, max(0, rules.debt_cap - owed))
