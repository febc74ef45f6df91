"""The policy: what the shop's programme says, version by version, each in force from an instant on.

A document is complete plain data, so that an event says for ever what it said when it was published: whatever terms come to
this program later are off in it. Versions count from 1, the programme of a shop that has published none. Publishing changes no
decision that was taken, nor one that time had brought before and nobody had recorded: it never takes effect in the past.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from aggregates.decider import Decider, Refusal, require_id
from aggregates.programme import Policies, Programme
from aggregates.programme.document import plain
from aggregates.programme.problems import problems
from aggregates.programme.reading import read
from aggregates.value import Value

SHOP = "shop"
"""The one policy of a log."""

END_OF_TIME = 253_402_300_800_000
"""The year 10000, past which calendars do not go."""

# Commands


class PublishPolicy(Value):
    """``document`` holds from ``effective`` on. ``replaces``: the newest version its author knew, if that is to be so still.

    ``zone`` and ``currency`` are the shop's.
    """

    document: Mapping[str, Any]
    effective: int
    actor: str
    at: int
    zone: str = "UTC"
    currency: str = "USD"
    replaces: int | None = None


Command = PublishPolicy

# Events


class PolicyPublished(Value):
    """``document``: the terms, complete. ``effective``: from when on they hold, until those of a later version."""

    policy: str
    version: int
    document: Mapping[str, Any]
    zone: str
    currency: str
    effective: int
    actor: str
    at: int


Event = PolicyPublished

# State: every version, with the instant it holds from


def decide(command: Command, policies: Policies) -> list[Event]:
    terms, unfit = read(command.document, command.zone, command.currency)
    for path, reason in unfit or problems(terms):
        raise Refusal("policy_invalid", f"{'.'.join(map(str, path)) or 'The document'}: {reason}.")
    require_id("actor", command.actor)
    if type(command.effective) is not int or not 0 <= command.effective < END_OF_TIME:
        raise Refusal("effective_invalid", "A policy takes effect at an instant: milliseconds since 1970.")
    if command.effective < command.at:
        raise Refusal(
            "effective_past", "A policy cannot take effect in the past: what happened was decided, or is due, by others."
        )
    newest = len(policies.versions)
    if published(terms, policies) and command.effective >= policies.since(newest) and newest > 1:
        return []  # it is what holds from then on
    if command.replaces not in (None, newest):
        raise Refusal("policy_changed", changed(command.replaces, newest))
    version, document = newest + 1, plain(terms)
    return [
        PolicyPublished(SHOP, version, document, command.zone, command.currency, command.effective, command.actor, command.at)
    ]


def changed(replaces: object, newest: int) -> str:
    if type(replaces) is int and replaces < newest:
        return f"Version {newest} was published meanwhile: look at it before replacing it."
    return f"There is no version {replaces} to replace: the newest is {newest}."


def published(terms: Programme, policies: Policies) -> bool:
    """Whether these are the terms of the newest version."""
    return plain(terms) == plain(policies.newest)


def evolve(policies: Policies, event: Event) -> Policies:
    if len(policies.versions) == 1:
        policies = Policies.first(event.zone, event.currency)
    terms = stated(json.dumps(event.document), event.zone, event.currency)
    return policies.with_version(terms, event.effective)


@lru_cache(maxsize=64)
def stated(document: str, zone: str, currency: str) -> Programme:
    """Read once a process: a writer that is not alone rebuilds the policy at every append."""
    return read(json.loads(document), zone, currency)[0]


policy = Decider("policy", Policies(), decide, evolve)
