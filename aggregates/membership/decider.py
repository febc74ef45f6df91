"""The decisions on a membership. Every one first records what time has brought: the tier reviews that are due.

``now`` is the later of the command's time and the stream's: a late purchase counts in the window of its own date, but no
decision acts backwards. ``policies`` travel in the command, filled in by the shell, so that a decision needs nothing but its
stream; it goes by the version in force at ``now``.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import reduce
from typing import TypeAlias, assert_never

from aggregates.kernel import Decider, Refusal, require_count, require_id
from aggregates.membership import ledger, overriding, tiers
from aggregates.membership.due import due, recorded
from aggregates.membership.facts import Event, Membership, evolve
from aggregates.membership.qualifying import Counting, worth
from aggregates.membership.standing import Kind, Override
from aggregates.programme import Policies, Programme


@dataclass(frozen=True)
class GrantPoints:
    member: str
    order: str
    net: int
    policies: Policies
    at: int


@dataclass(frozen=True)
class ActivatePoints:
    """The order was delivered ``at``: its return window begins."""

    member: str
    order: str
    policies: Policies
    at: int


@dataclass(frozen=True)
class RedeemPoints:
    """``redemption`` names this use of points; the same name again changes nothing."""

    member: str
    redemption: str
    points: int
    at: int
    order: str | None = None
    policies: Policies = field(default_factory=Policies)


@dataclass(frozen=True)
class ClawBackPoints:
    """A refund or cancellation: the order now counts for ``net``."""

    member: str
    order: str
    reversal: str
    net: int
    policies: Policies
    at: int


@dataclass(frozen=True)
class OverrideTier:
    """Set a tier by hand, until ``until`` (None: until it is ended); ``override`` names it: the same again changes nothing."""

    member: str
    override: str
    kind: Kind
    tier: str
    reason: str
    actor: str
    at: int
    until: int | None = None
    policies: Policies = field(default_factory=Policies)


@dataclass(frozen=True)
class EndTierOverride:
    member: str
    override: str
    reason: str
    actor: str
    at: int
    policies: Policies = field(default_factory=Policies)


@dataclass(frozen=True)
class RecordDue:
    """Record what time has brought by ``at``, and nothing more."""

    member: str
    at: int
    policies: Policies = field(default_factory=Policies)


Command: TypeAlias = GrantPoints | ActivatePoints | RedeemPoints | ClawBackPoints | OverrideTier | EndTierOverride | RecordDue


def decide(command: Command, state: Membership) -> list[Event]:
    if is_settled(command, state):
        return []
    now = max(command.at, state.latest)
    events = list(recorded(command.member, now, command.policies, state))
    return events + decide_now(command, now, command.policies.at(now), reduce(evolve, events, state))


def is_settled(command: Command, state: Membership) -> bool:
    """Asked before, or about an order that earned nothing."""
    match command:
        case GrantPoints():
            return command.order in state.points.lots or command.net <= 0
        case ActivatePoints():
            lots = state.points.lots
            return command.order not in lots or lots[command.order].active_from is not None
        case RedeemPoints():
            return command.redemption in state.points.redemptions
        case OverrideTier():
            return command.override in state.standing.overrides
        case EndTierOverride() | RecordDue():
            return False
        case ClawBackPoints():
            return command.order not in state.points.lots or (command.order, command.reversal) in state.points.reversals
        case _:
            assert_never(command)


def decide_now(command: Command, now: int, terms: Programme, state: Membership) -> list[Event]:
    member = command.member
    match command:
        case GrantPoints():
            return grant_and_raise(command, now, terms, state)
        case ActivatePoints():
            return [ledger.activate(member, command.order, command.at, terms)]
        case RedeemPoints():
            require_id("member", member)
            require_id("redemption", command.redemption)
            require_count("points", command.points, least=1)
            return list(ledger.redeem(member, command.redemption, command.points, command.order, now, state.points))
        case ClawBackPoints():
            return claw_back_and_revoke(command, now, terms, state)
        case OverrideTier() | EndTierOverride():
            return override(command, now, terms, state)
        case RecordDue():
            return []
        case _:
            assert_never(command)


def grant_and_raise(command: GrantPoints, now: int, terms: Programme, state: Membership) -> list[Event]:
    """The multiplier is that of the tier in effect before this order."""
    member = command.member
    tier = overriding.in_effect(state.tier, state.standing.override, terms)
    points = ledger.points_for(command.net, terms.multiplier(tier), terms.unit)
    counting = Counting(terms, state, command.at, worth(command.net, points, terms))
    metric = counting.metric(now)
    raised = tiers.raised(member, now, metric, counting)
    granted = ledger.grant(member, command.order, command.net, command.at, terms, tier, metric)
    return [granted, *raised]


def claw_back_and_revoke(command: ClawBackPoints, now: int, terms: Programme, state: Membership) -> list[Event]:
    member, order = command.member, command.order
    bought = state.earning.purchases[order]
    clawed = ledger.claw_back(member, order, command.reversal, command.net, now, terms, state, 0)
    less = worth(bought.net, clawed.points, terms) - worth(command.net, 0, terms)
    counting = Counting(terms, state, bought.at, -less)
    metric = counting.metric(now)
    events: list[Event] = [replace(clawed, qualifying=metric), *tiers.revoked(member, now, metric, counting)]
    if len(events) == 1:
        return events  # a tier that comes back may have missed its review: nothing is left due
    return [*events, *recorded(member, now, command.policies, reduce(evolve, events, state))]


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


membership = Decider("membership", Membership(), decide, evolve, due=due)
