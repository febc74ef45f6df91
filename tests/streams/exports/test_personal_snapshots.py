"""Who took personal values, and why, comes back from a file, so that erasures in the new log list the snapshots, too."""

from __future__ import annotations

from aggregates.personal_snapshot import RecordPersonalSnapshot
from tests.shop import START
from tests.streams.exports.test_priced import assert_comes_back


def test_a_personal_snapshot_comes_back_from_a_file(valkey_url: str) -> None:
    first = RecordPersonalSnapshot("letters", 7, "yearly letter", "console:ada", START)
    again = RecordPersonalSnapshot("letters", 9, "yearly letter", "console:ada", START)
    assert_comes_back(valkey_url, first, again, first)
