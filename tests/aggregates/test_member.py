from __future__ import annotations

import pytest

from aggregates.member import (
    ChangeProfile,
    CloseMember,
    Command,
    EraseMember,
    Member,
    MemberClosed,
    MemberErased,
    MemberProfileChanged,
    MemberRegistered,
    RegisterMember,
    member,
)
from tests.aggregates.given import CONTEXT, refusing

REGISTERED = MemberRegistered(
    member="m", name="Ann", email="ann@example.org", birthday="1990-12-31", profile={"age": "25-34"}, at=1
)
CLOSED = MemberClosed("m", "moved away", at=2)
ERASED = MemberErased("m", at=3)
UNKNOWN = member.rebuild([])
KNOWN = member.rebuild([REGISTERED])


def test_registering_records_the_values() -> None:
    command = RegisterMember("m", 1, "Ann", "ann@example.org", "1990-12-31", {"age": "25-34"})
    assert member.decide(command, UNKNOWN, CONTEXT) == [REGISTERED]


def test_a_member_may_be_registered_with_an_id_alone() -> None:
    assert member.decide(RegisterMember("m", 1), UNKNOWN, CONTEXT) == [
        MemberRegistered(member="m", name=None, email=None, birthday=None, profile={}, at=1)
    ]


def test_an_empty_text_is_no_value() -> None:
    command = RegisterMember("m", 1, name="", email="", birthday="", profile={"age": ""})
    assert member.decide(command, UNKNOWN, CONTEXT) == [
        MemberRegistered(member="m", name=None, email=None, birthday=None, profile={}, at=1)
    ]


def test_registering_twice_changes_nothing() -> None:
    again = RegisterMember("m", 9, "Ann", "ann@example.org", "1990-12-31", {"age": "25-34"})
    assert member.decide(again, KNOWN, CONTEXT) == []


def test_registering_twice_with_an_empty_text_more_changes_nothing() -> None:
    again = RegisterMember("m", 9, "Ann", "ann@example.org", "1990-12-31", {"age": "25-34", "kids": ""})
    assert member.decide(again, KNOWN, CONTEXT) == []


def test_registering_twice_with_other_values_is_refused() -> None:
    with refusing("member_registered"):
        member.decide(RegisterMember("m", 9, "Bob"), KNOWN, CONTEXT)


def test_a_closed_member_may_come_back() -> None:
    closed = member.rebuild([REGISTERED, CLOSED])
    assert member.decide(RegisterMember("m", 9, "Ann"), closed, CONTEXT) == [
        MemberRegistered(member="m", name="Ann", email=None, birthday=None, profile={}, at=9)
    ]


def test_a_changed_profile_is_recorded_whole() -> None:
    changed = member.decide(ChangeProfile("m", 5, name="Anna", profile={"kids": "2"}), KNOWN, CONTEXT)
    assert changed == [
        MemberProfileChanged(
            member="m", name="Anna", email="ann@example.org", birthday="1990-12-31", profile={"age": "25-34", "kids": "2"}, at=5
        )
    ]
    after = member.rebuild([REGISTERED, *changed])
    assert (after.name, after.profile) == ("Anna", {"age": "25-34", "kids": "2"})


def test_an_empty_text_removes_a_value() -> None:
    command = ChangeProfile("m", 5, name="", email="", birthday="", profile={"age": ""})
    assert member.decide(command, KNOWN, CONTEXT) == [
        MemberProfileChanged(member="m", name=None, email=None, birthday=None, profile={}, at=5)
    ]


def test_changing_a_profile_twice_changes_nothing() -> None:
    command = ChangeProfile("m", 5, name="Anna", profile={"kids": "2"})
    given = member.rebuild([REGISTERED, *member.decide(command, KNOWN, CONTEXT)])
    assert member.decide(command, given, CONTEXT) == []


def test_changing_nothing_changes_nothing() -> None:
    assert member.decide(ChangeProfile("m", 5), KNOWN, CONTEXT) == []


def test_closing_records_the_reason() -> None:
    assert member.decide(CloseMember("m", 2, "moved away"), KNOWN, CONTEXT) == [CLOSED]


def test_closing_twice_changes_nothing() -> None:
    assert member.decide(CloseMember("m", 9), member.rebuild([REGISTERED, CLOSED]), CONTEXT) == []


@pytest.mark.parametrize("given", [[REGISTERED], [REGISTERED, CLOSED]], ids=["registered", "closed"])
def test_any_known_member_can_be_erased(given: list[MemberRegistered | MemberClosed]) -> None:
    assert member.decide(EraseMember("m", 3), member.rebuild(given), CONTEXT) == [ERASED]


def test_erasing_twice_changes_nothing() -> None:
    assert member.decide(EraseMember("m", 9), member.rebuild([REGISTERED, ERASED]), CONTEXT) == []


def test_the_state_of_an_erased_member_holds_nothing_personal() -> None:
    assert member.rebuild([REGISTERED, ERASED]) == Member("erased")


@pytest.mark.parametrize("command", [RegisterMember("m", 9), ChangeProfile("m", 9, name="Ann"), CloseMember("m", 9)])
def test_nothing_more_happens_to_an_erased_member(command: Command) -> None:
    with refusing("member_erased"):
        member.decide(command, member.rebuild([REGISTERED, ERASED]), CONTEXT)


@pytest.mark.parametrize("command", [ChangeProfile("m", 9), CloseMember("m", 9), EraseMember("m", 9)])
def test_an_unknown_member_is_refused(command: Command) -> None:
    with refusing("member_unknown"):
        member.decide(command, UNKNOWN, CONTEXT)


def test_the_profile_of_a_closed_membership_stays_as_it_is() -> None:
    with refusing("member_closed"):
        member.decide(ChangeProfile("m", 9, name="Bob"), member.rebuild([REGISTERED, CLOSED]), CONTEXT)


@pytest.mark.parametrize("email", ["ann", "a@b@c", "ann @example.org", "a" * 250 + "@b.cd"])
def test_an_invalid_email_is_refused(email: str) -> None:
    with refusing("email_invalid"):
        member.decide(RegisterMember("m", 1, email=email), UNKNOWN, CONTEXT)
    with refusing("email_invalid"):
        member.decide(ChangeProfile("m", 1, email=email), KNOWN, CONTEXT)


@pytest.mark.parametrize("birthday", ["31.12.1990", "1990-02-30", "yesterday", "19901231", "1990-W52-1", "1990-12-31 "])
def test_an_invalid_birthday_is_refused(birthday: str) -> None:
    with refusing("birthday_invalid"):
        member.decide(RegisterMember("m", 1, birthday=birthday), UNKNOWN, CONTEXT)
    with refusing("birthday_invalid"):
        member.decide(ChangeProfile("m", 1, birthday=birthday), KNOWN, CONTEXT)


@pytest.mark.parametrize("value", ["x" * 2001, 7, None])
def test_a_long_profile_value_is_refused(value: str) -> None:
    with refusing("profile_invalid"):
        member.decide(RegisterMember("m", 1, profile={"age": value}), UNKNOWN, CONTEXT)


@pytest.mark.parametrize("name", ["", "a\nb", "x" * 201])
def test_a_profile_field_has_a_name(name: str) -> None:
    with refusing("profile_field_id_invalid"):
        member.decide(RegisterMember("m", 1, profile={name: "x"}), UNKNOWN, CONTEXT)
    with refusing("profile_field_id_invalid"):
        member.decide(ChangeProfile("m", 1, profile={name: "x"}), KNOWN, CONTEXT)


def test_a_member_needs_an_id() -> None:
    with refusing("member_id_invalid"):
        member.decide(RegisterMember("", 1), UNKNOWN, CONTEXT)
