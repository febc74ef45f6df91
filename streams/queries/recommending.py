"""A member's list, scored anew for the moment at which it is read."""

from __future__ import annotations

from typing import Any

import msgspec

from aggregates.programme import Programme
from infra.redis.views import Views
from models.learner import Learner
from models.recommender.lists import Variety
from models.recommender.visits import SUMS
from streams.queries.views import document, table


def recommended(views: Views, terms: Programme, member: str, variety: Variety, at: int | None = None) -> dict[str, Any] | None:
    """Return what to show a member at an instant; None if they have bought nothing.

    ``at``: UTC epoch milliseconds; without it, the shop's clock, which is the latest instant that the learner knows. The stored
    state is read, and nothing is written.
    """
    stored = document(views, f"recommend:{member}")
    if stored is None:
        return None
    now = at if at is not None else max(int(table(views, SUMS).get("clock", 0)), stored["as_of"])
    learner = Learner(terms.zone)
    while needed := learner.needs_of_list(member):
        learner.restore(views.hashes(needed))
    items, new = learner.shown(member, now, variety)
    return stored | {"items": msgspec.to_builtins(items), "discover": msgspec.to_builtins(new), "for_time": now}
