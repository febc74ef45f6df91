"""The demo's page over the two weeks: every figure is Redis's, and every command on it works."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest
from click.testing import CliRunner

from streams.cli.console import OUT
from streams.cli.demo import CALLED, SCOPES, show_page
from streams.cli.import_ import Imported
from streams.cli.main import regulars
from streams.queries import views as reading
from streams.running.app import App, redis_url
from tests.conftest import JOURNEY


@pytest.fixture
def page(app: App, imported: Imported, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("COLUMNS", "160")
    with OUT.capture() as captured:
        show_page(app, imported, JOURNEY)
    return captured.get()


def run(app: App, *words: str) -> str:
    environment = {"REGULARS_HOME": str(app.settings.home), "REDIS_URL": redis_url(app.settings), "COLUMNS": "160"}
    done = CliRunner(env=environment).invoke(regulars, words)
    assert done.exit_code == 0, done.output
    return done.output


def test_the_page_shows_what_was_imported_and_the_tiers(app: App, imported: Imported, page: str) -> None:
    sold = reading.sales_totals(app.views)
    assert f"{imported.events:,} events from {imported.requests:,} requests" in page
    assert f"{sold['members']:,} members, {sold['orders']:,} orders, {sold['lines']:,} lines" in page
    members = re.findall(r"^ ?(member|silver|gold) +([\d,]+)", page, re.MULTILINE)
    assert sum(int(number.replace(",", "")) for _, number in members) == sold["members"]
    pairs = page.partition("Strongest pairs")[2]
    assert re.search(r"^ ?1  \w.*\S +\d+ +[\d,]+\.\d", pairs, re.MULTILINE), "a pair, with its baskets and score"


def test_the_page_compares_the_lists_with_simple_ones(app: App, page: str) -> None:
    found = reading.quality(app.views)
    for scope in ("all", "no-staples"):
        for name, called in CALLED.items():
            figures = found[scope, name]
            row = [called, SCOPES[scope], f"{figures.baskets:,}", f"{figures.recall:.3f}", f"{figures.ndcg:.3f}"]
            assert re.search(" +".join(map(re.escape, row)), page)


def test_every_redis_command_of_the_page_gets_an_answer(app: App, page: str) -> None:
    told = page.partition("What a storefront sends to Redis")[2].partition("What to do next")[0]
    commands = re.findall(r"^  ([A-Z]+ .*\S)", told, re.MULTILINE)
    assert len(commands) == 7
    for command in commands:
        answer: Any = app.views.client.execute_command(*command.split())  # type: ignore[no-untyped-call]
        assert answer, command
        assert run(app, "redis", *command.split()).strip()


def test_every_command_under_what_to_do_next_works(app: App, page: str) -> None:
    told = re.findall(r"^  regulars (.*?)  ", page.partition("What to do next")[2], re.MULTILINE)
    assert len(told) == 8
    for words in map(shlex.split, told):
        if words[0] in ("import", "stop"):  # the rest of the year, and the end of it all
            assert run(app, *words, "--help")
        else:
            assert run(app, *words)
