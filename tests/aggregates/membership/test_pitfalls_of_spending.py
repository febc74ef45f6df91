"""What other systems got wrong with spending points and setting them apart, by where it was told; here it does not happen."""

from __future__ import annotations

from typing import Any

import pytest

from aggregates.membership.commands import ClaimReward, HoldPoints, RedeemPoints, ReleaseHold, ReturnPoints
from aggregates.membership.events import LotExpired, PointsClawedBack, PointsRedeemed, RewardClaimed
from aggregates.programme import Programme, Reward, Validity, Wallet
from tests.aggregates.given import DAY, instant, refusing
from tests.aggregates.membership.lives import Ledger, only, policies

NOW = instant("2026-06-10T12:00", "UTC")
AT_ONCE = Wallet(activates="at_payment")


def rich(points: int = 100, wallet: Wallet = AT_ONCE, **terms: Any) -> Ledger:
    ledger = Ledger(policies(wallet, **terms))
    ledger.buy("o", points * 100, NOW)
    return ledger


@pytest.mark.parametrize("released", [True, False], ids=["released", "forgotten"])
def test_points_set_apart_for_a_payment_that_fails_come_back(released: bool) -> None:
    """https://github.com/woocommerce/woocommerce/issues/27673, https://github.com/Adyen/adyen-magento2/issues/1089,
    https://github.com/thelia/thelia/issues/2195"""
    ledger = rich()
    ledger.give(HoldPoints("m", "h", 80, NOW))
    if released:
        ledger.give(ReleaseHold("m", "h", NOW + 1))
    assert ledger.state.available(NOW + DAY) == 100


def test_points_set_apart_for_a_payment_cannot_be_spent_twice_before_it_is_known() -> None:
    """Why not count only when paid: https://github.com/awesomemotive/easy-digital-downloads/issues/3859"""
    ledger = rich()
    ledger.give(HoldPoints("m", "h", 80, NOW))
    for command in (HoldPoints("m", "i", 21, NOW), RedeemPoints("m", "u", 21, NOW)):
        with refusing("points_short"):
            ledger.give(command)


# Open Loyalty framework, as read in its source


def test_a_reward_and_its_payment_are_one_decision() -> None:
    """There the reward is stored first, and a listener that spends the points may throw."""
    ledger = rich(points=5, rewards=(Reward("mug", "product", "mug", 10),))
    with refusing("points_short"):
        ledger.give(ClaimReward("m", "c", "mug", NOW))
    assert not [event for event in ledger.events if isinstance(event, RewardClaimed)]
    ledger = rich(points=10, rewards=(Reward("mug", "product", "mug", 10),))
    assert [type(event) for event in ledger.give(ClaimReward("m", "c", "mug", NOW))] == [RewardClaimed, PointsRedeemed]


def test_a_balance_is_checked_for_an_order_as_well_and_a_shortfall_is_owed() -> None:
    """There the check is skipped when a transaction is named, and a shortfall vanishes."""
    ledger = rich()
    with refusing("points_short"):
        ledger.give(RedeemPoints("m", "u", 101, NOW, order="p"))
    ledger.give(RedeemPoints("m", "u", 100, NOW, order="p"))
    ledger.refund("o", "r", 0, NOW, complete=True)
    assert ledger.state.debt(NOW) == 100


def test_a_new_policy_rewrites_no_history_and_an_expiry_tells_its_points() -> None:
    """There lots are chosen by creation while events are applied, and an expiry has no amount and needs a job."""
    ledger = rich(wallet=Wallet(activates="at_payment", validity=Validity("days", 10)))
    before, events = ledger.state, list(ledger.events)
    later = ledger.policies.with_version(Programme(wallets=(Wallet(activates="on_action"),), tiers=()), NOW + DAY)
    assert Ledger(later, events).state == before
    assert before.available(NOW + 12 * DAY) == 0
    ledger.policies = later
    ledger.buy("p", 100, NOW + 12 * DAY)
    assert only(LotExpired, ledger.events).points == 100


def test_a_spend_can_be_cancelled_and_its_reversal_is_not_taken_for_its_redemption() -> None:
    """There it cannot, and a revised transaction's id is read into the transaction's."""
    ledger = rich()
    ledger.give(RedeemPoints("m", "u", 60, NOW, order="p"))
    (returned,) = ledger.give(ReturnPoints("m", "u", "b", NOW))
    assert (returned.redemption, returned.reversal) == ("u", "b")  # type: ignore[union-attr]
    assert ledger.state.available(NOW) == 100


def test_the_last_of_many_refunds_takes_no_more_than_is_left() -> None:
    """There revoking stops only after the sum is exceeded."""
    ledger = rich()
    for number, net in enumerate((7_000, 100, 50, 0, 0)):
        ledger.refund("o", f"r{number}", net, NOW, complete=not net)
    clawed = [event.points for event in ledger.events if isinstance(event, PointsClawedBack)]
    assert (clawed[:4], sum(clawed)) == ([30, 69, 1, 0], 100)
