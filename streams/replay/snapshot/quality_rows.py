"""The rows of the table ``model_quality``: how good the lists were, by day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from streams.replay.snapshot.rows import EPOCH, Row

COUNTS = {"visits": "acts"}
"""The name of the number of tests of a scope, if it is not ``baskets``."""


def quality_rows(days: Mapping[str, Mapping[str, float]]) -> Iterator[Row]:
    """Yield a row for each measure of each list, from the sums by day of :class:`models.evaluation.quality.Quality`."""
    for day, sums in sorted(days.items()):
        number = date.fromisoformat(day).toordinal() - EPOCH
        for field, value in sorted(sums.items()):
            scope, _, rest = field.partition(":")
            name, _, metric = rest.rpartition(":")
            if not name:
                continue  # the number of tests, which stands in each row
            tests = int(sums[f"{scope}:{COUNTS.get(scope, 'baskets')}"])
            values: tuple[Any, ...] = (number, scope, name, metric, tests, value)
            yield "model_quality", values, ""
