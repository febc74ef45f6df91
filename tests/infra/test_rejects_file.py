"""An erasure reaches the rejected lines of a home."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infra.rejects_file import RejectedLine, RejectsFile, purge_rejects


def rejects_of(home: Path, *raws: bytes) -> Path:
    path = home / "rejects" / "shop.jsonl"
    with RejectsFile(path) as file:
        file.write([RejectedLine(number, "some_code", "Why.", raw) for number, raw in enumerate(raws, 1)])
    return path


@pytest.mark.parametrize(
    "raw",
    [
        b'{"type": "member", "member_id": "vic", "name": "Vic"}',
        b'{"type": "search", "session_id": "s-1", "query": "secret"}',
        b'{"type": "regulars", "values": {"member": "vic", "name": "Vic"}}',
        b'{"type": "view", "member_id": 7}',
        b"no JSON: Vic",
        b'["vic"]',
        b"\xff vic",
        b"[" * 5000,
    ],
)
def test_lines_of_an_erased_member_and_lines_of_nobody_knows_whom_are_purged(tmp_path: Path, raw: bytes) -> None:
    other = b'{"type": "view", "member_id": "ada", "slot": "vic"}'
    path = rejects_of(tmp_path, raw, other)
    purge_rejects(tmp_path, {"vic", "s-1", "7"})
    assert [json.loads(line)["raw"] for line in path.read_text().splitlines()] == [other.decode()]
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_without_any_other_line_is_removed_with_its_folder(tmp_path: Path) -> None:
    rejects_of(tmp_path, b"{")
    purge_rejects(tmp_path, {"vic"})
    assert not (tmp_path / "rejects").exists()


def test_nothing_is_purged_for_nobody(tmp_path: Path) -> None:
    path = rejects_of(tmp_path, b"{")
    before = path.read_bytes()
    purge_rejects(tmp_path, set())
    purge_rejects(tmp_path / "other", {"vic"})
    assert path.read_bytes() == before
