"""``regulars model show`` and ``regulars quality``, over what a small shop has taught."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from aggregates.behaviour import Viewed
from aggregates.order.decider import PayOrder
from infra.redis.views import Views
from models.evaluation.quality import LISTS, VISIT_LISTS
from models.recommender.features import FEATURES
from streams.cli import model as modelling
from streams.cli.main import regulars
from streams.commands.request import Request
from streams.queries import views as reading
from streams.running.app import App
from tests.shop import HOUR, START, line, place, requests

DAY = 24 * HOUR


@pytest.fixture
def views(app: App, monkeypatch: pytest.MonkeyPatch) -> Views:
    """The read models, as the commands will find them."""
    monkeypatch.setenv("REGULARS_HOME", str(app.settings.home))
    monkeypatch.setenv("REDIS_URL", str(app.settings.redis_url))
    return app.views


def run(*words: str) -> Result:
    return CliRunner().invoke(regulars, words)


@pytest.fixture
def taught(app: App, views: Views) -> Views:
    app.handler.handle_all(list(requests(shoppings=60)))
    app.follower().catch_up()
    return views


def test_an_untrained_model_is_refused_with_a_sentence(views: Views) -> None:
    for words in (("model", "show"), ("quality",)):
        result = run(*words)
        assert (result.exit_code, modelling.NOTHING in result.output) == (1, True)


def test_after_clicks_alone_quality_shows_the_lists_of_visits(app: App, views: Views) -> None:
    looks = [
        Viewed(product=product, member=None, session="s", at=START + n, slot=None, place=None)
        for n, product in enumerate(("tea", "pot"))
    ]
    app.handler.handle_all([Request(f"look {n}", (look,)) for n, look in enumerate(looks)])
    app.follower().catch_up()
    result = run("quality")
    assert result.exit_code == 0
    assert "Visits: the product that is looked at next" in result.stdout
    assert "No basket was tested in this time." in result.stderr
    assert {row["list"] for row in json.loads(run("quality", "--json").stdout)["visits"]} >= {"regulars", "popular"}


def test_model_show_prints_every_feature_with_its_weight(taught: Views) -> None:
    told = json.loads(run("model", "show", "--json").output)
    assert [row["feature"] for row in told["features"]] == list(FEATURES)
    assert told["candidates"] > 0
    assert any(row["weight"] not in (0.0, 1.0) for row in told["features"]), "it has learned"
    assert all(name.split()[0] in run("model", "show").output for name in FEATURES)


def test_quality_is_shown_by_period_and_list(taught: Views) -> None:
    told = json.loads(run("quality", "--by", "month", "--json").output)
    assert {row["list"] for row in told["quality"] if row["scope"] != "new"} == set(LISTS)
    periods = [row["period"] for row in told["quality"] if (row["scope"], row["list"]) == ("all", "regulars")]
    assert periods == sorted(set(periods))
    assert periods[0] == "2017-01"
    later = json.loads(run("quality", "--since", "2017-02-01", "--until", "2017-03-01", "--json").output)
    assert {row["period"] for row in later["quality"]} == {"2017-02"}


def test_what_our_list_has_more_is_shown_with_its_standard_error(taught: Views) -> None:
    rows = json.loads(run("quality", "--json").output)["quality"]
    ours = next(row for row in rows if (row["scope"], row["list"]) == ("all", "regulars"))
    assert (ours["recall_gain"], ours["recall_se"]) == (0.0, 0.0)
    decayed = next(row for row in rows if (row["scope"], row["list"]) == ("all", "decayed"))
    assert decayed["recall_gain"] == pytest.approx(ours["recall"] - decayed["recall"])
    assert "±" in run("quality").output


def test_lists_of_visits_are_measured_too(views: Views, app: App) -> None:
    looks = [Viewed(product=f"p{n % 5}", member=None, session=f"s{n % 7}", at=START + n * 1000) for n in range(200)]
    app.handler.handle_all([Request("looks", tuple(looks))])
    app.follower().catch_up()
    visits = json.loads(run("quality", "--json").output)["visits"]
    assert [row["list"] for row in visits] == list(VISIT_LISTS)
    assert {row["acts"] for row in visits} == {193}
    assert "HR@20" in run("quality").output
    assert json.loads(run("model", "show", "--json").output)["visits"]["candidates"] > 0


def test_a_members_list_is_scored_for_the_moment_it_is_read(taught: Views, app: App) -> None:
    member, at = next(reading.documents(taught, "recommend"))["member"], START + 900 * DAY
    app.handler.handle(Request("last", (place("last", member, line("p-3"), at=at), PayOrder("last", at))))
    app.follower().catch_up()
    stored = reading.document(taught, f"recommend:{member}")
    assert stored is not None
    expected = iso(stored["for_time"])
    again = json.loads(run("recommend", member, "--json", "--at", expected).output)
    assert again.pop("place")["final"] is False
    assert again == stored, "scored for the moment that the stored list is for, it is the stored list"
    later = json.loads(run("recommend", member, "--json", "--at", iso(stored["for_time"] + 90 * DAY)).output)
    assert later["for_time"] == stored["for_time"] + 90 * DAY
    assert [item["score"] for item in later["items"]] != [item["score"] for item in stored["items"]]


def iso(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat()


def test_the_html_page_needs_no_other_file_and_names_every_list(taught: Views, tmp_path: Path) -> None:
    file = tmp_path / "quality.html"
    assert run("quality", "--html", str(file)).exit_code == 0
    page = file.read_text()
    assert page.count("<polyline") == 3 * len(LISTS)
    assert "<script" not in page
    assert "http:" not in page
    assert "https:" not in page


def test_a_sparkline_rises_with_its_values() -> None:
    assert modelling.sparkline([0.0, 0.05, 0.1]) == " ▄█"
    assert modelling.sparkline([]) == ""


def test_quality_after_clicks_alone_says_how_far_the_learner_has_come(app: App, views: Views) -> None:
    assert "Nothing was learned yet" in run("quality").output
    app.handler.handle(Request("1", (Viewed(product="tea", member=None, session="s", at=START),)))
    app.follower().catch_up()
    assert "The learner has come to event #" in run("quality").output
    assert app.views.client.exists("v1:visit:s")
