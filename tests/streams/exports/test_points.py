"""What was asked of points and tiers comes back from a file, and what followed of itself is not entry twice."""

from __future__ import annotations

import json
from typing import Any

from aggregates.decider import stream_id
from aggregates.membership.commands import ActivateLot, EndTierOverride, OverrideTier, RecordAction, RedeemPoints
from aggregates.membership.events import LotActivated, TierOverridden, TierOverrideEnded
from aggregates.order.decider import PayOrder
from aggregates.order.fulfilment import DeliverOrder
from aggregates.programme.policy import PublishPolicy
from streams.commands.request import Request
from streams.running.app import App
from tests.redis_content import digests_of
from tests.shop import HOUR, START, line, place
from tests.streams.exports.test_round_trip import exported
from tests.streams.imports.lines import another, events, import_file

DAY = 24 * HOUR


def asked(app: App, *commands: object) -> None:
    for n, command in enumerate(commands):
        outcome = app.handler.handle(Request(str(n), (command,)))
        assert outcome.accepted, outcome
    app.follower().catch_up()


def names_told(data: bytes) -> list[str]:
    return [line["command"] for line in map(json.loads, data.splitlines()) if line.get("type") == "regulars"]


def policy(at: int, *wallets: dict[str, Any], **terms: Any) -> PublishPolicy:
    return PublishPolicy({"wallets": list(wallets), **terms}, at, "ada", at)


def bought(order: str, at: int) -> list[object]:
    return [place(order, "ada", line("tea", 1, 50_000), at=at), PayOrder(order, at), DeliverOrder(order, at)]


def test_a_lot_that_waits_for_an_action_is_as_active_after_an_import_as_it_was(valkey_url: str) -> None:
    visits = {"streaks": [{"id": "visits", "event": "check_in", "points": ["2"]}]}
    history = [
        policy(START, {"name": "points", "activates": "on_action"}, earning=visits),
        *bought("waits", START),
        *bought("acted", START + HOUR),
        RecordAction("ada", "check_in", "today", START + HOUR),
        ActivateLot("ada", "acted", START + DAY),
        ActivateLot("ada", "visits+today", START + DAY),
        RedeemPoints("ada", "r", 502, START + 2 * DAY),
        policy(START + 3 * DAY, {"name": "points"}, return_days="0"),
        *bought("later", START + 4 * DAY),
        ActivateLot("ada", "waits", START + 5 * DAY),  # as the policy of its grant has it
    ]
    with another(valkey_url, 1) as first, another(valkey_url, 2) as second:
        asked(first, *history)
        data = exported(first)
        assert names_told(data).count("ActivateLot") == 3, "that of a delivery follows from it"
        assert import_file(second, data).rejects == []
        assert events(second, LotActivated) == events(first, LotActivated)
        assert first.log.read(stream_id("membership", "ada")) == second.log.read(stream_id("membership", "ada"))
        assert digests_of(second) == digests_of(first)


def test_a_tier_set_by_hand_comes_back_and_so_does_its_end(valkey_url: str) -> None:
    history = [
        *bought("o", START),
        OverrideTier("ada", "apology", "floor", "gold", "a lost parcel", "kim", START + DAY),
        EndTierOverride("ada", "apology", "agreed", "kim", START + 2 * DAY),
        OverrideTier("ada", "trial", "pin", "silver", "a month's trial", "kim", START + 3 * DAY, START + 33 * DAY),
        *bought("p", START + 40 * DAY),
    ]
    with another(valkey_url, 1) as first, another(valkey_url, 2) as second:
        asked(first, *history)
        data = exported(first)
        told = [name for name in names_told(data) if "Override" in name]
        assert told == ["OverrideTier", "EndTierOverride", "OverrideTier"], "one ended by itself"
        assert import_file(second, data).rejects == []
        for kind in (TierOverridden, TierOverrideEnded):
            assert events(second, kind) == events(first, kind) != []
        assert digests_of(second) == digests_of(first)
