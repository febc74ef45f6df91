"""Points for a purchase: a lot for each rule that it meets, pending until its return window closes, or as the wallet has it."""

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
    """What a purchase earns by each rule that it meets. One that earns nothing is told as well, for it counts towards tiers."""
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
            yield activate_lot(member, lot, wallet, bought.at, bought.at, bought.tier, terms, told)


def activate_lot(
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


def activate_delivered(
    member: str, purchase: Purchase, at: int, tier: str, policies: Policies, terms: Programme, ledger: Ledger
) -> Iterator[LotActivated]:
    """The lots of an order whose return window begins, but for those that wait for something else."""
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
    given_back: Sequence[int],
    now: int,
    policies: Policies,
    ledger: Ledger,
) -> Iterator[PointsClawedBack]:
    """Of each of the order's grants, one after the other: a point is taken once."""
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
    given_back: Sequence[int],
    now: int,
    policies: Policies,
    ledger: Ledger,
) -> PointsClawedBack:
    """``net``: what the order still counts for; ``given_back``: the money of each of its lines that goes back now."""
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


def kept_of_lines(purchase: Purchase, grant: Grant, net: int, given_back: Sequence[int]) -> tuple[int, ...]:
    """What is left of the money of each line that earned; in proportion, where nobody says which lines went back."""
    if not grant.kept or net <= 0:
        return (0,) * len(grant.kept)
    if not given_back:
        return tuple([left * net // purchase.net for left in grant.kept])
    numbers = [line.number for line in grant.formula.lines]
    return tuple([left - given_back[number - 1] for number, left in zip(numbers, grant.kept, strict=True)])


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
