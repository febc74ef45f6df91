"""What open points are worth, and what of the sales they came with is not earned yet."""

from __future__ import annotations

from aggregates.membership.commands import AdjustPoints, RedeemPoints
from aggregates.membership.ledger.books import Liability
from aggregates.programme import Earning, Programme, SpendRule, Validity, Wallet
from aggregates.value import replace
from tests.aggregates.given import DAY, instant
from tests.aggregates.membership.lives import Ledger, policies

NOW = instant("2026-11-25T12:00", "UTC")
TERMS = Programme()


def bought(wallet: Wallet | None = None) -> Ledger:
    """200.00 for 200 points, each worth 0.01."""
    ledger = Ledger(policies(wallet or Wallet(activates="at_payment")))
    ledger.buy("o", 20_000, NOW)
    return ledger


def of(ledger: Ledger, now: int = NOW) -> Liability:
    found, state = Liability(), ledger.state
    found.add(state.points, "points", now, "UTC")
    found.add_orders(state.earning.purchases.values(), state.points, "points", now)
    return found


def test_a_sale_is_deferred_by_the_points_share_of_it_and_them() -> None:
    found = of(bought())
    assert (found.worth("points", TERMS), found.deferral("points", TERMS)) == (200, 198)


def test_a_sale_that_earned_by_two_rules_is_counted_once() -> None:
    ledger = Ledger(policies(earning=Earning(spend=(SpendRule(), SpendRule(id="more")))))
    ledger.buy("o", 20_000, NOW)
    found = of(ledger)
    assert (found.bought, int(found.sold)) == (400, 20_000)


def test_what_was_spent_is_earned() -> None:
    ledger = bought()
    ledger.give(RedeemPoints("m", "r", 100, NOW))
    assert of(ledger).deferral("points", TERMS) == 99
    ledger.give(RedeemPoints("m", "s", 100, NOW))
    assert of(ledger).deferral("points", TERMS) == 0


def test_what_was_returned_is_no_sale() -> None:
    ledger = bought()
    ledger.refund("o", "half", 10_000, NOW + DAY)
    assert of(ledger).deferral("points", TERMS) == 99


def test_points_that_came_with_no_sale_defer_none() -> None:
    ledger = bought()
    ledger.give(AdjustPoints("m", "a", 500, "sorry", "kim", NOW))
    assert (of(ledger).worth("points", TERMS), of(ledger).deferral("points", TERMS)) == (700, 198)


def test_what_lapses_is_expected_of_the_rest() -> None:
    ledger = bought(Wallet(activates="at_payment", validity=Validity("days", 30)))
    ledger.give(RedeemPoints("m", "r", 150, NOW))
    later = NOW + 60 * DAY
    ledger.buy("p", 20_000, later)
    found = of(ledger, later)
    assert found.breakage * 4 == 1
    assert found.deferral("points", TERMS) == 149, "150 of 20,150"


def test_points_that_never_lapse_are_worth_all_they_are_whatever_others_did() -> None:
    ledger = bought(Wallet(activates="at_payment", validity=Validity("days", 30)))
    ledger.policies = ledger.policies.with_version(policies(Wallet()).newest, NOW + 1)
    later = NOW + 60 * DAY
    ledger.give(AdjustPoints("m", "a", 300, "sorry", "kim", later))
    ledger.buy("p", 10_000, later)
    found = of(ledger, later)
    assert (int(found.breakage), found.active, found.pending) == (1, 300, 100)
    assert found.worth("points", TERMS) == 400
    ends = replace(TERMS, wallets=(Wallet(validity=Validity("days", 30)),))
    assert found.worth("points", ends) == 300, "those that wait will lapse like the others"


def test_points_of_a_wallet_that_is_gone_defer_nothing() -> None:
    assert of(bought()).deferral("stars", TERMS) == 0
