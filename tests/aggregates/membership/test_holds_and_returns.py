"""Points held for an order, spent on it, and given back: to whom, and for how long."""

from __future__ import annotations

from aggregates.membership.commands import (
    CaptureHold,
    ClaimReward,
    HoldPoints,
    RecordDue,
    RedeemPoints,
    ReinstatePoints,
    ReleaseHold,
    ReturnPoints,
)
from aggregates.membership.events import HoldReleased, LotExpired, PointsClawedBack, PointsRedeemed, PointsReturned
from aggregates.programme import Clawback, RedemptionTerms, Reward
from aggregates.value import replace
from tests.aggregates.given import DAY, instant, refusing
from tests.aggregates.membership.lives import AT_ONCE, NOW, Ledger, bought, only, policies


def test_held_points_are_nobody_elses_and_do_not_lapse() -> None:
    ledger = bought()
    ledger.give(HoldPoints("m", "h", 60, NOW + 60 * DAY, order="p"))
    lapsed = NOW + 61 * DAY
    assert ledger.state.held(NOW + 60 * DAY) == 60
    ledger = bought(wallet=replace(AT_ONCE, hold_minutes=5 * 24 * 60))
    ledger.give(HoldPoints("m", "h", 60, NOW + 60 * DAY, order="p"))
    assert (ledger.state.available(lapsed), ledger.state.held(lapsed)) == (0, 60)
    assert only(PointsRedeemed, ledger.give(CaptureHold("m", "h", lapsed))).points == 60
    assert only(LotExpired, ledger.events).points == 40


def test_no_other_use_takes_the_name_of_a_hold_which_is_its_redemptions() -> None:
    for settles in (None, ReleaseHold("m", "h", NOW), CaptureHold("m", "h", NOW)):
        ledger = bought()
        ledger.give(HoldPoints("m", "h", 60, NOW))
        if settles:
            ledger.give(settles)
        for command in (RedeemPoints("m", "h", 10, NOW), ClaimReward("m", "h", "mug", NOW)):
            with refusing("redemption_exists"):
                ledger.give(command)


def test_releasing_a_hold_that_has_ended_by_itself_changes_nothing_whether_or_not_its_end_was_recorded() -> None:
    for recorded in (True, False):
        ledger, later = bought(), NOW + DAY
        ledger.give(HoldPoints("m", "h", 60, NOW))
        if recorded:
            ledger.give(RecordDue("m", later))
        ledger.give(ReleaseHold("m", "h", later, by_shop=True))
        assert only(HoldReleased, ledger.events).reason == "expired"
        with refusing("hold_over"):
            ledger.give(CaptureHold("m", "h", later))


def test_who_asks_for_a_reward_by_the_name_of_a_redemption_is_not_told_that_they_have_it_nor_the_other_way_round() -> None:
    ledger = Ledger(policies(AT_ONCE, rewards=(Reward("mug", "product", "mug-01", 10),)))
    ledger.buy("o", 10_000, NOW)
    ledger.give(RedeemPoints("m", "r", 10, NOW))
    ledger.give(ClaimReward("m", "c", "mug", NOW))
    with refusing("redemption_exists"):
        ledger.give(ClaimReward("m", "r", "mug", NOW))
    ledger.give(ReturnPoints("m", "c", "back", NOW))
    with refusing("redemption_exists"):
        ledger.give(RedeemPoints("m", "c", 50, NOW))
    with refusing("hold_over"):
        ledger.give(CaptureHold("m", "r", NOW))
    assert ledger.give(ClaimReward("m", "c", "mug", NOW)) == ledger.give(RedeemPoints("m", "r", 10, NOW)) == []


def test_an_order_that_is_paid_spends_what_was_held_for_it_even_if_nothing_is_left_to_pay() -> None:
    ledger = bought()
    ledger.give(HoldPoints("m", "h", 60, NOW, order="p"))
    (_, redeemed) = ledger.buy("p", 0, NOW + 1000)
    assert isinstance(redeemed, PointsRedeemed)
    assert (redeemed.redemption, redeemed.order, redeemed.money) == ("h", "p", 60)


def test_what_was_held_is_worth_what_the_order_was_told_whatever_a_later_policy_says() -> None:
    ledger = bought()
    ledger.give(HoldPoints("m", "h", 60, NOW, order="p"))
    dearer = policies(replace(AT_ONCE, redemption=RedemptionTerms(value=(1, 50)))).newest
    ledger.policies = ledger.policies.with_version(dearer, NOW + 1)
    redeemed = only(PointsRedeemed, ledger.buy("p", 1_000, NOW + 1000))
    assert (redeemed.money, redeemed.terms) == (60, 1)


def test_what_an_order_gives_back_is_there_for_what_it_takes_back_before_anything_is_written_off() -> None:
    ledger = bought(wallet=replace(AT_ONCE, clawback=Clawback(sources="all", shortfall="write_off")))
    ledger.give(RedeemPoints("m", "r", 100, NOW, order="p"))
    ledger.buy("p", 5_000, NOW + 1)
    ledger.give(RedeemPoints("m", "elsewhere", 50, NOW + 2))
    ledger.refund("p", "all", 0, NOW + 3, complete=True)
    clawed = only(PointsClawedBack, ledger.events)
    assert (clawed.points, clawed.allocations, clawed.debt_added) == (50, (("o", 50),), 0)
    assert ledger.state.available(NOW + 3) == 50


def test_an_order_that_is_cancelled_gives_back_what_was_held_or_spent_for_it() -> None:
    ledger = bought()
    ledger.give(HoldPoints("m", "h", 60, NOW, order="p"))
    ledger.give(RedeemPoints("m", "r", 40, NOW, order="p"))
    cancelled = ledger.refund("p", "cancelled", 0, NOW + 1000, complete=True)
    assert {type(event) for event in cancelled} == {HoldReleased, PointsReturned}
    assert ledger.state.available(NOW + 1000) == 100
    assert ledger.refund("p", "cancelled", 0, NOW + 2000, complete=True) == []


def test_of_an_order_half_refunded_half_of_the_points_spent_on_it_come_back() -> None:
    ledger = bought()
    ledger.give(RedeemPoints("m", "r", 51, NOW, order="p"))
    ledger.buy("p", 10_000, NOW)
    ledger.refund("p", "first", 5_000, NOW + DAY)
    ledger.refund("p", "second", 0, NOW + 2 * DAY, complete=True)
    assert [event.points for event in ledger.events if isinstance(event, PointsReturned)] == [25, 26]


def test_two_uses_of_one_lapsed_lot_for_one_order_both_come_back() -> None:
    ledger = bought()
    for name, points in (("r", 40), ("s", 30)):
        ledger.give(RedeemPoints("m", name, points, NOW, order="p"))
    lapsed = NOW + 90 * DAY
    ledger.refund("p", "cancelled", 0, lapsed, complete=True)
    assert ledger.state.available(lapsed) == 70


def test_where_the_shop_gives_up_the_order_no_point_is_lost_by_the_wait() -> None:
    for by_shop, left in ((False, 0), (True, 60)):
        ledger = bought(wallet=replace(AT_ONCE, hold_minutes=5 * 24 * 60))
        ledger.give(HoldPoints("m", "h", 60, NOW + 60 * DAY))
        ledger.give(ReleaseHold("m", "h", NOW + 62 * DAY, by_shop))
        assert ledger.state.available(NOW + 62 * DAY) == left
        assert ledger.state.available(NOW + 93 * DAY) == 0, "thirty days of grace, not more"


def test_expired_points_come_back_within_the_days_of_the_policy() -> None:
    for days, allowed in ((7, True), (8, False)):
        ledger = bought(wallet=replace(AT_ONCE, reinstate_days=7))
        command = ReinstatePoints("m", "b", "o", "was ill", "kim", instant("2026-08-09T23:59", "UTC") + days * DAY)
        if allowed:
            ledger.give(command)
            assert ledger.state.available(command.at) == 100
            assert ledger.give(command) == []
        else:
            with refusing("reinstatement_too_late"):
                ledger.give(command)
