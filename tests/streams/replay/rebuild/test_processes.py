"""A rebuild with several processes makes what one makes, and none of them outlives it."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.redis.generations import Generations
from infra.settings import Settings
from models.learner import Learner
from streams.registry import folds
from streams.replay.rebuild.part_process import PartFailed
from streams.replay.rebuild.parts import parts_of
from streams.replay.rebuild.version import VersionRebuild
from streams.running.app import App
from tests.redis_content import digests_of
from tests.shop import TERMS, requests
from tests.streams.replay.rebuild.test_killed import end_leases, regulars

pytestmark = pytest.mark.servers  # processes that are started and killed

FOLDS = folds(TERMS)
PATIENCE = 60.0


@pytest.fixture
def shop(app: App) -> App:
    app.handler.handle_all(list(requests(shoppings=60)))
    app.follower().catch_up()
    return app


@pytest.mark.parametrize(("processes", "one_by_one"), [(2, False), (3, False), (1, True)])
def test_any_number_of_processes_makes_what_one_makes(processes: int, one_by_one: bool, shop: App) -> None:
    before = digests_of(shop)
    steps: list[tuple[str, int, int]] = []
    rebuild = VersionRebuild(shop, FOLDS, lambda *step: steps.append(step), processes=processes, one_by_one=one_by_one)
    done = rebuild.run()
    assert digests_of(shop.refreshed()) == before
    assert {one.fold.partition(".")[0] for one in done.compared} == {fold.name for fold in FOLDS}
    folded = [at for step, at, _ in steps if step == "fold"]
    assert folded == sorted(folded), "the slowest part never goes back"
    assert folded[-1] == shop.log.head()


def status_of(process: str) -> list[str]:
    """Return the state of a process and its parent; nothing if it has ended."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ["Z", "0"]


def children_of(process: int) -> list[int]:
    return [int(one.name) for one in Path("/proc").glob("[0-9]*") if status_of(one.name)[1] == str(process)]


def runs(process: int) -> bool:
    return status_of(str(process))[0] != "Z"


def eventually(true: Callable[[], object]) -> None:
    until = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < until
        time.sleep(0.02)


def states(app: App) -> dict[str, str]:
    return {one.name: one.state for one in Generations(app.views.client).all() if one.version == "v2"}


@pytest.fixture
def halfway(shop: App, settings: Settings) -> subprocess.Popen[bytes]:
    """A rebuild with two processes; the read models are filled, and the learner, which rests much, is not."""
    process = regulars(settings, "replay", "--all", "--processes", "2", "--throttle", "0.95")
    eventually(lambda: len(children_of(process.pid)) == 2)
    return process


def test_a_killed_child_ends_the_rebuild_and_the_next_one_folds_what_is_missing(
    shop: App, settings: Settings, halfway: subprocess.Popen[bytes]
) -> None:
    before = digests_of(shop)
    children = children_of(halfway.pid)
    learner = next(one for one in children if "learner" in Path(f"/proc/{one}/fd/2").readlink().name)
    os.kill(learner, signal.SIGSTOP)
    eventually(lambda: states(shop).get("card") == "following")
    os.kill(learner, signal.SIGKILL)
    _, err = halfway.communicate(timeout=PATIENCE)
    assert halfway.returncode == 2
    assert b"The process that rebuilt learner ended (-9" in err
    assert shop.refreshed().views.versions.all == ["v1"]
    assert states(shop)["learner"] in ("filling", "loading", "tailing")
    again = regulars(settings, "replay", "--all", "--json")
    out, err = again.communicate(timeout=PATIENCE)
    assert again.returncode == 0, err
    done = json.loads(out)
    assert (done["resumed"], [one["fold"] for one in done["folds"]]) == (True, ["learner.4"])
    assert digests_of(shop.refreshed()) == before


def test_no_child_outlives_a_killed_rebuild(shop: App, settings: Settings, halfway: subprocess.Popen[bytes]) -> None:
    before, children = digests_of(shop), children_of(halfway.pid)
    halfway.kill()
    halfway.communicate()
    eventually(lambda: not any(map(runs, children)))
    assert shop.refreshed().views.versions.all == ["v1"]
    end_leases(shop.views.client)
    assert VersionRebuild(shop, FOLDS, processes=2).run().resumed
    assert digests_of(shop.refreshed()) == before


def test_what_a_process_cannot_read_is_said_by_the_rebuild(shop: App, settings: Settings) -> None:
    with sqlite3.connect(settings.log) as database:
        (at,) = database.execute("SELECT MIN(rowid) FROM stored_events WHERE topic = 'OrderPaid'").fetchone()
        for (trigger,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {trigger}")
        database.execute("UPDATE stored_events SET state = ? WHERE rowid = ?", (b"{", at))
    with pytest.raises(PartFailed, match=f"^Event #{at}: "):
        VersionRebuild(shop, FOLDS, processes=2).run()
    assert shop.refreshed().views.versions.all == ["v1"]


def test_the_learner_comes_first_and_the_rest_is_shared_out_by_cost() -> None:
    learner, first, second = parts_of(FOLDS, 3)
    assert learner == [Learner]
    assert {fold.name for fold in first}.isdisjoint(fold.name for fold in second)
    assert len(first) + len(second) == len(FOLDS) - 1
    assert parts_of(FOLDS, 1) == [FOLDS]
    assert [len(part) for part in parts_of(FOLDS, 2, one_by_one=True)] == [1] * len(FOLDS)
