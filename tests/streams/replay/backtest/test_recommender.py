"""Other settings of the recommender beside today's: the same baskets, paired by day, with any number of processes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from infra.settings import Settings
from models.recommender.settings import SHIPPED, RecommenderSettings
from streams.queries.views import quality
from streams.replay.backtest.recommender import both_qualities, compared, paired_mean, read_settings
from streams.running.app import App, running
from tests.shop import requests
from tests.streams.conftest import Command

OTHER = RecommenderSettings(repeats=3, companions=1, popular=2, rate=0.5, averaged=0)
YAML = b"repeats: 3\ncompanions: 1\npopular: 2\nrate: 0.5\naveraged: 0\n"


@pytest.fixture
def shop(tmp_path: Path, valkey_url: str, client: redis.Redis) -> Iterator[App]:
    with running(Settings(tmp_path / "home", valkey_url)) as app:
        app.handler.handle_all(list(requests(120)))
        yield app


def learned(app: App, candidate: RecommenderSettings, processes: int) -> tuple[object, object]:
    home, until = app.settings, app.log.head()
    return both_qualities(app.log, home, app.terms.zone, until, candidate, processes, lambda _: None)


def test_todays_settings_against_themselves_show_no_difference_and_are_the_live_quality(shop: App) -> None:
    was, would = both_qualities(shop.log, shop.settings, "UTC", shop.log.head(), SHIPPED, 1, lambda _: None)
    assert was == would
    found = compared(was, would)
    assert {row["difference"] for row in found["whole"]} == {0.0}
    shop.follower().catch_up()
    live = quality(shop.views)["all", "regulars"]
    told = {row["measure"]: row for row in found["whole"] if row["scope"] == "all"}
    assert told["recall"]["tests"] == live.baskets > 20
    assert told["recall"]["was"] == pytest.approx(live.recall)
    assert told["ndcg"]["was"] == pytest.approx(live.ndcg)


def test_other_settings_are_tested_on_the_same_baskets_and_differ(shop: App) -> None:
    was, would = both_qualities(shop.log, shop.settings, "UTC", shop.log.head(), OTHER, 1, lambda _: None)
    assert was != would
    rows = compared(was, would)["whole"]
    assert any(row["difference"] for row in rows)
    assert all(row["was"] + row["difference"] == pytest.approx(row["would"]) for row in rows)


def test_two_processes_give_the_figures_of_one(shop: App) -> None:
    assert learned(shop, OTHER, 2) == learned(shop, OTHER, 1)


def test_the_error_is_that_of_days_whose_baskets_are_alike() -> None:
    """Two days of 10 and 30 baskets, by hand: Δ = (2 + 3) / 40; residuals 2 - 1.25 and 3 - 3.75."""
    found = paired_mean("all", "recall", [10, 30], [(1.0, 3.0), (4.0, 7.0)])
    assert found.difference == pytest.approx(0.125)
    assert found.se == pytest.approx((2 * (0.75**2 + 0.75**2)) ** 0.5 / 40)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (b"cats: 3\n", "there is no such setting"),
        (b"repeats: many\n", "a whole number from 1 to 1000"),
        (b"repeats: 2.5\n", "a whole number"),
        (b"rate: 0\n", "a number from 1e-06 to 10"),
        (b"- a list\n", "it states no setting"),
        (b"repeats: [\n", ""),
    ],
)
def test_a_setting_that_is_none_is_named_with_its_line(source: bytes, reason: str) -> None:
    _, problems = read_settings(source)
    assert problems
    assert reason in problems[0].reason
    assert problems[0].line >= 1


def test_the_settings_of_a_file_are_read() -> None:
    assert read_settings(YAML) == (OTHER, [])
    assert read_settings(b"repeats: 61\n") == (RecommenderSettings(repeats=61), [])


def test_the_command_compares_and_writes_a_page(command: Command, tmp_path: Path, valkey_url: str, client: redis.Redis) -> None:
    with running(Settings(tmp_path / "home", valkey_url)) as app:
        app.handler.handle_all(list(requests(60)))
    (file := tmp_path / "settings.yaml").write_bytes(YAML)
    page = tmp_path / "page.html"
    found = command("backtest", "--recommender", file, "--processes", 1, "--json", "--html", page).json
    assert found["changed"]["repeats"] == [60, 3]
    assert {row["scope"] for row in found["whole"]} >= {"all", "visits"}
    assert found["place"]["axis"] == "recorded"
    assert "<script" not in page.read_text()
    assert "<svg" in page.read_text()
    shown = command("backtest", "--recommender", file, "--processes", 1, "--to", "#400")
    assert (shown.status, b"Recall@10 by month" in shown.out, "position 400" in shown.err) == (0, True, True)
    assert command("backtest").status == 2
    assert command("backtest", file, "--recommender", file).status == 2
    file.write_bytes(b"cats: 1\n")
    refused = command("backtest", "--recommender", file)
    assert (refused.status, "settings.yaml:1:1" in refused.err) == (1, True)
