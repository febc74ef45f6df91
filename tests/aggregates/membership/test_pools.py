"""Households that share points: a ledger of its own, that members put points into and spend from."""

from __future__ import annotations

from typing import Any

import pytest

from aggregates.decider import Context
from aggregates.membership.commands import (
    AdjustPoints,
    ClaimReward,
    EnterPool,
    HoldPoints,
    JoinPool,
    LeavePool,
    RedeemPoints,
    TransferPoints,
)
from aggregates.membership.events import PointsTransferred, PoolUsed
from aggregates.programme import Policies, Pools, Reward, Transfers, Validity, Wallet
from aggregates.reactions import react
from aggregates.value import replace
from tests.aggregates.given import DAY, instant, refusing
from tests.aggregates.membership.lives import Ledger, only, policies

NOW = instant("2026-11-25T12:00", "UTC")
SHARED = Wallet(activates="at_payment", validity=Validity("days", 10), pools=Pools(allowed=True, members=2))
MUG = Reward("mug", "product", "mug-01", 10)


class House:
    """Ledgers by name; what follows from a fact is given to its own ledger."""

    def __init__(self, known: Policies) -> None:
        self.policies = known
        self.ledgers: dict[str, Ledger] = {}

    def give(self, command: Any) -> None:
        ledger = self.ledgers.setdefault(command.member, Ledger(self.policies))
        for event in ledger.give(command):
            for reaction in react(event, Context(self.policies)):
                self.give(reaction)

    def available(self, name: str, at: int = NOW) -> int:
        return self.ledgers[name].state.available(at)


def house(wallet: Wallet = SHARED) -> House:
    """Ann owns the pool, Ben is in it with 100 points to his own name."""
    made = House(policies(wallet, rewards=(MUG,)))
    made.ledgers["ben"] = Ledger(made.policies)
    made.ledgers["ben"].buy("o", 10_000, NOW)
    for joiner in ("ann", "ben"):
        made.give(JoinPool("home", joiner, NOW))
    return made


def test_points_put_into_the_pool_keep_their_expiry_though_members_may_send_none_to_each_other() -> None:
    home = house()
    home.give(TransferPoints("ben", "home", "t", 60, NOW))
    assert (home.available("ben"), home.available("home"), home.available("home", NOW + 11 * DAY)) == (40, 60, 0)
    with refusing("transfer_not_allowed"):
        home.give(TransferPoints("ben", "ann", "u", 10, NOW))
    assert only(PointsTransferred, home.ledgers["home"].events).direction == "in"


def test_any_member_spends_from_the_pool_by_name_or_only_its_owner() -> None:
    for wallet, spender in ((SHARED, "ben"), (replace(SHARED, pools=Pools(allowed=True, spending="owner")), "ann")):
        home = house(wallet)
        home.give(TransferPoints("ben", "home", "t", 60, NOW))
        for by in (None, "eve", *(() if spender == "ben" else ("ben",))):
            with refusing("pool_not_theirs"):
                home.give(RedeemPoints("home", "r", 10, NOW, by=by))
        home.give(RedeemPoints("home", "r", 10, NOW, by=spender))
        home.give(HoldPoints("home", "h", 10, NOW, by=spender))
        home.give(ClaimReward("home", "c", "mug", NOW, by=spender))
        uses = [event.use for event in home.ledgers["home"].events if isinstance(event, PoolUsed)]
        assert uses == ["r", "h", "c"]
        assert home.available("home") == 30


def test_nobody_sends_on_what_is_in_the_pool() -> None:
    home = house(replace(SHARED, transfers=Transfers(allowed=True)))
    home.give(TransferPoints("ben", "home", "t", 60, NOW))
    with refusing("pool_not_theirs"):
        home.give(TransferPoints("home", "eve", "u", 10, NOW))


def test_a_reward_is_claimed_from_a_pool_by_whoever_may_spend_its_own_wallet() -> None:
    stars = Wallet("stars", pools=Pools(allowed=True, spending="owner"))
    home = House(policies(SHARED, stars, rewards=(replace(MUG, wallet="stars"),)))
    for joiner in ("ann", "ben"):
        home.give(JoinPool("home", joiner, NOW))
    home.give(AdjustPoints("home", "a", 10, "a present", "kim", NOW, wallet="stars"))
    with refusing("pool_not_theirs"):
        home.give(ClaimReward("home", "c", "mug", NOW, by="ben"))
    home.give(ClaimReward("home", "c", "mug", NOW, by="ann"))


def test_a_pool_is_for_the_wallets_that_are_shared_be_it_the_first_or_another() -> None:
    home = House(policies(replace(SHARED, pools=Pools()), replace(SHARED, name="stars")))
    for joiner in ("ann", "ben"):
        home.give(JoinPool("home", joiner, NOW))
    for wallet in ("points", "stars"):
        home.give(AdjustPoints("ben", wallet, 10, "a present", "kim", NOW, wallet=wallet))
    with refusing("pool_not_allowed"):
        home.give(TransferPoints("ben", "home", "t", 10, NOW, wallet="points"))
    home.give(TransferPoints("ben", "home", "t", 10, NOW, wallet="stars"))


def test_joining_twice_changes_nothing_and_who_left_spends_no_more() -> None:
    home = house()
    home.give(TransferPoints("ben", "home", "t", 60, NOW))
    before = len(home.ledgers["home"].events)
    home.give(JoinPool("home", "ben", NOW))
    assert len(home.ledgers["home"].events) == before
    for _ in range(2):
        home.give(LeavePool("home", "ben", NOW))
    assert home.ledgers["ben"].state.points.inside is None
    with refusing("pool_not_theirs"):
        home.give(RedeemPoints("home", "r", 10, NOW, by="ben"))
    assert home.available("home") == 60, "what was put in stays"
    home.give(JoinPool("flat", "ben", NOW))


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (JoinPool("home", "eve", NOW), "pool_full"),
        (JoinPool("flat", "ben", NOW), "pool_other"),
        (JoinPool("flat", "home", NOW), "pool_within_pool"),
        (JoinPool("ann", "eve", NOW), "pool_within_pool"),
        (JoinPool("dan", "dan", NOW), "pool_within_pool"),
        (EnterPool("home", "flat", NOW), "pool_within_pool"),
        (JoinPool("", "eve", NOW), "member_id_invalid"),
        (RedeemPoints("ben", "r", 10, NOW, by="ann"), "pool_unknown"),
    ],
)
def test_what_may_not_be_is_refused(command: Any, code: str) -> None:
    with refusing(code):
        house().give(command)


def test_a_members_own_ledger_is_no_pool_and_pools_are_for_programmes_that_have_them() -> None:
    home = House(policies(SHARED))
    home.ledgers["dan"] = Ledger(home.policies)
    home.ledgers["dan"].buy("o", 10_000, NOW)
    with refusing("pool_is_member"):
        home.give(JoinPool("dan", "eve", NOW))
    with refusing("pool_not_allowed"):
        House(policies()).give(JoinPool("home", "eve", NOW))
