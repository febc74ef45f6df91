"""The whole year: reconciled to the cent, good enough, and said how fast. Minutes long: `make verify`."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.evaluation.quality import LISTS
from streams.cli.console import ERR, grid
from streams.cli.import_ import Imported
from streams.queries import views as reading
from streams.replay.past.places import LogClock
from streams.running.app import App
from tests.journey.regulars import Regulars, imported_into
from tests.journey.snapshot_totals import check_snapshot
from tests.journey.test_reconciliation import totals_in_redis, truth

pytestmark = pytest.mark.slow

WEEKS = 53
DAY = 86_400_000
NINTH_WEEK = "2017-02-20"


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[App, Imported]]:
    with imported_into(tmp_path_factory.mktemp("year"), None) as year:
        yield year


def test_the_year_reconciles_to_the_cent(year: tuple[App, Imported]) -> None:
    assert totals_in_redis(year[0].views) == truth(WEEKS)


def test_every_rule_of_the_import_was_met_as_often_as_its_page_says(year: tuple[App, Imported]) -> None:
    counts = year[1].counts
    assert {name: counts[name] for name in EXPECTED} == EXPECTED


EXPECTED = {
    "baskets": 155_848,
    "lines": 1_469_307,
    "lines of quantity 0": 8_869,
    "lines paid below 0": 3_507,
    "baskets paid below 0": 19,
    "baskets that total 0": 478,
    "baskets of adjustments alone": 330,
    "redemptions: coupon money on a covered product": 1_130,
    "redemptions: a covered product": 709,
    "redemptions: any coupon money": 241,
    "redemptions: alone": 22,
}


def test_the_recommender_is_as_good_as_it_is_said_to_be(year: tuple[App, Imported]) -> None:
    found = reading.quality(year[0].views, since=NINTH_WEEK)
    rows = (
        (scope, name, f"{q.baskets:,}", *(f"{value:.4f}" for value in (q.recall, q.ndcg, q.hit_rate)))
        for (scope, name), q in found.items()
    )
    ERR.print(grid("Prequential, weeks 9 to 53", ("products", "list", "baskets", "recall@10", "NDCG@10", "hit rate"), rows))
    assert found["all", "regulars"].recall >= 0.235
    assert found["all", "regulars"].recall > found["all", "personal"].recall > found["all", "popular"].recall
    for scope in ("all", "no-staples"):
        best = max(found[scope, name].recall for name in LISTS if name != "regulars")
        assert found[scope, "regulars"].recall > best, "the ranker adds to each of its sources"


def test_a_snapshot_of_the_year_reconciles_in_a_gibibyte_and_the_next_day_takes_a_fraction(
    year: tuple[App, Imported], tmp_path: Path
) -> None:
    app, _ = year
    clock = LogClock(app.log)
    before = clock.position_before(clock.at(clock.head) - DAY)
    whole = measured(app, "snapshot", str(tmp_path / "whole"))
    measured(app, "snapshot", str(tmp_path / "base"), "--at", str(before))
    day = measured(app, "snapshot", str(tmp_path / "day"), "--since", str(tmp_path / "base"))
    ERR.print(
        f"A snapshot of the year: {whole.ru_utime + whole.ru_stime:.1f} s of CPU, {whole.ru_maxrss / 2**20:.2f} GiB; since the "
        f"day before: {day.ru_utime + day.ru_stime:.1f} s"
    )
    check_snapshot(WEEKS, app.views, tmp_path / "whole")
    check_snapshot(WEEKS, app.views, tmp_path / "base", tmp_path / "day")
    assert whole.ru_maxrss < 2**20


def measured(app: App, *words: str) -> resource.struct_rusage:
    """Run a command in a process of its own, and return what it took."""
    process = Regulars(app.settings.home).start(*words)
    errors = process.stderr.read() if process.stderr else ""
    _, status, taken = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    process.communicate()
    assert process.returncode == 0, errors
    return taken


def test_memory_stays_within_its_bounds(year: tuple[App, Imported]) -> None:
    app, imported = year
    writer, beside = (resource.getrusage(who).ru_maxrss / 2**20 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    redis = app.views.client.info("memory")["used_memory_peak"] / 2**30
    rate = imported.events / imported.seconds
    ERR.print(
        f"The year: {imported.events:,} events, {rate:,.0f}/s; peaks: {writer:.2f} GiB where it is imported, "
        f"{beside:.2f} GiB in the larger of the processes beside, {redis:.2f} GiB in Redis"
    )
    assert writer + beside < 2
    assert redis < 1
