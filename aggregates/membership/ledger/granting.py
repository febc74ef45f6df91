"""Points for a purchase: a lot for each rule that it meets, pending until its return window closes, or as the wallet has it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from aggregates.calendar import add_days
from aggregates.membership.earning.formula import Formula, worth
from aggregates.membership.earning.purchases import Purchase, Purchases
from aggregates.membership.earning.spending import Purse, formulas
from aggregates.membership.ledger.allocation import unused
from aggregates.membership.ledger.grants import LotActivated, PointsGranted
from aggregates.membership.ledger.ledger import Ledger
from aggregates.membership.ledger.lots import Lot
from aggregates.membership.tiers.progress import Ahead
from aggregates.programme import Policies, Programme, Wallet


class Earned(NamedTuple):
    rule: str
    wallet: str
    formula: Formula
    points: int


def earned(bought: Purse, terms: Programme) -> list[Earned]:
    """What a purchase earns by each rule that it meets. One that earns nothing is told as well, for it counts towards tiers."""
    found = [
        Earned(rule.id, rule.wallet, formula, worth(formula, bought.net, [line.paid for line in formula.lines], terms.unit))
        for rule, formula in formulas(bought, terms)
    ]
    nothing = Earned("", terms.wallets[0].name, Formula((0, 1)), 0)
    return [one for number, one in enumerate(found or [nothing]) if one.points or not number]


def granted(
    member: str,
    order: str,
    bought: Purse,
    earned: list[Earned],
    terms: Programme,
    ledger: Ledger,
    qualifying: int,
    ahead: Ahead | None,
) -> Iterator[PointsGranted | LotActivated]:
    for number, (rule, wallet, formula, points) in enumerate(earned):
        lot = unused(ledger.lots, order if not number else f"{order}+{rule}")
        grant = PointsGranted(
            member,
            lot,
            order,
            points,
            bought.net,
            bought.tier,
            formula.multiplier,
            qualifying,
            terms.version,
            bought.at,
            wallet,
            rule,
            formula.lines,
            formula.bonuses,
            formula.minimum,
            formula.cap,
            ahead=None if number else ahead,
        )
        yield grant
        told = terms.wallet(wallet)
        if told is not None and told.activates == "at_payment":
            yield activated(member, lot, wallet, bought.at, bought.at, bought.tier, terms, told)


def activated(
    member: str, lot: str, wallet: str, active_from: int, at: int, tier: str, terms: Programme, told: Wallet | None
) -> LotActivated:
    """Its time runs from here on, longer for whoever holds a tier that says so. ``told``: what is said of the wallet."""
    rank = terms.rank(tier)
    extra = terms.tiers[rank - 1].benefits.extra_validity_days if rank else 0
    expires_at = told.validity.ends(active_from, terms.zone, extra) if told else None
    return LotActivated(member, lot, active_from, at, expires_at, wallet)


def is_pending(purchase: Purchase, ledger: Ledger) -> bool:
    """Whether any points of an order wait, with no date yet."""
    return any(ledger.lots[grant.lot].active_from is None for grant in purchase.grants)


def waits_for_action(lot: Lot, purchases: Purchases, policies: Policies) -> bool:
    """Whether a lot that is not spendable becomes so by an action: as the policy of its grant has it, not a later one."""
    if lot.by_action:
        return True  # it would have been spendable at once
    granted = (grant for purchase in purchases.values() for grant in purchase.grants if grant.lot == lot.lot)
    told = [policies.version(grant.terms).wallet(lot.wallet) for grant in granted]
    return any(wallet is not None and wallet.activates == "on_action" for wallet in told)


def delivered(
    member: str, purchase: Purchase, at: int, tier: str, policies: Policies, terms: Programme, ledger: Ledger
) -> Iterator[LotActivated]:
    """The lots of an order whose return window begins, but for those that wait for something else."""
    active_from = add_days(at, terms.return_days, terms.zone)
    for grant in purchase.grants:
        lot = ledger.lots[grant.lot]
        told = policies.version(grant.terms).wallet(lot.wallet)
        if lot.active_from is None and (told is None or told.activates != "on_action"):
            last = terms.wallet(lot.wallet) or policies.wallet(lot.wallet, at)
            yield activated(member, lot.lot, lot.wallet, active_from, at, tier, terms, last)
