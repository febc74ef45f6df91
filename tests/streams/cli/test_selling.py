"""``regulars why ORDER`` and ``regulars log rebuild-limits``."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner, Result

from aggregates.product import ListProduct
from infra.settings import Settings
from streams.cli.main import regulars
from streams.commands.checkout import place
from streams.commands.request import Request
from streams.running.app import running
from tests.shop import START
from tests.streams.commands.test_checkout import cart, launched


def run(home: Path, *words: str) -> Result:
    return CliRunner(env={"REGULARS_HOME": str(home), "COLUMNS": "120"}).invoke(regulars, words)


def sold(home: Path) -> None:
    with running(Settings(home)) as app:
        launched(app, "TEN", limits={"total": 1})
        assert app.handler.handle(Request("list", (ListProduct("tea", START, stock=3),))).accepted
        assert place(app.log, app.keys, app.handler, cart(0, codes=("TEN", "FOO"))).code == ""


def test_an_order_is_explained_in_a_table_and_as_json(tmp_path: Path) -> None:
    sold(tmp_path)
    told = run(tmp_path, "why", "o-0")
    assert told.exit_code == 0, told.output
    assert "FOO was not used: no promotion has this code" in told.output
    steps = json.loads(run(tmp_path, "why", "o-0", "--json").output)["steps"]
    assert [step["said"] for step in steps if step["what"] == "stock"] == ["2 products held"]
    assert run(tmp_path, "why", "nowhere").exit_code != 0
    assert run(tmp_path, "stop").exit_code == 0


def test_lost_rows_are_written_anew(tmp_path: Path) -> None:
    sold(tmp_path)
    assert "All rows were as the log says." in run(tmp_path, "log", "rebuild-limits").output
    with running(Settings(tmp_path)) as app, app.log.append() as append:
        append.drop_limit_rows()
    found = json.loads(run(tmp_path, "log", "rebuild-limits", "--json").output)
    assert {row["key"] for row in found} == {"campaign:TEN", "stock:tea"}
    assert run(tmp_path, "stop").exit_code == 0
