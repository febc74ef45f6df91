from __future__ import annotations

import pytest

from aggregates.decider import Context
from aggregates.programme import Policies, Programme
from aggregates.session import (
    ForgetSessions,
    JoinSession,
    KeepSession,
    LeaveSession,
    MemberRecognised,
    MemberSignedOut,
    RecogniseMember,
    Session,
    SessionJoined,
    SessionKept,
    SessionLeft,
    SessionsForgotten,
    SignOutMember,
    session,
    sessions,
)
from tests.aggregates.given import CONTEXT, refusing

DAY = 86_400_000
UNTIL = 31 * DAY
UTC = Context(Policies.first("UTC", "USD"))
JOINED = SessionJoined("s", "ada", at=1)
RECOGNISED = MemberRecognised("ada", "s", at=1)


def test_a_session_is_a_guests_until_it_is_joined() -> None:
    assert session.rebuild([]) == Session(None)
    assert session.decide(JoinSession("s", "ada", at=1), session.initial, CONTEXT) == [JOINED]
    assert session.rebuild([JOINED]) == Session("ada")


def test_joining_twice_changes_nothing() -> None:
    known = session.rebuild([JOINED, SessionKept("s", UNTIL, at=1)])
    assert session.decide(JoinSession("s", "ada", at=9), known, CONTEXT) == []


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


def test_an_act_keeps_the_session_for_the_policys_days_and_is_noted_once_a_day() -> None:
    known = session.rebuild([JOINED])
    assert session.decide(KeepSession("s", at=5), known, UTC) == [SessionKept("s", UNTIL, at=5)]
    known = session.evolve(known, SessionKept("s", UNTIL, at=5))
    assert session.decide(JoinSession("s", "ada", at=DAY - 1), known, UTC) == []
    assert session.decide(JoinSession("s", "ada", at=DAY), known, UTC) == [SessionKept("s", UNTIL + DAY, at=DAY)]
    assert session.decide(KeepSession("s", at=5), session.evolve(known, SessionKept("s", UNTIL + DAY, DAY)), UTC) == []


def test_a_session_without_an_act_for_the_policys_days_is_a_guests_again() -> None:
    known = session.rebuild([JOINED, SessionKept("s", UNTIL, at=5)])
    assert [known.member_at(at) for at in (0, UNTIL - 1, UNTIL)] == ["ada", "ada", None]
    assert session.decide(JoinSession("s", "ada", at=UNTIL), known, UTC) == [SessionJoined("s", "ada", at=UNTIL)]
    assert session.evolve(known, SessionJoined("s", "eve", at=UNTIL)).member_at(10 * UNTIL) == "eve"


def test_the_days_of_a_session_are_those_of_the_policy_in_force_at_the_act() -> None:
    policies = Policies.first("UTC", "USD").with_version(Programme(session_days=1), since=9 * DAY)
    for at, days in ((0, 31), (9 * DAY, 11)):
        kept = session.decide(KeepSession("s", at=at), session.rebuild([JOINED]), Context(policies))
        assert kept == [SessionKept("s", days * DAY, at=at)]
