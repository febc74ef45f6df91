"""A file is one thing that a newcomer would look for by name: of 450 lines at most."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("aggregates", "projections", "models", "infra", "streams", "tests")
LONGEST = 450


def test_no_file_is_too_long() -> None:
    lengths = {path: len(path.read_text().splitlines()) for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))}
    assert {str(path.relative_to(ROOT)): lines for path, lines in lengths.items() if lines > LONGEST} == {}
