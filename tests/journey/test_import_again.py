"""An import can be asked for again, or be killed at any point: what is there afterwards is the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.embedded.valkey import EmbeddedRedis
from streams.cli.import_ import Imported, import_complete_journey
from streams.running.app import App
from tests.conftest import JOURNEY
from tests.journey.regulars import import_with_kills
from tests.redis_content import digests_of


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    EmbeddedRedis(tmp_path / "valkey").stop()


def test_importing_twice_changes_nothing(app: App, imported: Imported) -> None:
    before, head = digests_of(app), app.log.head()
    again = import_complete_journey(app, JOURNEY, quiet=True)
    assert (again.events, again.repeated) == (0, imported.requests)
    assert (digests_of(app), app.log.head()) == (before, head)


@pytest.mark.servers
def test_killed_imports_of_a_week_and_then_of_more_end_like_one_undisturbed_import(app: App, home: Path) -> None:
    import_with_kills(home, weeks=1, kills=2, seconds=(1.5, 4.0), seed=20)
    regulars, hit = import_with_kills(home, JOURNEY, kills=3, seconds=(1.5, 4.0), seed=21)
    assert hit, "every kill came too late to hit the import"
    assert regulars.json("digest") == digests_of(app)


@pytest.mark.servers
def test_models_taught_later_have_the_same_digest(app: App, home: Path) -> None:
    regulars, _ = import_with_kills(home, weeks=1, kills=0, seconds=(0, 0), seed=0)
    status, _, err = regulars.run("import", "complete-journey", "--weeks", str(JOURNEY), "--without-models")
    assert status == 0, err
    status, _, err = regulars.run("digest")
    assert status == 3
    assert "events behind the log: learner;" in err
    assert regulars.run("follow", "--once")[0] == 0
    assert regulars.json("digest") == digests_of(app)
