"""The year's points and tiers under three policies: no point differs, of any member on any day. `make verify`: most of an hour.

`python -m tests.verify.points strict-returns 6 7` does the same with six weeks, in two minutes.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from aggregates.programme.policy import policy
from streams.cli.console import ERR
from streams.queries.audit import audit
from tests.verify.points.calendar import end_of
from tests.verify.points.checking import differences_of_cards, report
from tests.verify.points.daily import check
from tests.verify.points.importing import Lived, lived
from tests.verify.points.recomputing import recomputed
from tests.verify.points.roll_forward import SIGNS

pytestmark = pytest.mark.slow

WEEKS = 53
SEED = 7
MEMBERS = 2_469
MADE_UP = {"points_short", "transfer_cap", "reinstatement_too_late"}
"""What acts that are made up may be refused for; the data's own requests never are."""


@pytest.fixture(scope="module", params=["plain", "calendar-year", "strict-returns"])
def life(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    policy = request.param
    with lived(tmp_path_factory.mktemp(policy), policy, WEEKS, SEED if policy == "strict-returns" else None) as life:
        yield life


def test_every_day_of_every_member_adds_up(life: Lived, request: pytest.FixtureRequest) -> None:
    found = check(life.app.log, life.last_day, life.until)
    ERR.print(report(request.node.callspec.params["life"], found))
    assert found.wrong == []
    assert found.members == MEMBERS
    if request.node.callspec.params["life"] == "strict-returns":
        assert all(found.moved[f"points {column}"] for column in SIGNS), "everything happens"


def test_the_system_finds_its_own_books_right(life: Lived) -> None:
    policies = policy.rebuild(life.app.log.read(policy.name)[0])  # type: ignore[arg-type]
    audited = audit(life.app.log, policies, end_of(life.until) - 1)
    assert audited.differences == []
    assert audited.members == MEMBERS


def test_points_and_tiers_are_those_that_the_orders_make(life: Lived) -> None:
    members, unlike = recomputed(life.app.log, life.terms, life.until, lambda member: int(member) % 5 == 0)
    assert unlike == []
    assert members > MEMBERS / 6


def test_every_card_says_what_its_ledger_says(life: Lived) -> None:
    assert list(differences_of_cards(life.app)) == []


def test_nothing_of_the_data_is_refused(life: Lived) -> None:
    assert life.imported.refusals.keys() <= MADE_UP
