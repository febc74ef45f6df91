"""A member: registered with a profile, perhaps closed, perhaps erased.

Name, e-mail, birthday and every profile field are personal: they are stored sealed, and readable while the member's key exists.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TypeAlias, assert_never

from aggregates.decider import LONGEST_TEXT, Context, Decider, Refusal, require_id, require_text
from aggregates.value import Value, replace

MOST_FIELDS = 200
"""Fields of a profile."""

# Commands


class RegisterMember(Value):
    member: str
    at: int
    name: str | None = None
    email: str | None = None
    birthday: str | None = None
    profile: Mapping[str, str] = {}


class ChangeProfile(Value):
    """None leaves a value as it is, an empty text removes it."""

    member: str
    at: int
    name: str | None = None
    email: str | None = None
    birthday: str | None = None
    profile: Mapping[str, str] = {}


class CloseMember(Value):
    member: str
    at: int
    reason: str = ""


class EraseMember(Value):
    member: str
    at: int


Command: TypeAlias = RegisterMember | ChangeProfile | CloseMember | EraseMember

# Events


class MemberRegistered(Value, kw_only=True):
    member: str
    name: str | None
    email: str | None
    birthday: str | None
    profile: Mapping[str, str]
    at: int


class MemberProfileChanged(Value, kw_only=True):
    """The whole profile as it is from now on."""

    member: str
    name: str | None
    email: str | None
    birthday: str | None
    profile: Mapping[str, str]
    at: int


class MemberClosed(Value):
    member: str
    reason: str
    at: int


class MemberErased(Value):
    member: str
    at: int


Event: TypeAlias = MemberRegistered | MemberProfileChanged | MemberClosed | MemberErased

# State


@dataclass(frozen=True)
class Member:
    status: str = "unknown"  # unknown, registered, closed, erased
    name: str | None = None
    email: str | None = None
    birthday: str | None = None
    profile: Mapping[str, str] = field(default_factory=dict)


def decide(command: Command, member: Member, _: Context) -> list[Event]:
    if member.status == "erased" and not isinstance(command, EraseMember):
        raise Refusal("member_erased", "This member was erased; a new membership needs a new id.")
    match command:
        case RegisterMember():
            require_id("member", command.member)
            check_profile(command)
            return register(command, member)
        case ChangeProfile():
            require_registered(member)
            check_profile(command)
            return change(command, member)
        case CloseMember():
            require_text("reason", command.reason, LONGEST_TEXT)
            if member.status == "closed":
                return []
            require_registered(member)
            return [MemberClosed(command.member, command.reason, command.at)]
        case EraseMember():
            if member.status == "erased":
                return []
            if member.status == "unknown":
                raise Refusal("member_unknown", "No member has this id.")
            return [MemberErased(command.member, command.at)]
        case _:
            assert_never(command)


def register(command: RegisterMember, member: Member) -> list[Event]:
    registered = MemberRegistered(
        member=command.member,
        name=command.name or None,
        email=command.email or None,
        birthday=command.birthday or None,
        profile={name: value for name, value in command.profile.items() if value},
        at=command.at,
    )
    if member.status == "registered":
        if says_nothing_new(registered, member):
            return []
        raise Refusal("member_registered", "This member is registered already; change the profile instead.")
    return [registered]


def change(command: ChangeProfile, member: Member) -> list[Event]:
    merged = {**member.profile, **command.profile}
    changed = MemberProfileChanged(
        member=command.member,
        name=(member.name if command.name is None else command.name) or None,
        email=(member.email if command.email is None else command.email) or None,
        birthday=(member.birthday if command.birthday is None else command.birthday) or None,
        profile={name: value for name, value in merged.items() if value},
        at=command.at,
    )
    return [] if says_nothing_new(changed, member) else [changed]


def says_nothing_new(event: MemberRegistered | MemberProfileChanged, member: Member) -> bool:
    before = (member.name, member.email, member.birthday, dict(member.profile))
    return (event.name, event.email, event.birthday, dict(event.profile)) == before


def require_registered(member: Member) -> None:
    if member.status == "unknown":
        raise Refusal("member_unknown", "No member has this id; register first.")
    if member.status == "closed":
        raise Refusal("member_closed", "This membership is closed.")


def check_profile(command: RegisterMember | ChangeProfile) -> None:
    require_text("name", command.name)
    if command.email and (command.email.count("@") != 1 or " " in command.email or len(command.email) > 254):
        raise Refusal("email_invalid", "An e-mail address has one @ and no spaces.")
    if command.birthday:
        try:
            written = date.fromisoformat(command.birthday).isoformat()
        except ValueError:
            written = None
        if written != command.birthday:
            raise Refusal("birthday_invalid", "A birthday is a date like 1990-12-31.")
    if len(command.profile) > MOST_FIELDS:
        raise Refusal("profile_invalid", f"A profile has at most {MOST_FIELDS} fields.")
    for name, value in command.profile.items():
        require_id("profile_field", name)
        if not isinstance(value, str) or len(value) > 2000:
            raise Refusal("profile_invalid", f"The profile field {name} must be text of at most 2000 characters.")


def evolve(member: Member, event: Event) -> Member:
    match event:
        case MemberRegistered() | MemberProfileChanged():
            return Member("registered", event.name, event.email, event.birthday, event.profile)
        case MemberClosed():
            return replace(member, status="closed")
        case MemberErased():
            return Member("erased")
        case _:
            assert_never(event)


member = Decider("member", Member(), decide, evolve)
