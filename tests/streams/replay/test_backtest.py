"""A backtest decides as the shop decided: the same policy shows no difference, another one what a shop under it has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aggregates.membership.commands import AdjustPoints, ClaimReward, HoldPoints, OverrideTier, RedeemPoints, TransferPoints
from aggregates.programme import Policies, Programme
from aggregates.programme.document import read
from aggregates.programme.policy import PublishPolicy
from infra.yaml_document import parse
from streams.commands.request import Request
from streams.commands.scheduler import tick
from streams.replay.backtest import Backtest, Histories
from streams.replay.backtest_figures import compare
from streams.running.app import App
from tests.shop import HOUR, MEMBERS, START, requests
from tests.streams.imports.lines import another

POLICIES = Path("docs/policies")
FIRST = Policies.first("UTC", "USD")
LATER = START + 3_000 * HOUR


def document_of(name: str) -> Any:
    return parse((POLICIES / f"{name}.yaml").read_bytes())[0].plain


def terms_of(name: str) -> Programme:
    return read(document_of(name), "UTC", "USD")[0]


def backtest(app: App, terms: Programme | None, since: int = 0, until: int | None = None) -> Histories:
    return Backtest(FIRST, app.log.codec, terms, since, until).run(app.log)


def uses(at: int) -> list[object]:
    """What members and the shop ask for beside purchases."""
    return [
        AdjustPoints(MEMBERS[2], "a", 200, "goodwill", "kim", at),
        OverrideTier(MEMBERS[3], "trial", "pin", "gold", "a trial", "kim", at, at + 900 * HOUR),
        RedeemPoints(MEMBERS[2], "r", 30, at + 1),
        HoldPoints(MEMBERS[2], "h", 20, at + 2),
        TransferPoints(MEMBERS[2], MEMBERS[6], "t", 10, at + 3),
        ClaimReward(MEMBERS[2], "c", "mug", at + 4),
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


@settings(max_examples=6, deadline=None, suppress_health_check=(HealthCheck.function_scoped_fixture, HealthCheck.too_slow))
@given(st.integers(0, 1_000), st.sampled_from((None, "strict-returns", "calendar-year")))
def test_the_published_policy_against_itself_decides_every_event_as_it_was(
    valkey_url: str, seed: int, policy: str | None
) -> None:
    with another(valkey_url) as app:
        shop(app, seed, policy and document_of(policy))
        done = backtest(app, None)
        assert done.were
        assert done.would == done.were
        assert done.refused == {}
        assert done.candidate == done.published
    found = compare(done)
    assert all(row["was"] == row["would"] for row in (*found["months"], *found["tiers"], *found["wallets"].values()))
    assert all(of["most"] == [] for of in found["members"].values())


@pytest.mark.parametrize("policy", ["strict-returns", "calendar-year"])
@pytest.mark.parametrize("seed", [7, 8])
def test_another_policy_shows_the_figures_of_a_shop_that_always_had_it(valkey_url: str, policy: str, seed: int) -> None:
    with another(valkey_url) as app, another(valkey_url, 2) as under:
        accepted = shop(app, seed, ticks=False)
        document = document_of(policy)
        under.handler.handle(Request("policy", (PublishPolicy(document, 0, "kim", 0),)))
        refused = [outcome.code for outcome in under.handler.handle_all(accepted) if not outcome.accepted]
        done, lived = backtest(app, terms_of(policy)), backtest(under, None)
    assert sorted(refused) == sorted(kind.code for kind, total in done.refused.items() for _ in range(total.requests))
    assert done.would == lived.were
    found, real = compare(done), compare(lived)
    for part in ("months", "tiers"):
        theirs = [row | {"was": row["was"]} for row in real[part]]
        ours = {(row["month"], row.get("wallet")): row["would"] for row in found[part]}
        assert {(row["month"], row.get("wallet")): row["was"] for row in theirs}.items() <= ours.items()
    assert found["months"] != real["months"]
    assert {wallet: of["was"] for wallet, of in real["wallets"].items()} == {
        wallet: found["wallets"][wallet]["would"] for wallet in real["wallets"]
    }
