"""A member's list, scored again for the moment at which it is read."""

from __future__ import annotations

from typing import Any

import msgspec

from aggregates.programme import Programme
from infra.redis.views import Views
from models.learner import Learner
from models.recommender.lists import Variety
from streams.queries.views import document


def recommended(views: Views, terms: Programme, member: str, variety: Variety, at: int) -> dict[str, Any] | None:
    """Return what to show a member at an instant (UTC epoch milliseconds); None if they have bought nothing.

    The learner's stored state is read, and nothing is written.
    """
    stored = document(views, f"recommend:{member}")
    if stored is None:
        return None
    learner = Learner(terms.zone)
    while needed := learner.needs_of_list(member):
        learner.restore(views.hashes(needed))
    return with_lists(stored, learner, member, variety, at)


def with_lists(stored: dict[str, Any], learner: Learner, member: str, variety: Variety, at: int) -> dict[str, Any]:
    """Return a member's stored document with the lists of a learner that holds what it needs, for an instant."""
    items, new = learner.shown(member, at, variety)
    return stored | {"items": msgspec.to_builtins(items), "discover": msgspec.to_builtins(new), "for_time": at}
