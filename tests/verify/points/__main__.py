"""``python -m tests.verify.points POLICY WEEKS [SEED]``: what ``make verify`` checks of the year, of its first weeks."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from tests.verify.points.checking import differences_of_cards, report
from tests.verify.points.daily import check
from tests.verify.points.importing import lived
from tests.verify.points.recomputing import recomputed

SHOWN = 20
"""Differences that are told in full."""


def main(policy: str, weeks: int, seed: int | None) -> None:
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, lived(Path(folder), policy, weeks, seed) as life:
        print(f"{policy}, {weeks} weeks: {life.imported.events:,} events in {time.monotonic() - began:.0f} s")
        found = check(life.app.log, life.last_day, life.until)
        print(report(policy, found))
        members, unlike = recomputed(life.app.log, life.terms, life.until, lambda _: True)
        print(f"{members:,} members recomputed, {len(unlike)} differences")
        for difference in [*found.wrong, *unlike, *differences_of_cards(life.app)][:SHOWN]:
            print(difference)
        print(f"{time.monotonic() - began:.0f} s in all")


main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]) if sys.argv[3:] else None)
