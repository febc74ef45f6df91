"""The decisions on a membership. Each first records what time has brought: holds and lots that ended, reviews that are due.

``now`` is the later of the command's time and the stream's: a late purchase counts in the window of its own date, but no
decision acts backwards. It goes by the version of the policy in force at ``now``, and a refund by that of its purchase.
"""

from __future__ import annotations

from functools import reduce

from aggregates.decider import Decider, Refusal, require_id
from aggregates.membership import purchasing
from aggregates.membership import requests as asked
from aggregates.membership import rewarding as acting
from aggregates.membership.commands import (
    ActivatePoints,
    Asked,
    ClawBackPoints,
    Command,
    EndTierOverride,
    GrantPoints,
    OverrideTier,
    RecordDue,
)
from aggregates.membership.commands_of_people import Done, RecordAction, TagMember
from aggregates.membership.due import due, earliest, recorded
from aggregates.membership.events import Event, LotActivated, Membership, PointsGranted, TierRaised, evolve
from aggregates.membership.tiers import override as overriding
from aggregates.membership.tiers.qualification import Counting
from aggregates.membership.tiers.state import Override
from aggregates.membership.validation import require_fit
from aggregates.programme import Programme

ASKED: frozenset[type] = frozenset((*Asked.__args__, *Done.__args__))


def decide(command: Command, state: Membership) -> list[Event]:
    if type(command) in ASKED:
        require_fit(command)  # type: ignore[arg-type]
    if is_settled(command, state):
        return []
    now = command.at if command.at > state.latest else state.latest
    terms = command.policies.at(now)
    events: list[Event] = []
    if earliest(state) <= now:
        events += recorded(command.member, now, command.policies, state)
        state = reduce(evolve, events, state)
        if is_settled(command, state):
            return events  # it has come of itself
    decided = decide_now(command, now, terms, state)
    if brings_more(decided, now, state):  # a debt, points that pay one, a lot that is over as soon as it is known
        state = reduce(evolve, decided, state)
        decided += recorded(command.member, now, command.policies, state)
    return events + decided


def is_settled(command: Command, state: Membership) -> bool:
    """Asked before, or about an order that earned nothing."""
    match command:
        case GrantPoints() | ActivatePoints() | ClawBackPoints():
            return purchasing.is_settled(command, state)
        case OverrideTier():
            return isinstance(command.override, str) and command.override in state.standing.overrides
        case RecordAction():
            return (command.action, command.occurrence) in state.earning.actions
        case EndTierOverride() | RecordDue() | TagMember():
            return False
        case _:
            return asked.is_settled(command, state)


def decide_now(command: Command, now: int, terms: Programme, state: Membership) -> list[Event]:
    match command:
        case GrantPoints() | ActivatePoints() | ClawBackPoints():
            return purchasing.decide(command, now, terms, state)
        case RecordAction():
            return acting.record(command, now, terms, state)
        case TagMember():
            return acting.tag(command, now, state)
        case OverrideTier() | EndTierOverride():
            return override(command, now, terms, state)
        case RecordDue():
            return []
        case _:
            return asked.decide(command, now, terms, state)


def override(command: OverrideTier | EndTierOverride, now: int, terms: Programme, state: Membership) -> list[Event]:
    for what in ("member", "override", "actor"):
        require_id(what, getattr(command, what))
    overriding.require_reason(command.reason)
    counting = Counting(terms, state)
    if isinstance(command, OverrideTier):
        laid = Override(command.override, command.kind, command.tier, command.until)
        return [overriding.overridden(command.member, laid, command.reason, command.actor, now, counting)]
    if command.override not in state.standing.overrides:
        raise Refusal("override_unknown", "This member has no such override.")
    current = state.standing.override
    if current is None or current.override != command.override:
        return []  # it was over before
    return [overriding.ended(command.member, command.override, command.reason, command.actor, now, now, counting)]


def brings_more(decided: list[Event], now: int, state: Membership) -> bool:
    """Whether something may be due at once; of a purchase and its delivery, nothing is as a rule."""
    for event in decided:
        match event:
            case PointsGranted() | TierRaised():
                continue
            case LotActivated():
                if state.points.debts or (event.expires_at is not None and event.expires_at <= now):
                    return True
            case _:
                return True
    return False


membership = Decider("membership", Membership(), decide, evolve, due=due)
