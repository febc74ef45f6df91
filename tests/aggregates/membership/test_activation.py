"""When the points of a lot become spendable, and until when: as the wallet has it, by the policy of the grant."""

from __future__ import annotations

import pytest

from aggregates.membership.commands import ActivateLot, OverrideTier
from aggregates.membership.events import LotActivated
from aggregates.programme import Benefits, Earning, SpendRule, Tier, Validity, Wallet
from aggregates.programme.terms import Activates
from tests.aggregates.given import DAY, instant, refusing
from tests.aggregates.membership.lives import NOW, Ledger, bought, only, policies


def test_points_of_a_wallet_that_activates_at_payment_can_be_spent_at_once() -> None:
    ledger = bought()
    assert ledger.state.available(NOW) == 100
    assert only(LotActivated, ledger.events).expires_at == instant("2026-08-10", "UTC"), "the end of 9 August, 60 days later"


def test_points_that_wait_for_an_action_are_not_activated_by_a_delivery() -> None:
    ledger = bought(wallet=Wallet(activates="on_action"))
    assert ledger.deliver("o", NOW + DAY) == []
    ledger.give(ActivateLot("m", "o", NOW + 2 * DAY))
    assert (ledger.state.available(NOW + DAY), ledger.state.available(NOW + 2 * DAY)) == (0, 100)
    assert ledger.give(ActivateLot("m", "o", NOW + 3 * DAY)) == []
    with refusing("lot_unknown"):
        ledger.give(ActivateLot("m", "x", NOW))


def test_a_lot_of_another_mode_is_not_activated_by_hand() -> None:
    with refusing("lot_not_on_action"):
        bought(wallet=Wallet()).give(ActivateLot("m", "o", NOW))


def test_how_a_lot_becomes_spendable_is_said_by_the_policy_of_its_grant_not_by_a_later_one() -> None:
    ledger = bought(wallet=Wallet(activates="on_action"))
    ledger.policies = ledger.policies.with_version(policies(Wallet()).newest, NOW + 1)
    ledger.buy("p", 10_000, NOW + 2)
    ledger.policies = ledger.policies.with_version(policies(Wallet(activates="on_action")).newest, NOW + 3)
    with refusing("lot_not_on_action"):
        ledger.give(ActivateLot("m", "p", NOW + 4))
    ledger.policies = ledger.policies.with_version(policies(Wallet()).newest, NOW + 5)
    ledger.give(ActivateLot("m", "o", NOW + DAY))
    ledger.deliver("p", NOW + DAY)
    assert (ledger.state.available(NOW + DAY), ledger.state.available(NOW + 15 * DAY)) == (100, 200)


def test_points_live_longer_for_whoever_holds_a_tier_that_says_so_be_it_earned_or_laid_on() -> None:
    longer = Tier("club", threshold=10**6, keep=0, benefits=Benefits(extra_validity_days=5))
    wallet = Wallet(activates="on_action", validity=Validity("days", 10))
    ledger = Ledger(policies(wallet, tiers=(longer,)))
    ledger.buy("o", 10_000, NOW)
    ledger.give(OverrideTier("m", "x", "floor", "club", "a friend of the house", "kim", NOW))
    ledger.give(ActivateLot("m", "o", NOW))
    assert only(LotActivated, ledger.events).expires_at == instant("2026-06-26", "UTC")


@pytest.mark.parametrize("activates", ["after_return_window", "on_action"])
def test_points_of_a_wallet_that_is_gone_when_they_become_spendable_live_as_it_had_them_last(activates: Activates) -> None:
    ledger = Ledger(policies(Wallet("miles", activates, Validity("days", 10)), earning=Earning((SpendRule(wallet="miles"),))))
    ledger.buy("o", 10_000, NOW)
    for days, since in ((99, NOW + 2 * DAY), (20, NOW + 1)):  # the first of them is replaced before it holds
        changed = policies(Wallet("miles", activates, Validity("days", days)), earning=Earning((SpendRule(wallet="miles"),)))
        ledger.policies = ledger.policies.with_version(changed.newest, since)
    ledger.policies = ledger.policies.with_version(policies().newest, NOW + DAY)
    later = NOW + 2 * DAY
    activated = ledger.deliver("o", later) if activates != "on_action" else ledger.give(ActivateLot("m", "o", later))
    since = only(LotActivated, activated).active_from
    assert only(LotActivated, activated).expires_at == Validity("days", 20).ends(since, "UTC")
