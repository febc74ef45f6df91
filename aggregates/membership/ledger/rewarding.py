"""Rewards: a coupon or a product for points. The stock is the shop's, and is held outside this ledger."""

from __future__ import annotations

from collections.abc import Iterator

from aggregates.calendar import local_day
from aggregates.decider import Refusal
from aggregates.membership.ledger.ledger import Ledger
from aggregates.membership.ledger.redeeming import chosen, wallet_of
from aggregates.membership.ledger.uses import PointsRedeemed, PointsReturned, RewardClaimed, RewardReturned
from aggregates.programme import Programme


def claim(
    member: str, name: str, reward: str, tier: str, tags: tuple[str, ...], now: int, terms: Programme, ledger: Ledger
) -> tuple[RewardClaimed, PointsRedeemed]:
    told = terms.reward(reward)
    if told is None:
        raise Refusal("reward_unknown", "The programme has no reward of that name.")
    if not (told.days.has(local_day(now, terms.zone)) and told.audience.has(tier, tags)):
        raise Refusal("reward_not_offered", "This reward is not offered to this member now.")
    if told.per_member is not None and sum(of == reward for of, _ in ledger.claims.values()) >= told.per_member:
        raise Refusal("reward_limit", f"A member may have this reward {told.per_member} times.")
    wallet = wallet_of(told.wallet, terms).name
    spent = chosen(told.price, wallet, now, ledger)
    of_reward = (reward, told.gives, told.item, told.price, told.stock)
    claimed = RewardClaimed(member, name, *of_reward, wallet, terms.version, now)
    return claimed, PointsRedeemed(member, name, None, told.price, spent, now, wallet, 0, terms.version)


def taken_back(back: PointsReturned, ledger: Ledger) -> Iterator[RewardReturned]:
    """With the last of its points, what the claim took of the reward comes back as well."""
    if back.redemption in ledger.claims and back.points == ledger.redemptions[back.redemption].outstanding:
        yield RewardReturned(back.member, back.redemption, *ledger.claims[back.redemption], back.at)
