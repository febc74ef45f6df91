"""A backtest has the same figures with any number of processes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from aggregates.programme import Programme
from aggregates.programme.document import read
from infra.settings import Settings
from streams.cli.main import regulars
from streams.replay.backtest.figures import figures, merged
from streams.replay.backtest.processes import REWARD, MemberShare, Scenario, groups_in
from streams.running.app import App, running
from tests.shop import MEMBERS
from tests.streams.exports.histories import histories
from tests.streams.imports.lines import another
from tests.streams.replay.backtest.test_policy import FIRST, RICH, ROOT, briefly, shop, terms_of

GENEROUS = {**RICH, "rewards": [{"id": "mug", "gives": "product", "item": "mug-01", "price": 3, "stock": 1}]}


def in_shares(app: App, terms: Programme | None, of: int, redeem_share: bool = False) -> dict[str, Any]:
    """Return the figures, merged from those of so many shares of the members."""
    scenario = Scenario(FIRST, terms, redeem_share=redeem_share)
    groups = groups_in(app.log, terms) if of > 1 else {}
    return figures(merged([scenario.run(app.log, MemberShare(number, of, groups)) for number in range(of)]))


def written(found: dict[str, Any]) -> str:
    return json.dumps(found)


@pytest.mark.parametrize("redeem_share", [False, True])
def test_a_shop_with_pools_transfers_and_scarce_rewards_has_the_same_figures_in_any_number_of_shares(
    app: App, redeem_share: bool
) -> None:
    shop(app, 7, RICH)
    for terms in (None, read(GENEROUS, "UTC", "USD")[0], terms_of("strict-returns")):
        whole = in_shares(app, terms, 1, redeem_share)
        assert any(row["was"] != row["would"] for row in whole["months"]) == (terms is not None)
        assert all(written(in_shares(app, terms, of, redeem_share)) == written(whole) for of in (2, 3, 7))


def test_members_who_share_a_pool_points_or_a_scarce_reward_are_one_group(app: App) -> None:
    shop(app, 7, RICH)
    groups = groups_in(app.log, None)
    linked = {MEMBERS[2], MEMBERS[3], MEMBERS[6], "house", REWARD + "mug"}
    assert len({groups[name] for name in linked}) == 1
    assert not {MEMBERS[7]} & groups.keys()


@briefly
@given(histories(), st.integers(2, 5))
def test_any_history_has_the_same_figures_in_any_number_of_shares(valkey_url: str, told: list[Any], of: int) -> None:
    with another(valkey_url) as app:
        app.handler.handle_all(told)
        for terms in (None, terms_of("calendar-year")):
            assert written(in_shares(app, terms, of)) == written(in_shares(app, terms, 1))


def test_the_command_prints_the_same_bytes_with_one_process_and_with_three(settings: Settings) -> None:
    with running(settings) as app:
        shop(app, 7, RICH)
    environment = {"REGULARS_HOME": str(settings.home), "REDIS_URL": "redis://127.0.0.1:1"}
    printed = set()
    for processes in (1, 3):
        words = ["backtest", str(ROOT / "docs/policies/strict-returns.yaml"), "--json", "--processes", str(processes)]
        done = CliRunner(env=environment).invoke(regulars, words)
        assert done.exit_code == 0, done.output
        printed.add(done.stdout)
    assert len(printed) == 1
