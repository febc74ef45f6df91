"""The versions of the policy that a log has."""

from __future__ import annotations

from functools import reduce
from typing import Any

from aggregates.programme import Policies
from aggregates.programme.policy import PolicyPublished, policy
from infra.event_log.log import EventLog


def versions(log: EventLog, first: Policies) -> tuple[Policies, list[PolicyPublished]]:
    """Return the versions in a log, which begin with ``first``, and the events that published the others."""
    events: Any = log.read(policy.name)[0]
    return reduce(policy.evolve, events, first), list(events)
