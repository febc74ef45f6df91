"""Processes that race for points: never one too many, never one refused while room is left, in whatever order they come.

Each race is run abreast, so that every racer decides over the same log, and then as fast as each of them can.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from aggregates.decider import Context, Refusal
from aggregates.membership.commands import (
    AdjustPoints,
    CaptureHold,
    ClaimReward,
    HoldPoints,
    RecordAction,
    RedeemPoints,
    ReleaseHold,
    ReturnPoints,
    TransferPoints,
)
from aggregates.membership.decider import membership
from aggregates.membership.events import HoldCaptured, HoldReleased, PointsGranted, PointsRedeemed
from aggregates.membership.state import Membership
from aggregates.programme.policy import PublishPolicy, policy
from aggregates.value import replace
from infra.event_log.types import Outcome
from infra.settings import Settings
from streams.commands.request import Request
from streams.running.app import App, running
from tests.databases import in_both_databases
from tests.shop import START
from tests.streams.racers import RACERS, Racers, started

pytestmark = in_both_databases

AT_ONCE = (True, False)
EACH = 8
POLICY = {
    "wallets": [{"name": "points", "transfers": {"allowed": "yes", "daily_cap": "50"}}],
    "earning": {
        "events": [{"id": "shared", "event": "share", "points": "3", "limit": "5", "per": "day"}],
        "streaks": [{"id": "visits", "event": "check_in", "points": ["2"]}],
    },
    "rewards": [
        {"id": f"mug {abreast}", "gives": "product", "item": "mug", "price": "10", "stock": "5"} for abreast in AT_ONCE
    ],
}


@pytest.fixture(scope="module")
def racers() -> Iterator[Racers]:
    with started() as racers:
        yield racers


def test_one_balance(settings: Settings, racers: Racers) -> None:
    """Redeemed and held by all at once, 7 points at a time."""
    with running(settings) as app:
        for abreast in AT_ONCE:
            member = with_points(app, f"m {abreast}", 100)
            uses = [f"{abreast} {n}" for n in range(RACERS * EACH)]
            asked = {
                use: RedeemPoints(member, use, 7, START) if n % 2 else HoldPoints(member, use, 7, START)
                for n, use in enumerate(uses)
            }
            outcomes = raced(app, racers, asked, abreast)
            assert Counter(outcome.code for outcome in outcomes) == {"": 14, "points_short": RACERS * EACH - 14}
            assert state(app, member).available(START) == 100 - 14 * 7
            assert all_right(app, asked, outcomes)


def test_the_last_pieces_of_a_reward(settings: Settings, racers: Racers) -> None:
    """Claimed by many members, each with points enough: who comes too late has paid nothing."""
    with running(settings) as app:
        publish(app)
        for abreast in AT_ONCE:
            members = [with_points(app, f"m {abreast} {n}", 15) for n in range(RACERS * EACH)]
            asked = {member: ClaimReward(member, member, f"mug {abreast}", START) for member in members}
            outcomes = raced(app, racers, asked, abreast)
            assert Counter(outcome.code for outcome in outcomes) == {"": 5, "reward_exhausted": RACERS * EACH - 5}
            got = {outcome.request for outcome in outcomes if outcome.accepted}
            assert {member: state(app, member).available(START) for member in members} == {
                member: 5 if member in got else 15 for member in members
            }


def test_pieces_of_a_reward_that_are_claimed_and_returned_at_the_same_time(settings: Settings, racers: Racers) -> None:
    """However it went, what is out and what is left are the stock."""
    with running(settings) as app:
        publish(app)
        for abreast in AT_ONCE:
            reward = f"mug {abreast}"
            members = [with_points(app, f"m {abreast} {n}", 15) for n in range(RACERS * EACH)]
            asked: dict[str, Any] = {}
            for member in members:
                asked[f"claim {member}"] = ClaimReward(member, member, reward, START)
                asked[f"return {member}"] = ReturnPoints(member, member, "back", START)
            outcomes = raced(app, racers, asked, abreast)
            assert {outcome.code for outcome in outcomes} <= {"", "reward_exhausted", "redemption_unknown", "nothing_left"}
            out = sum(len(state(app, member).points.claims) for member in members)
            late = [with_points(app, f"late {abreast} {n}", 15) for n in range(6)]
            claims = [Request(f"claim {member}", (ClaimReward(member, member, reward, START),)) for member in late]
            assert Counter(outcome.code for outcome in app.handler.handle_all(claims)) == Counter(
                {"": 5 - out, "reward_exhausted": 1 + out}
            )


def test_two_who_send_points_to_each_other(settings: Settings, racers: Racers) -> None:
    """No point is lost or made, nobody waits for the other in a ring."""
    with running(settings) as app:
        publish(app)
        for abreast in AT_ONCE:
            pair = [with_points(app, f"{name} {abreast}", 20) for name in ("ada", "eve")]
            asked = {
                f"{abreast} {n}": TransferPoints(pair[n % 2], pair[1 - n % 2], f"{abreast} {n}", 6 + n % 3, START)
                for n in range(RACERS * EACH)
            }
            outcomes = raced(app, racers, asked, abreast)
            assert {outcome.code for outcome in outcomes} <= {"", "points_short", "transfer_cap"}
            assert sum(state(app, member).available(START) for member in pair) == 40
            assert all_right(app, asked, outcomes)


def test_one_daily_limit_of_points_sent(settings: Settings, racers: Racers) -> None:
    with running(settings) as app:
        publish(app)
        for abreast in AT_ONCE:
            member = with_points(app, f"m {abreast}", 1000)
            names = [f"{abreast} {n}" for n in range(RACERS * EACH)]
            asked = {name: TransferPoints(member, f"to {name}", name, 4, START) for name in names}
            outcomes = raced(app, racers, asked, abreast)
            assert Counter(outcome.code for outcome in outcomes) == {"": 12, "transfer_cap": RACERS * EACH - 12}
            assert state(app, member).available(START) == 1000 - 12 * 4
            assert state(app, member).balance(START) + sum(state(app, f"to {n}").available(START) for n in names) == 1000
            assert all_right(app, asked, outcomes)


def test_one_daily_limit_of_points_earned(settings: Settings, racers: Racers) -> None:
    """Five shares a day are rewarded, one visit is."""
    with running(settings) as app:
        publish(app)
        for abreast in AT_ONCE:
            member = f"m {abreast}"
            names = [f"{abreast} {n}" for n in range(RACERS * EACH)]
            shares: dict[str, Any] = {f"s {name}": RecordAction(member, "share", name, START) for name in names}
            visits = {f"v {name}": RecordAction(member, "check_in", name, START) for name in names}
            outcomes = raced(app, racers, shares | visits, abreast)
            assert all(outcome.accepted for outcome in outcomes)
            granted = [event for event in facts(app, member) if isinstance(event, PointsGranted)]
            assert Counter(event.rule for event in granted) == {"shared": 5, "visits": 1}
            assert state(app, member).available(START) == 5 * 3 + 2


def test_a_hold_that_is_captured_and_released_at_the_same_time(settings: Settings, racers: Racers) -> None:
    """It ends once, the one way or the other."""
    with running(settings) as app:
        for abreast in AT_ONCE:
            member = with_points(app, f"m {abreast}", 1000)
            holds = [f"{abreast} {n}" for n in range(EACH)]
            held = [HoldPoints(member, hold, 10, START) for hold in holds]
            assert app.handler.handle(Request(f"hold {abreast}", tuple(held))).accepted
            ends = [(CaptureHold if racer % 2 else ReleaseHold) for racer in range(RACERS)]
            asked: dict[str, Any] = {
                f"{racer} {hold}": end(member, hold, START) for racer, end in enumerate(ends) for hold in holds
            }
            outcomes = raced(app, racers, asked, abreast)
            assert {outcome.code for outcome in outcomes} <= {"", "hold_over"}
            ended = [event.hold for event in facts(app, member) if isinstance(event, HoldCaptured | HoldReleased)]
            assert sorted(ended) == holds
            spent = [event.points for event in facts(app, member) if isinstance(event, PointsRedeemed)]
            assert state(app, member).available(START) == 1000 - sum(spent)
            assert all_right(app, asked, outcomes)


@pytest.mark.parametrize("same_id", [True, False], ids=["the same request", "the same use, in requests of their own"])
def test_what_all_ask_for_by_one_name_happens_once(settings: Settings, racers: Racers, same_id: bool) -> None:
    with running(settings) as app:
        for abreast in AT_ONCE:
            member = with_points(app, f"m {abreast}", 30)
            uses = [f"{abreast} {n}" for n in range(EACH)]
            asked = [
                [Request(use if same_id else f"{racer} {use}", (RedeemPoints(member, use, 7, START),)) for use in uses]
                for racer in range(RACERS)
            ]
            outcomes = racers.race(settings, asked, abreast)
            assert sum(outcome.events for outcome in outcomes if not outcome.repeated) == 4
            assert state(app, member).available(START) == 30 - 4 * 7
            answers = {replace(outcome, repeated=False) for outcome in outcomes}
            assert len(answers) == (EACH if same_id else EACH * RACERS), "one answer to each request, for ever"


def with_points(app: App, member: str, points: int) -> str:
    added = AdjustPoints(member, "opening", points, "to race for", "ada", START)
    assert app.handler.handle(Request(f"opening of {member}", (added,))).accepted
    return member


def publish(app: App) -> None:
    assert app.handler.handle(Request("policy", (PublishPolicy(POLICY, START, "ada", START),))).accepted


def raced(app: App, racers: Racers, asked: dict[str, Any], abreast: bool) -> list[Outcome]:
    """Each racer's share of what is asked, in requests named as in ``asked``."""
    requests = [Request(name, (command,)) for name, command in asked.items()]
    return racers.race(app.settings, [requests[racer::RACERS] for racer in range(RACERS)], abreast)


def facts(app: App, member: str, until: int | None = None) -> list[Any]:
    """Of a membership, as the log stood at a position."""
    rows = app.log.since(0, 10_000)
    mine = (row for row in rows if row.stream == f"membership-{member}" and (until is None or row.position <= until))
    return [app.log.codec.decode(row.name, row.state) for row in mine]


def state(app: App, member: str, until: int | None = None) -> Membership:
    return membership.rebuild(facts(app, member, until))


def all_right(app: App, asked: dict[str, Any], outcomes: Sequence[Outcome]) -> bool:
    """Whether everybody who was refused would be again, by the log as it stood at that moment."""
    published: Any = app.log.read(policy.name)[0]
    context = Context(policy.rebuild(published))
    for outcome in outcomes:
        if not outcome.accepted:
            command = asked[outcome.request]
            with pytest.raises(Refusal) as refused:
                membership.decide(command, state(app, command.member, outcome.position), context)
            assert refused.value.code == outcome.code
    return True
