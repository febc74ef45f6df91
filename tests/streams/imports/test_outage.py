"""What gives out around an import is said in a sentence, and leaves what was accepted."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from infra.rejects_file import RejectedLine
from infra.settings import Settings
from streams.imports.shop_log.importing import ShopLogImport
from tests.streams.conftest import Command
from tests.streams.imports.lines import entry, file_of

VIEWS = [entry("view", n, product_id="tea", member_id="ada") for n in range(600)]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "shop.jsonl"
    path.write_bytes(file_of(VIEWS))
    return path


@pytest.mark.parametrize("home", ["shop.jsonl", "shop.jsonl/home", "/proc/none/home"])
def test_a_home_that_cannot_be_created_is_reported(
    command: Command, file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, home: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REGULARS_HOME", home)
    for words in (("import", "shop-log", file), ("export", "shop-log")):
        said = command(*words)
        assert (said.status, said.out) == (2, b"")
        assert "REGULARS_HOME is" in said.err


def test_a_full_disk_is_reported_and_accepted_lines_stay(command: Command, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = ShopLogImport.take

    def full(task: ShopLogImport, batch: list[tuple[int, bytes]]) -> list[RejectedLine]:
        if task.counts.lines:
            raise sqlite3.OperationalError("database or disk is full")
        return whole(task, batch)

    with monkeypatch.context() as filled:
        filled.setattr(ShopLogImport, "take", full)
        said = command("import", "shop-log", file, "--json")
    assert (said.status, said.out) == (2, b"")
    assert "The import broke off (database or disk is full). What was accepted stays" in said.err
    again = command("import", "shop-log", file, "--json")
    assert (again.status, again.json["accepted"], again.json["duplicates"]) == (0, 89, 511)


def test_an_unwritable_outcome_is_reported(settings: Settings, file: Path) -> None:
    regulars = Path(sys.executable).with_name("regulars")
    place = {"REGULARS_HOME": str(settings.home), "REDIS_URL": str(settings.redis_url)}
    with Path("/dev/full").open("wb") as full:
        words = (str(regulars), "import", "shop-log", str(file), "--json")
        said = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, env=os.environ | place, check=False)
    assert said.returncode == 2
    assert b"The outcome cannot be written to standard output" in said.stderr
    assert b"Traceback" not in said.stderr


def test_an_error_keeps_its_status_even_if_it_cannot_be_printed(tmp_path: Path) -> None:
    regulars = Path(sys.executable).with_name("regulars")
    with Path("/dev/full").open("wb") as full:
        words = (str(regulars), "import", "shop-log", str(tmp_path / "missing.jsonl"))
        assert subprocess.run(words, stderr=full, env=os.environ, check=False).returncode == 2


def test_two_imports_at_once_take_each_line_once(settings: Settings, file: Path) -> None:
    regulars = Path(sys.executable).with_name("regulars")
    place = os.environ | {"REGULARS_HOME": str(settings.home), "REDIS_URL": str(settings.redis_url)}
    words = (str(regulars), "import", "shop-log", str(file), "--json")
    both = [subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=place) for _ in range(2)]
    taken = [json.loads(one.communicate()[0]) for one in both]
    assert [one.returncode for one in both] == [0, 0]
    assert [sum(one[count] for one in taken) for count in ("accepted", "duplicates", "rejected")] == [600, 600, 0]


def test_a_file_of_unknown_size_is_read_to_its_end(command: Command) -> None:
    said = command("import", "shop-log", "/proc/version", "--json")
    assert (said.status, said.json["by_reason"]) == (2, {"json_invalid": 1})
