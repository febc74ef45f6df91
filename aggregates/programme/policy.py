"""The policy: the shop's programme, version by version, each in force from an instant on.

An event holds the complete document as plain data, so it never changes its meaning: terms that are added to this program
later are off in it. Version 1 is the programme of a shop that has published none. A policy never takes effect in the past, so
it changes neither decisions that were taken nor those that time had made due.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from aggregates.decider import Context, Decider, Refusal, require_id
from aggregates.programme import Policies, Programme
from aggregates.programme.document import plain, read
from aggregates.programme.problems import problems
from aggregates.value import Value

SHOP = "shop"
"""The id of a log's one policy."""

END_OF_TIME = 253_402_300_800_000
"""The year 10000: calendars end before it."""

# Commands


class PublishPolicy(Value):
    """``document`` holds from ``effective`` on. ``replaces``: the newest version that its author knew; None: any."""

    document: Mapping[str, Any]
    effective: int
    actor: str
    at: int
    replaces: int | None = None


Command = PublishPolicy

# Events


class PolicyPublished(Value, kw_only=True):
    """``document``: the complete terms. ``effective``: the instant from which they hold."""

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


def decide(command: Command, policies: Policies, context: Context) -> list[Event]:
    terms, unfit = read(command.document, context.zone, context.currency)
    for path, reason in unfit or problems(terms):
        raise Refusal("policy_invalid", f"{'.'.join(map(str, path)) or 'The document'}: {reason}.")
    require_id("actor", command.actor)
    if type(command.effective) is not int or not 0 <= command.effective < END_OF_TIME:
        raise Refusal("effective_invalid", "A policy takes effect at an instant: milliseconds since 1970.")
    if command.effective < command.at:
        raise Refusal(
            "effective_past",
            "A policy cannot take effect in the past: what happened then was decided by the policy of that time.",
        )
    newest = len(policies.versions)
    if is_newest(terms, policies) and command.effective >= policies.since(newest) and newest > 1:
        return []  # it is what holds from then on
    if command.replaces not in (None, newest):
        raise Refusal("policy_changed", replaced_sentence(command.replaces, newest))
    version, document = newest + 1, plain(terms)
    return [
        PolicyPublished(
            policy=SHOP,
            version=version,
            document=document,
            zone=context.zone,
            currency=context.currency,
            effective=command.effective,
            actor=command.actor,
            at=command.at,
        )
    ]


def replaced_sentence(replaces: object, newest: int) -> str:
    if type(replaces) is int and replaces < newest:
        return f"Version {newest} was published meanwhile: look at it before you replace it."
    return f"There is no version {replaces} to replace: the newest is {newest}."


def is_newest(terms: Programme, policies: Policies) -> bool:
    """Return whether these are the terms of the newest version."""
    return plain(terms) == plain(policies.newest)


def evolve(policies: Policies, event: Event) -> Policies:
    digits = policies.versions[0].terms.digits
    if len(policies.versions) == 1:
        policies = Policies.first(event.zone, event.currency, digits)
    terms = replace(read_once(json.dumps(event.document), event.zone, event.currency), digits=digits)
    return policies.with_version(terms, event.effective)


@lru_cache(maxsize=64)
def read_once(document: str, zone: str, currency: str) -> Programme:
    """Return the terms of a document, read once a process: a writer beside others rebuilds the policy at every append."""
    return read(json.loads(document), zone, currency)[0]


policy = Decider("policy", Policies(), decide, evolve)
