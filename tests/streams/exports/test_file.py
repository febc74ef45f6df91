"""``regulars export shop-log``: the file it writes, and where it cannot."""

from __future__ import annotations

import gzip
import json
import os
import stat
from pathlib import Path

import pytest

from tests.streams.conftest import Command
from tests.streams.imports.lines import entry, file_of, order

LINES = [
    entry("member", 0, member_id="ada", name="Ada"),
    entry("click", 1, product_id="tea", session_id="s", member_id="ada", slot="home", position=3),
    order("o", 2, member_id="ada", status="paid"),
    entry("refund", 3, order_id="o", lines=[{"line": 1}]),
]


@pytest.fixture
def filled(command: Command, tmp_path: Path) -> Command:
    (tmp_path / "shop.jsonl").write_bytes(file_of(LINES))
    assert command("import", "shop-log", tmp_path / "shop.jsonl").status == 0
    return command


def test_an_export_is_written_plain_compressed_or_to_standard_output(filled: Command, tmp_path: Path) -> None:
    plain, packed = tmp_path / "out.jsonl", tmp_path / "out.jsonl.gz"
    assert filled("export", "shop-log", plain).status == filled("export", "shop-log", packed).status == 0
    out = filled("export", "shop-log").out
    assert plain.read_bytes() == gzip.decompress(packed.read_bytes()) == out
    assert {path.name for path in tmp_path.iterdir()} == {"home", "shop.jsonl", "out.jsonl", "out.jsonl.gz"}


def test_an_export_uses_a_shops_own_lines(filled: Command) -> None:
    kinds = [json.loads(line)["type"] for line in filled("export", "shop-log", "--personal").out.splitlines()]
    assert kinds == ["regulars", "member", "product", "click", "order", "refund"]


def test_names_are_exported_only_with_personal(filled: Command) -> None:
    assert b"Ada" not in filled("export", "shop-log").out
    assert b"Ada" in filled("export", "shop-log", "--personal").out


def test_an_export_imported_where_it_came_from_changes_no_order(filled: Command, tmp_path: Path) -> None:
    filled("export", "shop-log", tmp_path / "out.jsonl")
    said = filled("import", "shop-log", tmp_path / "out.jsonl", "--json").json
    assert said["by_reason"].get("id_taken", 0) == 0
    assert "order" not in said["by_type"]


def test_an_empty_log_is_a_file_of_its_shop_alone(command: Command, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    assert command("export", "shop-log", out).status == 0
    assert len(out.read_bytes().splitlines()) == 1
    assert command("import", "shop-log", out, "--json").json["lines"] == 0


@pytest.mark.parametrize("name", [".", "/", "none/out.jsonl", "/dev/full", ""])
def test_an_unwritable_target_is_reported(filled: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    said = filled("export", "shop-log", name)
    assert said.status == 2
    assert "cannot be written" in said.err
    assert {path.name for path in tmp_path.iterdir()} == {"home", "shop.jsonl"}


def test_a_device_is_written_to_not_replaced(filled: Command) -> None:
    assert filled("export", "shop-log", os.devnull).status == 0
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)


def test_a_failed_export_leaves_the_earlier_file(filled: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out.jsonl"
    out.write_bytes(b"before")

    def fails(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("streams.exports.shop_log.exporting.Export._line", fails)
    assert filled("export", "shop-log", out).status == 2
    assert out.read_bytes() == b"before"
    assert {path.name for path in tmp_path.iterdir()} == {"home", "shop.jsonl", "out.jsonl"}
