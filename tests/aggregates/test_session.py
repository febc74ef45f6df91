from __future__ import annotations

import pytest

from aggregates.session import (
    ForgetSessions,
    JoinSession,
    LeaveSession,
    MemberRecognised,
    MemberSignedOut,
    RecogniseMember,
    Session,
    SessionJoined,
    SessionLeft,
    SessionsForgotten,
    SignOutMember,
    session,
    sessions,
)
from tests.aggregates.given import CONTEXT, refusing

JOINED = SessionJoined("s", "ada", at=1)
RECOGNISED = MemberRecognised("ada", "s", at=1)


def test_a_session_is_a_guests_until_it_is_joined() -> None:
    assert session.rebuild([]) == Session(None)
    assert session.decide(JoinSession("s", "ada", at=1), session.initial, CONTEXT) == [JOINED]
    assert session.rebuild([JOINED]) == Session("ada")


def test_joining_twice_changes_nothing() -> None:
    assert session.decide(JoinSession("s", "ada", at=9), session.rebuild([JOINED]), CONTEXT) == []


def test_joining_another_member_moves_on_and_back_again() -> None:
    moved = SessionJoined("s", "eve", at=2)
    assert session.decide(JoinSession("s", "eve", at=2), session.rebuild([JOINED]), CONTEXT) == [moved]
    assert session.rebuild([JOINED, moved]) == Session("eve")
    back = SessionJoined("s", "ada", at=3)
    assert session.decide(JoinSession("s", "ada", at=3), session.rebuild([JOINED, moved]), CONTEXT) == [back]


@pytest.mark.parametrize(
    ("command", "code"),
    [(JoinSession("", "ada", at=1), "session_id_invalid"), (JoinSession("s", "a\x00b", at=1), "member_id_invalid")],
)
def test_a_command_without_an_id_is_refused(command: JoinSession, code: str) -> None:
    with refusing(code):
        session.decide(command, session.initial, CONTEXT)


def test_a_members_sessions_are_remembered_once_each() -> None:
    assert sessions.decide(RecogniseMember("ada", "s", at=1), sessions.initial, CONTEXT) == [RECOGNISED]
    known = sessions.rebuild([RECOGNISED, MemberRecognised("ada", "t", at=2)])
    assert known == {"s", "t"}


def test_a_session_that_was_anothers_in_between_is_recognised_anew() -> None:
    again = MemberRecognised("ada", "s", at=9)
    assert sessions.decide(RecogniseMember("ada", "s", at=9), sessions.rebuild([RECOGNISED]), CONTEXT) == [again]


def test_an_erasure_names_all_sessions_that_were_ever_the_members() -> None:
    known = sessions.rebuild([RECOGNISED, MemberRecognised("ada", "r", at=2), RECOGNISED])
    forgotten = SessionsForgotten("ada", ("r", "s"), at=3)
    assert sessions.decide(ForgetSessions("ada", at=3), known, CONTEXT) == [forgotten]
    assert sessions.evolve(known, forgotten) == known, "their keys are to be destroyed after any restart"
    assert sessions.decide(ForgetSessions("bob", at=3), sessions.initial, CONTEXT) == []


def test_a_session_that_is_left_is_a_guests_again() -> None:
    left = SessionLeft("s", "ada", at=2)
    assert session.decide(LeaveSession("s", at=2), session.rebuild([JOINED]), CONTEXT) == [left]
    assert session.rebuild([JOINED, left]) == Session(None)
    assert session.decide(JoinSession("s", "ada", at=3), session.rebuild([JOINED, left]), CONTEXT) == [
        SessionJoined("s", "ada", at=3)
    ]


def test_leaving_a_guests_session_changes_nothing() -> None:
    assert session.decide(LeaveSession("s", at=2), session.initial, CONTEXT) == []


def test_a_member_who_signed_out_keeps_the_session_for_their_erasure() -> None:
    out = MemberSignedOut("ada", "s", at=2)
    assert sessions.decide(SignOutMember("ada", "s", at=2), sessions.rebuild([RECOGNISED]), CONTEXT) == [out]
    assert sessions.rebuild([RECOGNISED, out]) == {"s"}
