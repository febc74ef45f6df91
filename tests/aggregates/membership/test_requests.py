"""What members and the shop's people ask of their points, and what the policy lets them."""

from __future__ import annotations

import pytest

from aggregates.decider import Context
from aggregates.membership.commands import (
    AdjustPoints,
    CaptureHold,
    Command,
    HoldPoints,
    RedeemPoints,
    ReinstatePoints,
    ReleaseHold,
    ReturnPoints,
    TransferPoints,
)
from aggregates.membership.events import (
    HoldReleased,
    PointsAdjusted,
    PointsClawedBack,
    PointsGranted,
    PointsRedeemed,
    PointsTransferred,
)
from aggregates.programme import Clawback, Earning, InForce, Policies, Programme, RedemptionTerms, SpendRule, Transfers
from aggregates.reactions import react
from aggregates.value import replace
from tests.aggregates.given import DAY, instant, refusing
from tests.aggregates.membership.lives import AT_ONCE, NOW, Ledger, bought, only, policies

CAREFUL = replace(AT_ONCE, redemption=RedemptionTerms(value=(1, 50), minimum=20, multiple=10, share=(1, 2)))


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (RedeemPoints("m", "r", 10, NOW), "points_below_minimum"),
        (RedeemPoints("m", "r", 25, NOW), "points_not_a_multiple"),
        (RedeemPoints("m", "r", 60, NOW, total=239), "points_over_cap"),
        (RedeemPoints("m", "r", 110, NOW), "points_short"),
        (RedeemPoints("m", "r", 20, NOW, wallet="miles"), "wallet_unknown"),
        (RedeemPoints("m", "r", 10**30, NOW), "command_invalid"),
        (RedeemPoints("m", "r", "20", NOW), "command_invalid"),  # type: ignore[arg-type]
        (RedeemPoints("m", "r", 20, NOW, order=""), "order_id_invalid"),
        (RedeemPoints("m", "r", 20, NOW, total=-1), "total_invalid"),
        (HoldPoints("m", "h", 25, NOW), "points_not_a_multiple"),
        (HoldPoints("m", "", 20, NOW), "hold_id_invalid"),
        (CaptureHold("m", "h", NOW), "hold_over"),
        (ReleaseHold("m", "h", NOW), "hold_over"),
        (ReturnPoints("m", "r", "b", NOW), "redemption_unknown"),
        (AdjustPoints("m", "a", 0, "why", "kim", NOW), "points_invalid"),
        (AdjustPoints("m", "a", 5, " ", "kim", NOW), "reason_missing"),
        (AdjustPoints("m", "a", 5, "why", "", NOW), "actor_id_invalid"),
        (AdjustPoints("m", "a", -101, "why", "kim", NOW), "points_short"),
        (ReinstatePoints("m", "b", "o", "why", "kim", NOW), "nothing_lapsed"),
        (TransferPoints("m", "n", "t", 5, NOW), "transfer_not_allowed"),
        (TransferPoints("m", "m", "t", 5, NOW), "transfer_to_oneself"),
    ],
)
def test_what_may_not_be_is_refused_and_changes_nothing(command: Command, code: str) -> None:
    ledger = bought(wallet=CAREFUL)
    before = ledger.state
    with refusing(code):
        ledger.give(command)
    assert ledger.state == before


def test_points_are_worth_what_the_policy_says_up_to_its_share_of_the_order() -> None:
    ledger = bought(wallet=CAREFUL)
    redeemed = only(PointsRedeemed, ledger.give(RedeemPoints("m", "r", 60, NOW, total=240)))
    assert (redeemed.money, redeemed.terms, redeemed.wallet) == (120, 1, "points")


def test_the_share_of_an_order_is_that_of_all_points_spent_or_held_for_it() -> None:
    ledger = bought(wallet=CAREFUL)
    ledger.give(RedeemPoints("m", "r", 30, NOW, order="p", total=240))
    ledger.give(HoldPoints("m", "h", 20, NOW, order="p", total=240))
    with refusing("points_over_cap", "At most 10 points"):
        ledger.give(RedeemPoints("m", "s", 20, NOW, order="p", total=240))
    ledger.give(RedeemPoints("m", "t", 20, NOW, order="q", total=240))
    ledger.give(ReturnPoints("m", "r", "back", NOW, 10))
    ledger.give(RedeemPoints("m", "s", 20, NOW, order="p", total=240))


def test_what_lapsed_unused_is_not_taken_back_once_more() -> None:
    ledger = bought()
    ledger.give(RedeemPoints("m", "r", 60, NOW))
    clawed = only(PointsClawedBack, ledger.refund("o", "all", 0, NOW + 90 * DAY))
    assert (clawed.points, clawed.lapsed, clawed.debt_added) == (100, 40, 60)


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        (Clawback(), ((("a", 40), ("b", 50)), 10, 0)),
        (Clawback(sources="own", shortfall="write_off"), ((("a", 40),), 0, 60)),
        (Clawback(sources="own_pending", shortfall="write_off"), ((), 0, 100)),
        (Clawback(debt_cap=4), ((("a", 40), ("b", 50)), 4, 6)),
    ],
)
def test_a_refund_takes_from_where_the_policy_of_the_purchase_says(
    rules: Clawback, told: tuple[tuple[tuple[str, int], ...], int, int]
) -> None:
    ledger = Ledger(policies(replace(AT_ONCE, clawback=rules)))
    ledger.buy("a", 10_000, NOW)
    ledger.give(RedeemPoints("m", "r", 60, NOW))
    ledger.buy("b", 5_000, NOW)
    ledger.policies = ledger.policies.with_version(policies().newest, NOW + 1)
    clawed = only(PointsClawedBack, ledger.refund("a", "all", 0, NOW + DAY))
    assert (clawed.allocations, clawed.debt_added, clawed.written_off) == told


def test_a_debt_is_paid_at_once_from_whatever_can_be_spent() -> None:
    ledger = Ledger(policies(replace(AT_ONCE, clawback=Clawback(sources="own"))))
    ledger.buy("a", 10_000, NOW)
    ledger.give(RedeemPoints("m", "r", 100, NOW))
    ledger.buy("b", 5_000, NOW)
    ledger.refund("a", "all", 0, NOW)
    assert (ledger.state.available(NOW), ledger.state.debt(NOW)) == (0, 50)
    ledger.give(AdjustPoints("m", "x", 60, "goodwill", "kim", NOW))
    assert (ledger.state.available(NOW), ledger.state.debt(NOW)) == (10, 0)


def test_an_adjustment_says_who_and_why_and_the_same_again_changes_nothing() -> None:
    ledger = bought()
    command = AdjustPoints("m", "a", -30, "granted twice", "kim", NOW)
    adjusted = only(PointsAdjusted, ledger.give(command))
    assert (adjusted.reason, adjusted.actor, adjusted.allocations) == ("granted twice", "kim", (("o", 30),))
    assert ledger.give(command) == []


SHARED = replace(AT_ONCE, transfers=Transfers(allowed=True, minimum=10, daily_cap=50, cool_down_days=3))


def test_a_transfer_moves_points_with_their_expiry_and_waits_before_the_next() -> None:
    sender, receiver = bought(wallet=SHARED), Ledger(policies(SHARED))
    sent = only(PointsTransferred, sender.give(TransferPoints("m", "n", "t", 40, NOW)))
    (received,) = react(sent, Context(sender.policies))
    receiver.give(received)  # type: ignore[arg-type]
    assert (sender.state.available(NOW), receiver.state.available(NOW)) == (60, 40)
    assert receiver.state.available(instant("2026-08-10", "UTC")) == 0, "they end when they would have"
    for command, code in (
        (TransferPoints("m", "n", "u", 9, NOW), "points_below_minimum"),
        (TransferPoints("m", "n", "u", 11, NOW), "transfer_cap"),
    ):
        with refusing(code):
            sender.give(command)
    sender.give(TransferPoints("m", "n", "u", 50, NOW + DAY))
    with refusing("points_short"):
        receiver.give(TransferPoints("n", "o", "v", 40, NOW + 2 * DAY))
    assert receiver.give(TransferPoints("n", "o", "v", 40, NOW + 3 * DAY))


def test_points_that_were_sent_wait_before_they_are_sent_on_also_in_the_lot_that_a_hold_gave_them() -> None:
    ledger, late = bought(wallet=SHARED), NOW + 50 * DAY
    (received,) = react(only(PointsTransferred, ledger.give(TransferPoints("m", "n", "t", 30, late))), Context(ledger.policies))
    receiver = Ledger(ledger.policies)
    receiver.give(received)  # type: ignore[arg-type]
    receiver.give(HoldPoints("n", "h", 30, late))
    assert only(HoldReleased, receiver.give(ReleaseHold("n", "h", late, by_shop=True))).reissued
    with refusing("points_short"):
        receiver.give(TransferPoints("n", "m", "u", 30, late + 2 * DAY))
    receiver.give(TransferPoints("n", "m", "u", 30, late + 3 * DAY))


def test_two_senders_may_give_their_transfers_the_same_name() -> None:
    receiver = Ledger(policies(SHARED))
    for name in ("m", "k"):
        sender = bought(wallet=SHARED)
        sent = replace(only(PointsTransferred, sender.give(TransferPoints("m", "n", "t", 40, NOW))), member=name)
        (received,) = react(sent, Context(sender.policies))
        assert receiver.give(received)  # type: ignore[arg-type]
        assert receiver.give(received) == []  # type: ignore[arg-type]
    assert receiver.state.available(NOW) == 80


def test_each_rule_pays_into_its_own_wallet() -> None:
    both = (SpendRule(), SpendRule(id="miles", wallet="miles", rate=(2, 1)))
    ledger = Ledger(policies(AT_ONCE, replace(AT_ONCE, name="miles"), earning=Earning(spend=both)))
    granted = [event for event in ledger.buy("o", 5_000, NOW) if isinstance(event, PointsGranted)]
    assert [(event.wallet, event.rule, event.lot, event.points) for event in granted] == [
        ("points", "purchase", "o", 50),
        ("miles", "miles", "o+miles", 100),
    ]
    ledger.give(RedeemPoints("m", "r", 70, NOW, wallet="miles"))
    assert (ledger.state.available(NOW), ledger.state.available(NOW, "miles")) == (50, 30)
    ledger.refund("o", "half", 2_500, NOW)
    assert (ledger.state.available(NOW), ledger.state.debt(NOW, "miles")) == (25, 20)


def test_points_that_are_worth_nothing_are_not_spent() -> None:
    ledger = Ledger(Policies((InForce(0, Programme("Asia/Tokyo", "JPY", wallets=(AT_ONCE,))),)))
    ledger.buy("o", 10_000, NOW)
    before = ledger.state
    for command in (RedeemPoints("m", "r", 99, NOW), HoldPoints("m", "h", 99, NOW)):
        with refusing("points_worth_nothing"):
            ledger.give(command)
    assert ledger.state == before
    (redeemed,) = ledger.give(RedeemPoints("m", "r", 100, NOW))
    assert redeemed.money == 1  # type: ignore[union-attr]
