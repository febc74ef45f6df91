"""A backtest decides as the shop decided: the same policy shows no difference, another one what a shop under it has."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aggregates.membership.commands import (
    AdjustPoints,
    CaptureHold,
    ClaimReward,
    EndTierOverride,
    HoldPoints,
    JoinPool,
    LeavePool,
    OverrideTier,
    RecordAction,
    RedeemPoints,
    ReinstatePoints,
    ReleaseHold,
    ReturnPoints,
    TagMember,
    TransferPoints,
)
from aggregates.order.decider import PayOrder
from aggregates.order.fulfilment import DeliverOrder
from aggregates.programme import Policies, Programme
from aggregates.programme.document import read
from aggregates.programme.policy import PublishPolicy
from infra.settings import Settings
from infra.yaml_document import parse
from streams.cli.main import regulars
from streams.commands.request import Request
from streams.commands.scheduler import tick
from streams.replay.backtest.figures import AS_THEN, SAME_SHARE, UNKNOWN, compare, side
from streams.replay.backtest.policy import Backtest, Histories
from streams.running.app import App, running
from tests.examples import many
from tests.shop import HOUR, MEMBERS, START, line, place, requests
from tests.streams.exports.histories import histories
from tests.streams.imports.lines import another

ROOT = Path(__file__).parents[4]
FALLEN = ("hold_over", "redemption_unknown")
"""Refusals of what rests on a use of points that was refused before."""

FIRST = Policies.first("UTC", "USD")
DAY = 24 * HOUR


UNHURRIED = (HealthCheck.function_scoped_fixture, HealthCheck.too_slow)
briefly = settings(max_examples=many(8), deadline=None, suppress_health_check=UNHURRIED)


def document_of(name: str) -> Any:
    return parse((ROOT / f"docs/policies/{name}.yaml").read_bytes())[0].plain


def terms_of(name: str) -> Programme:
    return read(document_of(name), "UTC", "USD")[0]


def backtest(app: App, terms: Programme | None, since: int = 0, until: int | None = None) -> Histories:
    return Backtest(FIRST, app.log.codec, terms, since, until).run(app.log)


RICH: dict[str, Any] = {
    "wallets": [
        {
            "name": "points",
            "activates": "at_payment",
            "validity": "30 days",
            "hold_minutes": 90,
            "reinstate_days": 400,
            "transfers": {"allowed": True},
            "pools": {"allowed": True},
        },
        {"name": "stars", "activates": "on_action", "validity": "20 days"},
    ],
    "earning": {
        "spend": [{"id": "purchase", "rate": 1}, {"id": "stars", "wallet": "stars", "rate": "1/10"}],
        "events": [{"id": "share", "event": "share", "points": 3}, {"id": "welcome", "event": "sign_up", "points": 50}],
    },
    "rewards": [{"id": "mug", "gives": "product", "item": "mug-01", "price": 5, "stock": 2}],
    "qualifying": {"metric": "points", "months": 1},
}
"""A programme that has a bit of everything."""


def uses(at: int) -> list[object]:
    """What members and the shop ask for beside purchases."""
    return [
        AdjustPoints(MEMBERS[2], "a", 200, "goodwill", "kim", at),
        AdjustPoints(MEMBERS[2], "late", -15, "a mistake", "kim", at - 100 * HOUR),
        OverrideTier(MEMBERS[3], "trial", "pin", "gold", "a trial", "kim", at, at + 900 * HOUR),
        RedeemPoints(MEMBERS[2], "r", 30, at + 1),
        HoldPoints(MEMBERS[2], "h", 20, at + 2),
        TransferPoints(MEMBERS[2], MEMBERS[6], "t", 10, at + 3),
        *(ClaimReward(member, "c", "mug", at + 4) for member in MEMBERS[2:6]),
        CaptureHold(MEMBERS[2], "h", at + 5),
        ReturnPoints(MEMBERS[2], "c", "back", at + 6),
        ReturnPoints(MEMBERS[2], "r", "some", at + 7, 10),
        HoldPoints(MEMBERS[2], "h2", 7, at + 8),
        HoldPoints(MEMBERS[2], "h3", 7, at + 9),
        ReleaseHold(MEMBERS[2], "h3", at + 10, by_shop=True),
        JoinPool("house", MEMBERS[3], at + 11),
        JoinPool("house", MEMBERS[2], at + 12),
        TransferPoints(MEMBERS[2], "house", "p", 20, at + 13),
        RedeemPoints("house", "pr", 5, at + 14, by=MEMBERS[3]),
        LeavePool("house", MEMBERS[3], at + 15),
        TagMember(MEMBERS[4], ("vip",), "kim", at + 16),
        RecordAction(MEMBERS[4], "share", "elsewhere", at + 17),
        EndTierOverride(MEMBERS[3], "trial", "over", "kim", at + 500 * HOUR),
        ReinstatePoints(MEMBERS[2], "again", "a", "they were ill", "kim", at + 900 * HOUR),
    ]


def shop(app: App, seed: int, policy: Any = None, shoppings: int = 40, ticks: bool = True) -> list[Request]:
    """Run a shop with a policy of its own, and return what was accepted beside that policy."""
    if policy is not None:
        outcome = app.handler.handle(Request("policy", (PublishPolicy(policy, 0, "kim", 0),)))
        assert outcome.accepted, outcome.sentence
    asked = list(requests(shoppings, seed))
    asked[shoppings:shoppings] = [Request(f"use {n}", (command,)) for n, command in enumerate(uses(START + 300 * HOUR))]
    accepted = []
    for number, request in enumerate(asked):
        if app.handler.handle(request).accepted:
            accepted.append(request)
        if ticks and number % 17 == 0:
            tick(app.log, app.handler, START + number * 20 * HOUR)
    return accepted


@settings(
    max_examples=many(8), deadline=None, suppress_health_check=(HealthCheck.function_scoped_fixture, HealthCheck.too_slow)
)
@given(st.integers(0, 1_000), st.sampled_from((None, "strict-returns", "calendar-year", "rich")))
def test_the_published_policy_against_itself_decides_every_event_as_it_was(
    valkey_url: str, seed: int, policy: str | None
) -> None:
    with another(valkey_url) as app:
        shop(app, seed, RICH if policy == "rich" else policy and document_of(policy))
        done = backtest(app, None)
        assert done.were
        assert done.would == done.were
        assert done.refused == {}
        assert done.candidate == done.published
    found = compare(done)
    assert all(row["was"] == row["would"] for row in (*found["months"], *found["tiers"], *found["wallets"].values()))
    assert all(of["most"] == [] for of in found["members"].values())


@briefly
@given(histories())
def test_late_facts_new_policies_and_erasures_are_decided_as_they_were(valkey_url: str, told: list[Request]) -> None:
    with another(valkey_url) as app:
        app.handler.handle_all(told)
        done = backtest(app, None)
    assert done.would == done.were
    assert done.refused == {}


@pytest.mark.parametrize("policy", ["strict-returns", "calendar-year"])
@pytest.mark.parametrize(("seed", "shoppings"), [(7, 40), (8, 320)])
def test_another_policy_shows_the_figures_of_a_shop_that_always_had_it(
    valkey_url: str, policy: str, seed: int, shoppings: int
) -> None:
    with another(valkey_url) as app, another(valkey_url, 2) as under:
        accepted = shop(app, seed, shoppings=shoppings, ticks=False)
        document = document_of(policy)
        under.handler.handle(Request("policy", (PublishPolicy(document, 0, "kim", 0),)))
        refused = [outcome.code for outcome in under.handler.handle_all(accepted) if not outcome.accepted]
        done, lived = backtest(app, terms_of(policy)), backtest(under, None)
    counted = sorted(kind.code for kind, total in done.refused.items() for _ in range(total.requests))
    assert counted == sorted(code for code in refused if code not in FALLEN)
    assert done.would == lived.were
    assert side(done.would, done.candidate, done).audit.differences == []
    found, real = compare(done), compare(lived)
    for part in ("months", "tiers"):
        theirs = {(row["month"], row.get("wallet")): row["was"] for row in real[part]}
        ours = {(row["month"], row.get("wallet")): row["would"] for row in found[part]}
        assert theirs.items() <= ours.items()
    assert any(row["was"] != row["would"] for row in found["months"])
    assert {wallet: of["was"] for wallet, of in real["wallets"].items()} == {
        wallet: found["wallets"][wallet]["would"] for wallet in real["wallets"]
    }


@pytest.mark.parametrize("since", [0, START + 400 * HOUR])
def test_what_holds_where_nothing_is_published_shows_no_difference_to_it_written_down(app: App, since: int) -> None:
    shop(app, 7)
    found = compare(backtest(app, terms_of("plain"), since))
    assert found["refused"] == []
    assert all(row["was"] == row["would"] for row in (*found["months"], *found["tiers"], *found["wallets"].values()))
    assert all(of["most"] == [] for of in found["members"].values())


def test_the_rich_shop_uses_points_in_every_way(app: App) -> None:
    shop(app, 7, RICH)
    names = {type(event).__name__ for events in backtest(app, None).were.values() for event in events}
    needed = (
        "HoldCaptured HoldReleased RewardClaimed RewardReturned PointsReturned PointsTransferred PoolUsed PoolLeft LotExpired"
    )
    assert set(needed.split()) | {"PointsReinstated", "ActionRecorded", "TierOverrideEnded", "MemberTagged"} <= names


def ask(app: App, *commands: object) -> None:
    for command in commands:
        outcome = app.handler.handle(Request(f"{app.log.head()} {type(command).__name__}", (command,)))
        assert outcome.accepted, outcome


def spent(app: App) -> None:
    """One order of 100.00 that earns 100 points, of which 60 are spent 20 days later, and 10 of those are given back."""
    ask(
        app,
        place("o", "ada", line("tea", 1, 10_000)),
        PayOrder("o", START),
        DeliverOrder("o", START),
        RedeemPoints("ada", "r", 60, START + 20 * DAY),
        ReturnPoints("ada", "r", "back", START + 21 * DAY, 10),
    )


def test_a_redemption_that_could_not_be_made_is_counted_once_and_its_return_falls_with_it(app: App) -> None:
    spent(app)
    terms = read({"return_days": 30}, "UTC", "USD")[0]
    found = compare(backtest(app, terms))
    assert found["refused"] == [{"command": "RedeemPoints", "code": "points_short", "requests": 1, "points": 60, "money": 60}]
    of = found["wallets"]["points"]
    assert (of["was"]["to_spend"], of["was"]["pending"], of["was"]["cost"]) == (50, 0, 50)
    assert (of["would"]["to_spend"], of["would"]["pending"], of["would"]["cost"]) == (0, 100, 0)
    assert found["members"]["points"] == {
        "gain": {"members": 0, "points": 0},
        "lose": {"members": 1, "points": 100},
        "most": [{"member": "ada", "was": 100, "would": 0, "change": -100}],
    }
    (month,) = found["months"]
    nothing = {"redeemed": 0, "returned": 0, "lapsed": 0, "clawed_back": 0, "cost": 0}
    assert month["was"] == nothing | {"granted": 100, "redeemed": 60, "returned": 10, "cost": 50}
    assert month["would"] == nothing | {"granted": 100}


def test_members_redeem_the_same_share_of_a_richer_balance_and_returns_keep_the_proportion(app: App) -> None:
    spent(app)
    double = read({"earning": {"spend": [{"id": "purchase", "rate": 2}]}}, "UTC", "USD")[0]
    found = compare(Backtest(FIRST, app.log.codec, double, redeem_share=True).run(app.log))
    assert found["scenario"] == "redeem-share"
    assert found["refused"] == []
    assert SAME_SHARE in found["unknown"]
    assert AS_THEN not in found["unknown"]
    (month,) = found["months"]
    assert (month["was"]["redeemed"], month["was"]["returned"], month["was"]["cost"]) == (60, 10, 50)
    assert (month["would"]["redeemed"], month["would"]["returned"], month["would"]["cost"]) == (120, 20, 100)
    assert found["wallets"]["points"]["would"]["to_spend"] == 100
    plain = compare(backtest(app, double))
    assert (plain["scenario"], plain["months"][0]["would"]["redeemed"]) == ("as-then", 60)


def test_a_member_without_points_is_refused_in_the_same_share_too(app: App) -> None:
    spent(app)
    terms = read({"return_days": 30}, "UTC", "USD")[0]
    found = compare(Backtest(FIRST, app.log.codec, terms, redeem_share=True).run(app.log))
    assert found["refused"] == [{"command": "RedeemPoints", "code": "points_short", "requests": 1, "points": 60, "money": 60}]
    assert found["months"][0]["would"]["returned"] == 0


@briefly
@given(histories())
def test_the_published_policy_shows_no_difference_to_itself_in_the_same_share(valkey_url: str, told: list[Request]) -> None:
    with another(valkey_url) as app:
        app.handler.handle_all(told)
        done = Backtest(FIRST, app.log.codec, None, redeem_share=True).run(app.log)
    assert done.would == done.were
    assert done.refused == {}


def test_the_rich_shop_under_its_own_policy_shows_no_difference_in_the_same_share(app: App) -> None:
    shop(app, 7, RICH)
    done = Backtest(FIRST, app.log.codec, None, redeem_share=True).run(app.log)
    assert done.would == done.were


def test_history_before_from_stands_and_the_policy_holds_after_it(app: App) -> None:
    spent(app)
    ask(app, place("p", "ada", line("tea", 1, 10_000), at=START + 40 * DAY), PayOrder("p", START + 40 * DAY))
    double = read({"earning": {"spend": [{"id": "purchase", "rate": 2}]}}, "UTC", "USD")[0]
    found = compare(backtest(app, double, START + 30 * DAY), START + 30 * DAY)
    assert found["refused"] == []
    assert [(row["was"]["granted"], row["would"]["granted"]) for row in found["months"]] == [(100, 100), (100, 200)]
    assert found["wallets"]["points"]["would"]["to_spend"] == found["wallets"]["points"]["was"]["to_spend"] == 50


def test_a_backtest_up_to_an_instant_leaves_out_what_came_later(app: App) -> None:
    spent(app)
    done = backtest(app, None, until=START + 20 * DAY - 1)
    assert done.would == done.were
    assert compare(done)["wallets"]["points"]["would"]["to_spend"] == 100
    assert done.now == START + 20 * DAY - 1


def test_tiers_are_counted_at_the_end_of_each_month(app: App) -> None:
    at = START + 10 * DAY
    ask(
        app,
        place("o", "ada", line("tea", 1, 150_000), at=START),
        PayOrder("o", START),
        place("p", "bob", line("tea", 1, 100), at=at + 40 * DAY),
        PayOrder("p", at + 40 * DAY),
    )
    harder = read({"tiers": [{"name": "silver", "threshold": 2000, "keep": 100}]}, "UTC", "USD")[0]
    rows = compare(backtest(app, harder))["tiers"]
    assert [row["month"] for row in rows] == ["2017-01", "2017-02"]
    assert [row["was"] for row in rows] == [{"silver": 1}, {"member": 1, "silver": 1}]
    assert [row["would"] for row in rows] == [{"member": 1}, {"member": 2}]


def test_the_command_prints_tables_json_and_a_page_and_writes_nothing_to_the_log(settings: Settings, tmp_path: Path) -> None:
    with running(settings) as app:
        app.handler.handle_all(list(requests(30)))
        head = app.log.head()
    environment = {"REGULARS_HOME": str(settings.home), "REDIS_URL": "redis://127.0.0.1:1", "COLUMNS": "220"}
    policy, page = ROOT / "docs/policies/strict-returns.yaml", tmp_path / "page.html"

    def run(*words: object) -> str:
        done = CliRunner(env=environment).invoke(regulars, ["backtest", str(policy), *map(str, words)])
        assert done.exit_code == 0, done.output
        return done.stdout

    assert "Scenario: Members redeem" in run("--redeem-share", "--html", page)
    assert SAME_SHARE in page.read_text()
    tables = run("--html", page)
    assert "Scenario" not in page.read_text()
    assert "Members by tier at the end of the month" in tables
    assert "Stars by month" in tables
    assert run("--json") == run("--json")
    assert json.loads(run("--json"))["position"] == head
    assert "<svg" in page.read_text()
    assert all(sentence in page.read_text() for sentence in UNKNOWN)
    assert all(sentence in (ROOT / "docs/backtest.md").read_text() for sentence in UNKNOWN)
    with running(settings) as app:
        assert app.log.head() == head


def test_the_command_refuses_an_end_before_the_beginning(settings: Settings) -> None:
    words = ["backtest", str(ROOT / "docs/policies/plain.yaml"), "--from", "2017-02-01", "--to", "2017-01-01"]
    with running(settings) as app:
        app.handler.handle_all(list(requests(1)))
    done = CliRunner(env={"REGULARS_HOME": str(settings.home)}).invoke(regulars, words)
    assert (done.exit_code, "before --from" in done.stderr) == (2, True)
