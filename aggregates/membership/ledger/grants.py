"""The points of orders: granted at payment, activated at delivery, and clawed back by refunds.

Each rule that a purchase meets makes a lot of its own. It is pending until the return window closes, or as the wallet says.
A clawback takes back what the order no longer earns, by the rule, the policy and the tier of its purchase. It is cumulative:
after any refunds, in any order, the points left are exactly those that what is kept earns. They are taken from the order's own
lot, then from others, as the policy of the purchase says. What has lapsed of the own lot unused is not taken twice. The rest is
owed, or written off.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from aggregates.calendar import add_days
from aggregates.membership.earning.formula import Formula, NewPurchase, formulas_for, points_worth
from aggregates.membership.earning.state import Grant, Purchase, Purchases
from aggregates.membership.ledger.events import LotActivated, PointsClawedBack, PointsGranted
from aggregates.membership.ledger.lots import Lot, allocate, spendable_lots, unused_name
from aggregates.membership.ledger.state import Ledger, evolve_ledger
from aggregates.membership.tiers.state import TierProgress
from aggregates.programme import Clawback, Policies, Programme, Wallet


class EarnedPoints(NamedTuple):
    rule: str
    wallet: str
    formula: Formula
    points: int


def points_earned(bought: NewPurchase, terms: Programme) -> list[EarnedPoints]:
    """Return what a purchase earns by each rule that it meets. A purchase that earns nothing is included, for it counts for
    tiers.
    """
    found = [
        EarnedPoints(
            rule.id, rule.wallet, formula, points_worth(formula, bought.net, [line.paid for line in formula.lines], terms.unit)
        )
        for rule, formula in formulas_for(bought, terms)
    ]
    nothing = EarnedPoints("", terms.wallets[0].name, Formula((0, 1)), 0)
    return [one for number, one in enumerate(found or [nothing]) if one.points or not number]


def grant_lots(
    member: str,
    order: str,
    bought: NewPurchase,
    earned: list[EarnedPoints],
    terms: Programme,
    ledger: Ledger,
    qualifying: int,
    ahead: TierProgress | None,
) -> Iterator[PointsGranted | LotActivated]:
    for number, (rule, wallet, formula, points) in enumerate(earned):
        lot = unused_name(ledger.lots, order if not number else f"{order}+{rule}")
        grant = PointsGranted(
            member=member,
            lot=lot,
            order=order,
            points=points,
            net=bought.net,
            tier=bought.tier,
            multiplier=formula.multiplier,
            qualifying=qualifying,
            terms=terms.version,
            at=bought.at,
            wallet=wallet,
            rule=rule,
            lines=formula.lines,
            bonuses=formula.bonuses,
            minimum=formula.minimum,
            cap=formula.cap,
            ahead=None if number else ahead,
        )
        yield grant
        told = terms.wallet(wallet)
        if told is not None and told.activates == "at_payment":
            yield activate_lot(member, lot, wallet, bought.at, bought.at, bought.tier, terms, told)


def activate_lot(
    member: str, lot: str, wallet: str, active_from: int, at: int, tier: str, terms: Programme, told: Wallet | None
) -> LotActivated:
    """Return the activation of a lot. A tier may make its points last longer. ``told`` is the lot's wallet, if it is known."""
    rank = terms.rank(tier)
    extra = terms.tiers[rank - 1].benefits.extra_validity_days if rank else 0
    expires_at = told.validity.ends(active_from, terms.zone, extra) if told else None
    return LotActivated(member=member, lot=lot, active_from=active_from, at=at, expires_at=expires_at, wallet=wallet)


def is_pending(purchase: Purchase, ledger: Ledger) -> bool:
    """Return whether any points of an order wait without a date."""
    return any(ledger.lots[grant.lot].active_from is None for grant in purchase.grants)


def waits_for_action(lot: Lot, purchases: Purchases, policies: Policies) -> bool:
    """Return whether an inactive lot waits for an action, by the policy of its grant and not a later one."""
    if lot.by_action:
        return True  # it would have been spendable at once
    granted = (grant for purchase in purchases.values() for grant in purchase.grants if grant.lot == lot.lot)
    told = [policies.version(grant.terms).wallet(lot.wallet) for grant in granted]
    return any(wallet is not None and wallet.activates == "on_action" for wallet in told)


def activate_delivered(
    member: str, purchase: Purchase, at: int, tier: str, policies: Policies, terms: Programme, ledger: Ledger
) -> Iterator[LotActivated]:
    """Yield the activations of an order's lots when its return window begins, except of lots that wait for something else."""
    active_from = add_days(at, terms.return_days, terms.zone)
    for grant in purchase.grants:
        lot = ledger.lots[grant.lot]
        told = policies.version(grant.terms).wallet(lot.wallet)
        if lot.active_from is None and (told is None or told.activates != "on_action"):
            last = terms.wallet(lot.wallet) or policies.wallet(lot.wallet, at)
            yield activate_lot(member, lot.lot, lot.wallet, active_from, at, tier, terms, last)


def claw_back_all(
    member: str,
    purchase: Purchase,
    reversal: str,
    net: int,
    given_back: Sequence[tuple[int, int]] | None,
    now: int,
    policies: Policies,
    ledger: Ledger,
) -> Iterator[PointsClawedBack]:
    """Yield the clawback of each of the order's grants in turn, so that no point is taken twice."""
    for grant in purchase.grants:
        clawed = claw_back(member, purchase, grant, reversal, net, given_back, now, policies, ledger)
        yield clawed
        ledger = evolve_ledger(ledger, clawed)


def claw_back(
    member: str,
    purchase: Purchase,
    grant: Grant,
    reversal: str,
    net: int,
    given_back: Sequence[tuple[int, int]] | None,
    now: int,
    policies: Policies,
    ledger: Ledger,
) -> PointsClawedBack:
    """Return the clawback of one grant. ``net`` is what the order still counts for, ``given_back`` the money that each of its
    lines gives back now, both in minor units.
    """
    lot = ledger.lots[grant.lot]
    terms = policies.version(grant.terms)
    kept = kept_of_lines(purchase, grant, net, given_back)
    points = max(0, lot.earned - points_worth(grant.formula, net, kept, terms.unit))
    told = terms.wallet(lot.wallet)
    rules = told.clawback if told else Clawback()
    lapsed = min(points, lot.lapsed)
    allocations = allocate(points - lapsed, clawback_sources(lot, rules, now, ledger))
    rest = points - lapsed - sum(part for _, part in allocations)
    owed = debt_allowed(rest, rules, ledger.debts.get(lot.wallet, 0))
    return PointsClawedBack(
        member=member,
        lot=lot.lot,
        reversal=reversal,
        points=points,
        allocations=allocations,
        debt_added=owed,
        net=net,
        qualifying=0,  # what it leaves of the metric is counted once all is taken back
        at=now,
        lapsed=lapsed,
        written_off=rest - owed,
        kept=kept,
        order=purchase.order,
        wallet=lot.wallet,
    )


def kept_of_lines(purchase: Purchase, grant: Grant, net: int, given_back: Sequence[tuple[int, int]] | None) -> tuple[int, ...]:
    """Return what is left of the money of each line that earned; in proportion, if it is unknown which lines went back."""
    if not grant.kept or net <= 0:
        return (0,) * len(grant.kept)
    if given_back is None:
        return tuple([left * net // purchase.net for left in grant.kept])
    back = dict(given_back)
    return tuple([left - back.get(line.number, 0) for line, left in zip(grant.formula.lines, grant.kept, strict=True)])


def clawback_sources(lot: Lot, rules: Clawback, now: int, ledger: Ledger) -> list[Lot]:
    is_active = lot.is_active(now)
    own = [lot] if rules.sources != "own_pending" or not is_active else []
    if rules.sources != "all":
        return own
    return own + [other for other in spendable_lots(ledger.lots, lot.wallet, now) if other.lot != lot.lot]


def debt_allowed(points: int, rules: Clawback, owed: int) -> int:
    if rules.shortfall == "write_off":
        return 0
    return points if rules.debt_cap is None else min(points, max(0, rules.debt_cap - owed))
