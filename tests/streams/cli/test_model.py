"""``regulars model show`` and ``regulars quality``, over what a small shop has taught."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from infra.redis.views import Views
from models.evaluation.quality import LISTS
from models.recommender.features import FEATURES
from streams.cli import model as modelling
from streams.cli.main import regulars
from streams.running.app import App
from tests.shop import requests


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


def test_model_show_prints_every_feature_with_its_weight(taught: Views) -> None:
    told = json.loads(run("model", "show", "--json").output)
    assert [row["feature"] for row in told["features"]] == list(FEATURES)
    assert told["candidates"] > 0
    assert any(row["weight"] not in (0.0, 1.0) for row in told["features"]), "it has learned"
    assert all(name.split()[0] in run("model", "show").output for name in FEATURES)


def test_quality_is_shown_by_period_and_list(taught: Views) -> None:
    told = json.loads(run("quality", "--by", "month", "--json").output)
    assert {row["list"] for row in told["quality"]} == set(LISTS)
    periods = [row["period"] for row in told["quality"] if (row["scope"], row["list"]) == ("all", "regulars")]
    assert periods == sorted(set(periods))
    assert periods[0] == "2017-01"
    later = json.loads(run("quality", "--since", "2017-02-01", "--until", "2017-03-01", "--json").output)
    assert {row["period"] for row in later["quality"]} == {"2017-02"}


def test_the_html_page_needs_no_other_file_and_names_every_list(taught: Views, tmp_path: Path) -> None:
    file = tmp_path / "quality.html"
    assert run("quality", "--html", str(file)).exit_code == 0
    page = file.read_text()
    assert page.count("<polyline") == 2 * len(LISTS)
    assert "<script" not in page
    assert "http:" not in page
    assert "https:" not in page


def test_a_sparkline_rises_with_its_values() -> None:
    assert modelling.sparkline([0.0, 0.05, 0.1]) == " ▄█"
    assert modelling.sparkline([]) == ""
