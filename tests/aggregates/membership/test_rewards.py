"""A coupon or a product for points."""

from __future__ import annotations

import pytest

from aggregates.constraints import REWARD_EXHAUSTED, LimitUses, ReturnUse, UseKey, constraints_of
from aggregates.coupon import SendCoupon
from aggregates.decider import Context
from aggregates.membership.commands import ClaimReward, RedeemPoints, ReturnPoints, TagMember
from aggregates.membership.events import PointsRedeemed, PointsReturned, RewardClaimed, RewardReturned
from aggregates.programme import Audience, Days, Reward, Wallet
from aggregates.reactions import react
from aggregates.value import replace
from tests.aggregates.given import DAY, instant, refusing
from tests.aggregates.membership.lives import Ledger, only, policies

NOW = instant("2026-11-25T12:00", "UTC")
MUG = Reward("mug", "product", "mug-01", 40, per_member=2)


def rich(*rewards: Reward) -> Ledger:
    ledger = Ledger(policies(Wallet(activates="at_payment"), rewards=rewards))
    ledger.buy("o", 10_000, NOW)
    return ledger


def test_a_reward_costs_its_price_in_points_and_names_what_is_to_be_given() -> None:
    ledger = rich(MUG)
    command = ClaimReward("m", "c", "mug", NOW)
    claimed = ledger.give(command)
    assert only(RewardClaimed, claimed) == RewardClaimed(
        member="m",
        claim="c",
        reward="mug",
        gives="product",
        item="mug-01",
        price=40,
        stock=None,
        wallet="points",
        terms=1,
        at=NOW,
    )
    assert only(PointsRedeemed, claimed).redemption == "c"
    assert ledger.state.available(NOW) == 60
    assert ledger.give(command) == []


def test_a_coupon_is_sent_with_the_claim_of_it() -> None:
    claimed = RewardClaimed(
        member="m",
        claim="c",
        reward="tenner",
        gives="coupon",
        item="ten-off",
        price=40,
        stock=None,
        wallet="points",
        terms=1,
        at=NOW,
    )
    assert react(claimed, Context(policies())) == [SendCoupon("ten-off", "m", NOW)]
    assert (
        react(
            RewardClaimed(
                member="m",
                claim="c",
                reward="mug",
                gives="product",
                item="mug-01",
                price=40,
                stock=3,
                wallet="points",
                terms=1,
                at=NOW,
            ),
            Context(policies()),
        )
        == []
    )


def test_the_stock_of_a_reward_is_held_by_the_shop_as_its_policy_has_it() -> None:
    claimed = RewardClaimed(
        member="m", claim="c", reward="mug", gives="product", item="mug-01", price=40, stock=3, wallet="points", terms=1, at=NOW
    )
    assert constraints_of(claimed) == [LimitUses("reward:mug", 3), UseKey("reward:mug", REWARD_EXHAUSTED)]


@pytest.mark.parametrize(
    ("reward", "code"),
    [
        (Reward("car", "product", "x", 101), "points_short"),
        (Reward("car", "product", "x", 1, audience=Audience(tiers=("gold",))), "reward_not_offered"),
        (Reward("car", "product", "x", 1, audience=Audience(tags=("vip",))), "reward_not_offered"),
        (Reward("car", "product", "x", 1, days=Days(first="2026-11-26")), "reward_not_offered"),
        (Reward("bus", "product", "x", 1), "reward_unknown"),
    ],
)
def test_what_is_not_offered_is_refused(reward: Reward, code: str) -> None:
    ledger = rich(reward)
    with refusing(code):
        ledger.give(ClaimReward("m", "c", "car", NOW))


def test_a_reward_for_tagged_members_is_theirs() -> None:
    ledger = rich(Reward("car", "product", "x", 1, audience=Audience(tags=("vip",))))
    ledger.give(TagMember("m", ("vip",), "kim", NOW))
    assert ledger.give(ClaimReward("m", "c", "car", NOW))


def test_a_member_has_a_reward_as_often_as_it_says_and_may_return_it() -> None:
    ledger = rich(MUG)
    for name in ("1", "2"):
        ledger.give(ClaimReward("m", name, "mug", NOW))
    with refusing("reward_limit"):
        ledger.give(ClaimReward("m", "3", "mug", NOW))
    ledger.give(ReturnPoints("m", "1", "broken", NOW + DAY))
    assert ledger.state.available(NOW + DAY) == 60
    assert ledger.give(ClaimReward("m", "3", "mug", NOW + DAY)), "the one that came back does not count"


def test_a_reward_is_back_with_the_last_of_its_points() -> None:
    ledger = rich(replace(MUG, stock=3))
    ledger.give(ClaimReward("m", "1", "mug", NOW))
    part = ledger.give(ReturnPoints("m", "1", "a scratch", NOW + DAY, points=10))
    assert not any(isinstance(event, RewardReturned) for event in part)
    rest = ledger.give(ReturnPoints("m", "1", "broken", NOW + DAY))
    back = only(RewardReturned, rest)
    assert back == RewardReturned(member="m", claim="1", reward="mug", stock=3, at=NOW + DAY)
    assert constraints_of(back) == [ReturnUse("reward:mug")]
    assert ledger.state.points.claims == {}


def test_a_reward_that_was_not_counted_is_not_given_back() -> None:
    """Claimed when there was no bound, and returned when there is one."""
    assert constraints_of(RewardReturned(member="m", claim="1", reward="mug", stock=None, at=NOW)) == []


def test_points_that_come_back_of_no_reward_bring_none_back() -> None:
    ledger = rich(MUG)
    ledger.give(RedeemPoints("m", "1", 10, NOW))
    assert [type(event) for event in ledger.give(ReturnPoints("m", "1", "sorry", NOW))] == [PointsReturned]
