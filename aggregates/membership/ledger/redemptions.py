"""Spending points: redemptions, holds, rewards, and giving spent points back.

Points are spent by earliest expiry, within what the policy allows. Held points belong to one order until it is settled, and
do not lapse. Points that come back return to the lots they came from, with no more life than those but for a short grace.
The stock of a reward is the shop's and is counted outside this ledger.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from aggregates.calendar import add_days, end_of_day, local_day
from aggregates.decider import Refusal
from aggregates.membership.ledger.events import (
    HoldCaptured,
    HoldReleased,
    IssuedLot,
    PointsHeld,
    PointsRedeemed,
    PointsReturned,
    RewardClaimed,
    RewardReturned,
)
from aggregates.membership.ledger.lots import Allocations, Lots, allocate, spendable_lots, take, unused_name
from aggregates.membership.ledger.state import Hold, Ledger, SpentPoints
from aggregates.money import part_of
from aggregates.programme import Programme, Wallet


@dataclass(frozen=True)
class RedemptionRequest:
    """``points`` to spend from a wallet (None: the programme's first) on an order of ``total`` minor units."""

    points: int
    wallet: str | None = None
    order: str | None = None
    total: int | None = None


def redeem_points(
    member: str, redemption: str, wish: RedemptionRequest, now: int, terms: Programme, ledger: Ledger
) -> PointsRedeemed:
    wallet = require_wallet(wish.wallet, terms)
    money = discount_of(wish, wallet, terms, ledger)
    spent = choose_lots(wish.points, wallet.name, now, ledger)
    return PointsRedeemed(
        member=member,
        redemption=redemption,
        order=wish.order,
        points=wish.points,
        allocations=spent,
        at=now,
        wallet=wallet.name,
        money=money,
        terms=terms.version,
    )


def require_wallet(name: str | None, terms: Programme) -> Wallet:
    wallet = terms.wallet(name)
    if wallet is None:
        raise Refusal("wallet_unknown", "The programme has no wallet of that name.")
    return wallet


def choose_lots(points: int, wallet: str, now: int, ledger: Ledger) -> Allocations:
    """Return the lots to take ``points`` from. Refuse more points than can be spent."""
    lots = spendable_lots(ledger.lots, wallet, now)
    available = sum(lot.remaining for lot in lots)
    if points > available:
        raise Refusal("points_short", f"Only {available} points can be spent; {points} were asked for.")
    return allocate(points, lots)


def discount_of(wish: RedemptionRequest, wallet: Wallet, terms: Programme, ledger: Ledger) -> int:
    """Return what the points are worth in minor units, rounded down. Refuse what the policy does not allow."""
    rules = wallet.redemption
    if not rules.allowed:
        raise Refusal("redemption_not_allowed", f"{wallet.name.capitalize()} cannot be spent for a discount.")
    if wish.points < rules.minimum:
        raise Refusal("points_below_minimum", f"At least {rules.minimum} points are spent at a time.")
    if wish.points % rules.multiple:
        raise Refusal("points_not_a_multiple", f"Points are spent in multiples of {rules.multiple}.")
    numerator, denominator = rules.value
    money = wish.points * numerator * terms.unit // denominator
    if not money:
        raise Refusal("points_worth_nothing", f"{wish.points} points are worth nothing in {terms.currency}: spend more.")
    if wish.total is not None:
        left = max(0, wish.total * rules.share[0] - paid_before(wish.order, wallet.name, ledger) * rules.share[1])
        if money * rules.share[1] > left:
            most = left * denominator // (rules.share[1] * numerator * terms.unit)
            raise Refusal("points_over_cap", f"At most {most} points can be spent on this order.")
    return money


def paid_before(order: str | None, wallet: str, ledger: Ledger) -> int:
    """Return what points of a wallet already pay of an order, spent or held and not given back, in minor units."""
    if order is None:
        return 0
    spent = [one for one in ledger.redemptions.values() if one.order == order and one.wallet == wallet]
    held = [one.money for one in ledger.holds.values() if one.order == order and one.wallet == wallet]
    return sum(held) + sum(one.money - part_of(one.money, 0, one.points - one.outstanding, one.points) for one in spent)


MINUTE = 60_000


def hold_points(member: str, name: str, wish: RedemptionRequest, now: int, terms: Programme, ledger: Ledger) -> PointsHeld:
    wallet = require_wallet(wish.wallet, terms)
    money = discount_of(wish, wallet, terms, ledger)
    allocations = choose_lots(wish.points, wallet.name, now, ledger)
    until = now + wallet.hold_minutes * MINUTE
    return PointsHeld(
        member=member,
        hold=name,
        wallet=wallet.name,
        order=wish.order,
        points=wish.points,
        allocations=allocations,
        until=until,
        money=money,
        terms=terms.version,
        at=now,
    )


def require_hold(name: str, ledger: Ledger) -> Hold:
    found = ledger.holds.get(name)
    if found is None:
        raise Refusal("hold_over", "There is no such hold, or it is over: hold the points anew.")
    return found


def capture_hold(member: str, name: str, now: int, ledger: Ledger) -> tuple[HoldCaptured, PointsRedeemed]:
    """Return the events that spend a hold, for what the points were worth when they were held."""
    kept = require_hold(name, ledger)
    points = sum(part for _, part in kept.allocations)
    captured = HoldCaptured(member=member, hold=name, wallet=kept.wallet, allocations=kept.allocations, at=now)
    return captured, PointsRedeemed(
        member=member,
        redemption=name,
        order=kept.order,
        points=points,
        allocations=kept.allocations,
        at=now,
        wallet=kept.wallet,
        money=kept.money,
        terms=kept.terms,
    )


def release_hold(member: str, name: str, by_shop: bool, now: int, terms: Programme, ledger: Ledger) -> HoldReleased:
    """Return the release of a hold. If the shop gave up the order, points that are over or about to end live on for the grace
    days.
    """
    kept = require_hold(name, ledger)
    ends = grace_end(now, (terms.wallet(kept.wallet) or Wallet()).hold_grace_days, terms)
    lots = ledger.lots
    soon = [part for part in kept.allocations if lots[part[0]].is_over(ends)] if by_shop else []
    over = tuple(part for part in kept.allocations if part not in soon and lots[part[0]].is_over(now))
    back = tuple(part for part in kept.allocations if part not in soon and part not in over)
    return HoldReleased(
        member=member,
        hold=name,
        wallet=kept.wallet,
        restored=back,
        lapsed=over,
        reissued=reissue(soon, name, ends, lots),
        reason="shop" if by_shop else "released",
        at=now,
    )


def return_points(
    member: str, redemption: str, reversal: str, points: int | None, now: int, terms: Programme, ledger: Ledger
) -> PointsReturned:
    """Return ``points`` of a redemption to their lots (None: all that are left), in reverse order of their use."""
    spent = ledger.redemptions[redemption]
    outstanding = spent.outstanding
    points = outstanding if points is None else points
    if points > outstanding:
        raise Refusal("nothing_left", f"Only {outstanding} points of this redemption can still come back.")
    back = take(points, reversed(spent.left))
    restored = tuple(part for part in back if not ledger.lots[part[0]].is_over(now))
    over = [part for part in back if ledger.lots[part[0]].is_over(now)]
    ends = grace_end(now, (terms.wallet(spent.wallet) or Wallet()).reissue_days, terms)
    money = part_of(spent.money, spent.points - outstanding, points, spent.points)
    reissued = reissue(over, reversal, ends, ledger.lots)
    return PointsReturned(
        member=member,
        redemption=redemption,
        reversal=reversal,
        wallet=spent.wallet,
        points=points,
        restored=restored,
        reissued=reissued,
        money=money,
        at=now,
    )


def points_due_back(spent: SpentPoints, bought: int, net: int) -> int:
    """Return how many points of a redemption must come back once an order of ``bought`` still counts for ``net``."""
    target = spent.points if net <= 0 else spent.points - -(-spent.points * net // bought)
    return max(0, target - (spent.points - spent.outstanding))


def grace_end(now: int, days: int, terms: Programme) -> int:
    return end_of_day(add_days(now, days, terms.zone), terms.zone)


def reissue(parts: Iterable[tuple[str, int]], name: str, ends: int | None, lots: Lots) -> tuple[IssuedLot, ...]:
    """Return new lots in place of parts of others, named after those and after what brings them back."""
    return tuple(IssuedLot(unused_name(lots, f"{lot}+{name}"), lot, points, ends) for lot, points in parts)


def claim_reward(
    member: str, name: str, reward: str, tier: str, tags: tuple[str, ...], now: int, terms: Programme, ledger: Ledger
) -> tuple[RewardClaimed, PointsRedeemed]:
    told = terms.reward(reward)
    if told is None:
        raise Refusal("reward_unknown", "The programme has no reward of that name.")
    if not (told.days.has(local_day(now, terms.zone)) and told.audience.has(tier, tags)):
        raise Refusal("reward_not_offered", "This reward is not offered to this member now.")
    if told.per_member is not None and sum(of == reward for of, _ in ledger.claims.values()) >= told.per_member:
        raise Refusal("reward_limit", f"A member may have this reward {told.per_member} times.")
    wallet = require_wallet(told.wallet, terms).name
    spent = choose_lots(told.price, wallet, now, ledger)
    claimed = RewardClaimed(
        member=member,
        claim=name,
        reward=reward,
        gives=told.gives,
        item=told.item,
        price=told.price,
        stock=told.stock,
        wallet=wallet,
        terms=terms.version,
        at=now,
    )
    return claimed, PointsRedeemed(
        member=member,
        redemption=name,
        order=None,
        points=told.price,
        allocations=spent,
        at=now,
        wallet=wallet,
        money=0,
        terms=terms.version,
    )


def return_reward(back: PointsReturned, ledger: Ledger) -> Iterator[RewardReturned]:
    """Yield the return of a claimed reward, if ``back`` gives back the last of its points."""
    if back.redemption in ledger.claims and back.points == ledger.redemptions[back.redemption].outstanding:
        reward, stock = ledger.claims[back.redemption]
        yield RewardReturned(member=back.member, claim=back.redemption, reward=reward, stock=stock, at=back.at)
