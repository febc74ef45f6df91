"""Referrals: a member's code brings a newcomer, and both are paid once the newcomer's order can no longer be sent back.

A code has a stream of its own, so has what became of each newcomer: one referral a newcomer, by any code. An order qualifies
when it has arrived and is worth enough without tax; a refund that leaves less takes the referral back, paid or not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias, assert_never

from aggregates.calendar import add_days
from aggregates.decider import Context, Decider, Refusal
from aggregates.fields import Count, Id, Instant, MemberId, OrderId
from aggregates.value import Value, replace

CodeId: TypeAlias = Annotated[str, Id("code")]

# Commands of a code


class IssueReferralCode(Value):
    """Give a member a code to bring newcomers with. It is public by nature, and names nobody."""

    referral_code: CodeId
    member: MemberId
    at: Instant


class UseReferralCode(Value):
    """A newcomer was brought by a code, before their first order."""

    referral_code: CodeId
    newcomer: MemberId
    at: Instant


OfCode: TypeAlias = IssueReferralCode | UseReferralCode

# Commands of a newcomer


class BeginReferral(Value):
    """``barred``: why this newcomer cannot be referred, as their other streams say."""

    member: MemberId
    referrer: MemberId
    referral_code: CodeId
    at: Instant
    barred: str = ""


class QualifyReferral(Value):
    """An order of the newcomer has arrived; ``net`` is what it is worth without tax."""

    member: MemberId
    order: OrderId
    net: Annotated[int, Count("net")]
    at: Instant


class DisqualifyReferral(Value):
    """``net``: what the order is still worth after a refund."""

    member: MemberId
    order: OrderId
    net: Annotated[int, Count("net")]
    at: Instant


class RecordReferralDue(Value):
    member: MemberId
    at: Instant


OfNewcomer: TypeAlias = BeginReferral | QualifyReferral | DisqualifyReferral | RecordReferralDue
Command: TypeAlias = OfCode | OfNewcomer

# Events


class ReferralCodeIssued(Value, kw_only=True):
    member: str
    referral_code: str
    at: int


class ReferralCodeUsed(Value, kw_only=True):
    """``member``: whose code it is."""

    member: str
    referral_code: str
    newcomer: str
    at: int


class ReferralBegun(Value, kw_only=True):
    """``member``: the newcomer."""

    member: str
    referrer: str
    referral_code: str
    at: int


class ReferralQualified(Value, kw_only=True):
    """The order is worth enough; both are paid from ``pays_at`` on, if it still is."""

    member: str
    referrer: str
    order: str
    minimum: int
    pays_at: int
    at: int


class ReferralPaid(Value, kw_only=True):
    member: str
    referrer: str
    order: str
    wallet: str | None
    newcomer_points: int
    referrer_points: int
    at: int


class ReferralTakenBack(Value, kw_only=True):
    """The order came back. ``paid``: what both had been paid is to be taken."""

    member: str
    referrer: str
    order: str
    paid: bool
    wallet: str | None
    newcomer_points: int
    referrer_points: int
    at: int


OfCodeEvent: TypeAlias = ReferralCodeIssued | ReferralCodeUsed
OfNewcomerEvent: TypeAlias = ReferralBegun | ReferralQualified | ReferralPaid | ReferralTakenBack
Event: TypeAlias = OfCodeEvent | OfNewcomerEvent

# The code


@dataclass(frozen=True)
class ReferralCode:
    member: str | None = None
    newcomers: frozenset[str] = frozenset()


def decide_code(command: OfCode, code: ReferralCode, context: Context) -> list[OfCodeEvent]:
    match command:
        case IssueReferralCode():
            if code.member not in (None, command.member):
                raise Refusal("referral_code_taken", "This code is another member's.")
            if code.member is not None:
                return []
            return [ReferralCodeIssued(member=command.member, referral_code=command.referral_code, at=command.at)]
        case UseReferralCode():
            if code.member is None:
                raise Refusal("referral_code_unknown", "No member has this code.")
            if command.newcomer == code.member:
                raise Refusal("referral_self", "Nobody brings themselves.")
            if command.newcomer in code.newcomers:
                return []
            most = context.policies.at(command.at).selling.referrals.most
            if most is not None and len(code.newcomers) >= most:
                raise Refusal("referral_limit", f"This member has brought {most} newcomers, as many as are paid for.")
            return [
                ReferralCodeUsed(
                    member=code.member, referral_code=command.referral_code, newcomer=command.newcomer, at=command.at
                )
            ]
        case _:
            assert_never(command)


def evolve_code(code: ReferralCode, event: OfCodeEvent) -> ReferralCode:
    match event:
        case ReferralCodeIssued():
            return replace(code, member=event.member)
        case ReferralCodeUsed():
            return replace(code, newcomers=code.newcomers | {event.newcomer})
        case _:
            assert_never(event)


referral_code = Decider("referral_code", ReferralCode(), decide_code, evolve_code)

# The newcomer


@dataclass(frozen=True)
class Referral:
    state: Literal["none", "begun", "qualified", "paid", "taken_back"] = "none"
    referrer: str = ""
    order: str = ""
    minimum: int = 0
    pays_at: int = 0
    paid: ReferralPaid | None = None


def decide(command: OfNewcomer, referral: Referral, context: Context) -> list[OfNewcomerEvent]:
    match command:
        case BeginReferral():
            if referral.state != "none":
                raise Refusal("referral_twice", "This newcomer was brought before.")
            if command.barred:
                raise Refusal("referral_barred", f"This newcomer cannot be brought: {command.barred}.")
            begun = ReferralBegun(
                member=command.member, referrer=command.referrer, referral_code=command.referral_code, at=command.at
            )
            return [begun]
        case QualifyReferral():
            return qualify(command, referral, context)
        case DisqualifyReferral():
            return take_back(command, referral)
        case RecordReferralDue():
            return pay(command, referral, context)
        case _:
            assert_never(command)


def qualify(command: QualifyReferral, referral: Referral, context: Context) -> list[OfNewcomerEvent]:
    terms = context.policies.at(command.at)
    minimum = terms.selling.referrals.minimum * terms.unit
    if referral.state != "begun" or command.net < max(1, minimum):
        return []
    pays_at = add_days(command.at, terms.return_days, terms.zone)
    return [
        ReferralQualified(
            member=command.member,
            referrer=referral.referrer,
            order=command.order,
            minimum=minimum,
            pays_at=pays_at,
            at=command.at,
        )
    ]


def take_back(command: DisqualifyReferral, referral: Referral) -> list[OfNewcomerEvent]:
    if referral.state not in ("qualified", "paid") or referral.order != command.order:
        return []
    if command.net >= max(1, referral.minimum):
        return []
    paid = referral.paid
    return [
        ReferralTakenBack(
            member=command.member,
            referrer=referral.referrer,
            order=command.order,
            paid=paid is not None,
            wallet=paid.wallet if paid else None,
            newcomer_points=paid.newcomer_points if paid else 0,
            referrer_points=paid.referrer_points if paid else 0,
            at=command.at,
        )
    ]


def pay(command: RecordReferralDue, referral: Referral, context: Context) -> list[OfNewcomerEvent]:
    if referral.state != "qualified" or command.at < referral.pays_at:
        return []
    terms = context.policies.at(referral.pays_at)
    gives = terms.selling.referrals
    return [
        ReferralPaid(
            member=command.member,
            referrer=referral.referrer,
            order=referral.order,
            wallet=gives.wallet,
            newcomer_points=gives.newcomer_points,
            referrer_points=gives.referrer_points,
            at=referral.pays_at,
        )
    ]


def due(referral: Referral, _: Context) -> int | None:
    return referral.pays_at if referral.state == "qualified" else None


def evolve(referral: Referral, event: OfNewcomerEvent) -> Referral:
    match event:
        case ReferralBegun():
            return Referral("begun", event.referrer)
        case ReferralQualified():
            return replace(referral, state="qualified", order=event.order, minimum=event.minimum, pays_at=event.pays_at)
        case ReferralPaid():
            return replace(referral, state="paid", paid=event)
        case ReferralTakenBack():
            return replace(referral, state="taken_back")
        case _:
            assert_never(event)


referral = Decider("referral", Referral(), decide, evolve, due=due)
