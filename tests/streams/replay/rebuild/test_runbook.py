"""Every command of the runbook in ``docs/operating.md`` runs, in the order in which the page has it."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import redis

from aggregates.value import replace
from infra.settings import Settings
from projections.sales import sales
from streams.running.app import running
from tests.redis_content import digests_of
from tests.shop import requests
from tests.streams.conftest import Command

PAGE = Path(__file__).parents[4] / "docs" / "operating.md"


def section(title: str) -> str:
    """Return the text of a section of the page."""
    return PAGE.read_text().split(f"## {title}\n")[1].split("\n## ")[0]


def blocks(title: str) -> list[list[str]]:
    """Return the commands of each block of a section."""
    return [block.strip().splitlines() for block in re.findall(r"```\n(.*?)```", section(title), re.DOTALL)]


MENDED, BACK, *OTHERS = blocks("When something went wrong")
RUNBOOK = [MENDED + BACK, *OTHERS]
TABLE = re.findall(r"\| `(regulars replay[^`]*)`", section("Rebuilding the read models"))


@pytest.fixture
def home(tmp_path: Path, valkey_url: str, client: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A shop whose read models are at the head of its log; commands write their files beside it."""
    settings = Settings(tmp_path / "home", valkey_url)
    with running(settings) as app:
        app.handler.handle_all(list(requests(shoppings=20)))
        app.follower().catch_up()
    monkeypatch.chdir(tmp_path)
    return settings


def run(command: Command, line: str) -> None:
    words, _, file = line.partition(" > ")
    done = command(*shlex.split(words)[1:])
    assert done.status == 0, (line, done.err)
    if file:
        Path(file).write_bytes(done.out)


@pytest.mark.parametrize(
    "lines", RUNBOOK, ids=["a wrong fold", "a full disk", "a lost Redis", "a wrong Redis", "a wrong policy"]
)
def test_every_command_of_the_runbook_runs(
    lines: list[str],
    command: Command,
    home: Settings,
    client: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if lines[0] == "regulars replay --dry-run":
        monkeypatch.setattr("streams.registry.sales", lambda zone: replace(sales(zone), version=2))
    if lines[0] == "regulars follow --once":
        client.flushdb()
    with running(home) as app:
        before = digests_of(app)
    for line in lines:
        if line.endswith("--rollback"):
            monkeypatch.setattr("streams.registry.sales", sales)  # the program before is installed again
        run(command, line)
    if lines[0] == "regulars replay --all":
        with running(home) as app:
            assert digests_of(app) == before
            assert app.views.versions.all == ["v2"]


def test_every_command_of_the_rebuilding_table_runs(command: Command, home: Settings) -> None:
    assert len(TABLE) >= 9
    for line in TABLE:
        run(command, line.replace("--drop", "--drop --now"))


def test_a_rebuild_says_what_it_did_and_what_there_is(command: Command, home: Settings) -> None:
    dry: Any = command("replay", "card", "--dry-run", "--json").json
    assert (dry["folds"], dry["problem"], dry["keys"]) == (["card.1"], "", 8)
    done: Any = command("replay", "card", "--json").json
    assert (done["version"], done["resumed"], done["folds"][0]["fold"]) == ("v2", False, "card.1")
    states = {(row["version"], row["fold"]): row["state"] for row in command("replay", "--status", "--json").json["versions"]}
    assert (states["v2", "card.1"], states["v1", "card.1"], states["v1", "cart.2"]) == ("serving", "old", "serving")
    early = command("replay", "--drop")
    assert early.status == 1
    assert "Readers may use the version before the switch for" in early.err
    assert command("replay", "--drop", "--now", "--json").json["dropped"] == ["v1:card"]
    gone = command("replay", "--rollback")
    assert "nothing to go back to" in gone.err
    unknown = command("replay", "cards")
    assert (unknown.status, "There is no fold cards; there are card, cart," in unknown.err) == (1, True)
    assert "this program's version" in command("replay").err
