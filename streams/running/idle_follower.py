"""Brings the read models up to a position, unless another process already does."""

from __future__ import annotations

import time

from infra.settings import CHUNK
from streams.projecting.loaders import fold_name
from streams.registry import folds
from streams.running.app import App
from streams.running.positions import fold_positions

MOMENT = 1.0  # seconds in which a follower or worker that runs moves on
LOOK = 0.05  # seconds between looks

REMEDY = {"log": "run `regulars follow --once`", "topics": "is the relay running, and a worker?"}


def follow_if_idle(app: App, position: int) -> str | None:
    """Have the read models follow the log up to a position; return None if they do, else a sentence with what to do.

    A follower that runs is left to do it, since a second one would end it. A long way is left to `regulars follow`.
    """
    before = furthest_behind(app)
    until = time.monotonic() + MOMENT
    while (reached := furthest_behind(app)) < position and time.monotonic() < until:
        time.sleep(LOOK)
    if reached < position and app.feed == "log" and reached == before >= position - CHUNK:
        reached = app.follower().catch_up()
    if reached >= position:
        return None
    return f"The read models do not show it yet (they are at #{reached:,} of #{position:,}): {REMEDY[app.feed]}."


def furthest_behind(app: App) -> int:
    """Return the position that every fold has reached."""
    if app.feed == "topics":
        return min(fold.position for fold in fold_positions(app))
    return min(app.refreshed().views.positions([fold_name(fold) for fold in folds(app.terms)]).values())
