"""Which instant counts as now."""

from __future__ import annotations

import time
from collections.abc import Callable

from streams.commands.scheduler import latest
from streams.running.app import App


def clock_of(app: App) -> Callable[[], int]:
    """Return a function that returns now in UTC epoch milliseconds.

    For a live shop (``REGULARS_CLOCK=wall``) that is the machine's time, else the latest instant in the log, so that a log of
    2017 stays in 2017.
    """
    if app.settings.clock == "wall":
        return lambda: round(time.time() * 1000)
    return lambda: latest(app.log)
