"""What households put into their pools and spent from them comes back from a file, with who asked for it."""

from __future__ import annotations

from aggregates.decider import stream_id
from aggregates.membership.commands import (
    AdjustPoints,
    CaptureHold,
    ClaimReward,
    HoldPoints,
    JoinPool,
    LeavePool,
    RedeemPoints,
    TransferPoints,
)
from aggregates.membership.events import PoolUsed
from aggregates.programme.policy import PublishPolicy
from streams.commands.request import Request
from tests.redis_content import digests_of
from tests.shop import HOUR, START
from tests.streams.exports.test_round_trip import exported
from tests.streams.imports.lines import another, events, import_file

POLICY = {
    "wallets": [{"name": "points", "pools": {"allowed": True}}],
    "rewards": [{"id": "mug", "gives": "product", "item": "mug-01", "price": 10}],
}


def test_the_uses_of_a_pool_are_those_of_the_members_who_asked_for_them(valkey_url: str) -> None:
    history = [
        PublishPolicy(POLICY, START, "ada", START),
        JoinPool("home", "ann", START),
        JoinPool("home", "ben", START),
        AdjustPoints("ann", "a", 100, "goodwill", "kim", START),
        TransferPoints("ann", "home", "t", 60, START + HOUR),
        RedeemPoints("home", "r", 10, START + HOUR, by="ben"),
        HoldPoints("home", "h", 10, START + 2 * HOUR, by="ann"),
        CaptureHold("home", "h", START + 2 * HOUR),
        ClaimReward("home", "c", "mug", START + 3 * HOUR, by="ben"),
        LeavePool("home", "ben", START + 4 * HOUR),
    ]
    with another(valkey_url, 1) as first, another(valkey_url, 2) as second:
        for n, command in enumerate(history):
            assert first.handler.handle(Request(str(n), (command,))).accepted
        first.follower().catch_up()
        assert import_file(second, exported(first)).rejects == []
        assert [event.by for event in events(second, PoolUsed)] == ["ben", "ann", "ben"]
        for member in ("home", "ann", "ben"):
            stream = stream_id("membership", member)
            assert second.log.read(stream) == first.log.read(stream)
        assert digests_of(second) == digests_of(first)
