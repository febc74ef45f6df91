"""A backtest of real shopping shows what a shop that always had the other policy has. Minutes long: `make verify`.

``BACKTEST_WEEKS=53`` takes the whole year of Complete Journey instead of its first eight weeks.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from aggregates.programme import Policies, Programme
from aggregates.programme.document import read
from aggregates.programme.policy import PublishPolicy
from infra.event_log.log import EventLog
from infra.private_files import make_home
from infra.settings import Settings
from infra.yaml_document import parse
from streams.cli.import_ import TOGETHER
from streams.commands.handler import Handler
from streams.commands.request import Request
from streams.commands.scheduler import latest, tick
from streams.imports.complete_journey import SHOP, CompleteJourney
from streams.replay.backtest.figures import figures
from streams.replay.backtest.policy import Backtest
from streams.replay.backtest.processes import Scenario, backtested
from streams.running.app import open_log

pytestmark = pytest.mark.slow

WEEKS = int(os.environ.get("BACKTEST_WEEKS", "8"))
PROCESSES = 2
ROOT = Path(__file__).parents[2]


def first() -> Policies:
    return Policies.first(SHOP.zone, SHOP.currency, SHOP.digits)


def document_of(policy: str) -> Any:
    return parse((ROOT / f"docs/policies/{policy}.yaml").read_bytes())[0].plain


def terms_of(policy: str) -> Programme:
    return read(document_of(policy), SHOP.zone, SHOP.currency)[0]


@contextmanager
def logged(settings: Settings) -> Iterator[EventLog]:
    """Yield the log of a home; nothing of it needs Redis."""
    with open_log(settings) as (log, _):
        yield log


def import_log(home: Path, policy: str | None) -> Settings:
    """Import the weeks into the log of a new home, which has published a policy before."""
    settings = Settings(home)
    make_home(home)
    with open_log(settings) as (log, keys):
        log.shop(SHOP, chosen=True)
        keys.belong_to(log.identity(), has_events=False)
        with closing(Handler(log, keys, first(), lambda _: None)) as handler:
            if policy is not None:
                assert handler.handle(Request("policy", (PublishPolicy(document_of(policy), 0, "kim", 0),))).accepted
            requests = CompleteJourney(None if WEEKS == 53 else WEEKS).requests()
            while group := list(islice(requests, TOGETHER)):
                assert all(outcome.accepted for outcome in handler.handle_all(group))
            tick(log, handler, latest(log))
    return settings


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A home whose log was made under the policy that holds where none is published."""
    return import_log(tmp_path_factory.mktemp("published") / "home", None)


def check_itself(settings: Settings) -> None:
    """Assert that the published policy shows no difference to itself, event by event and in every figure."""
    with logged(settings) as log:
        done = Backtest(first(), log.codec, None).run(log)
        assert done.would == done.were
        assert done.refused == {}
        assert done.position == log.head()
        found = figures(backtested(Scenario(first(), None), log, settings, PROCESSES))
    assert all(row["was"] == row["would"] for row in (*found["months"], *found["tiers"], *found["wallets"].values()))
    assert all(of["most"] == [] for of in found["members"].values())
    assert sum(row["was"]["granted"] for row in found["months"]) > 0


def check_other(settings: Settings, lived: Settings, policy: str) -> dict[str, Any]:
    """Assert that a backtest shows for a policy what a home has that always had it; return its figures."""
    with logged(settings) as log:
        found = figures(backtested(Scenario(first(), terms_of(policy)), log, settings, PROCESSES))
    with logged(lived) as log:
        real = figures(backtested(Scenario(first(), None), log, lived, PROCESSES))
    assert found["as_of"] == real["as_of"]
    assert found["refused"] == []
    for part in ("months", "tiers"):
        theirs = {(row["month"], row.get("wallet")): row["was"] for row in real[part]}
        ours = {(row["month"], row.get("wallet")): row["would"] for row in found[part]}
        assert theirs.items() <= ours.items()
        assert not any(any(ours[place].values()) for place in ours.keys() - theirs.keys())
    assert {wallet: of["was"] for wallet, of in real["wallets"].items()} == {
        wallet: found["wallets"][wallet]["would"] for wallet in real["wallets"]
    }
    assert any(row["was"] != row["would"] for row in found["months"])
    return found


def test_the_published_policy_shows_no_difference_to_itself(published: Settings) -> None:
    check_itself(published)


@pytest.mark.parametrize("policy", ["strict-returns", "calendar-year"])
def test_another_policy_shows_the_figures_of_an_import_under_it(published: Settings, tmp_path: Path, policy: str) -> None:
    check_other(published, import_log(tmp_path / "home", policy), policy)
