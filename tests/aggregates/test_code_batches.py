"""Batches of codes: serials are issued once, and each leads back to its batch."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aggregates.code_batches import Batches, CodesIssued, CodesRevoked, IssueCodes, RevokeCodes, code_batches
from aggregates.value import replace
from tests.aggregates.given import CONTEXT, refusing

ISSUE = IssueCodes("spring", "letters", 1000, "ada", at=1)
ISSUED = CodesIssued(campaign="spring", batch="letters", first=0, count=1000, key_name="codes.1", actor="ada", at=1)
REVOKE = RevokeCodes("spring", "letters", "ada", at=2, reason="leaked")
AFTER = code_batches.rebuild([ISSUED])


def test_a_batch_is_one_event_however_many_codes_it_has() -> None:
    assert code_batches.decide(ISSUE, Batches(), CONTEXT) == [ISSUED]


def test_issuing_a_batch_twice_changes_nothing() -> None:
    assert code_batches.decide(replace(ISSUE, at=9), AFTER, CONTEXT) == []


def test_another_batch_needs_another_name() -> None:
    with refusing("batch_exists"):
        code_batches.decide(replace(ISSUE, count=5), AFTER, CONTEXT)


def test_serials_go_on_over_all_campaigns() -> None:
    (issued,) = code_batches.decide(replace(ISSUE, campaign="summer"), AFTER, CONTEXT)
    assert isinstance(issued, CodesIssued)
    assert issued.first == 1000


def test_a_batch_too_large_is_refused() -> None:
    with refusing("count_invalid"):
        code_batches.decide(replace(ISSUE, count=10**8), Batches(), CONTEXT)


def test_a_batch_is_revoked_once() -> None:
    revoked = CodesRevoked(campaign="spring", batch="letters", first=0, count=1000, actor="ada", reason="leaked", at=2)
    assert code_batches.decide(REVOKE, AFTER, CONTEXT) == [revoked]
    after = code_batches.rebuild([ISSUED, revoked])
    assert code_batches.decide(REVOKE, after, CONTEXT) == []
    found = after.find(5)
    assert found is not None
    assert found.revoked


def test_a_batch_that_is_not_there_is_not_revoked() -> None:
    with refusing("batch_unknown"):
        code_batches.decide(REVOKE, Batches(), CONTEXT)


@given(st.lists(st.integers(1, 50), max_size=8))
def test_every_serial_leads_to_its_own_batch(counts: list[int]) -> None:
    state = Batches()
    for number, count in enumerate(counts):
        for event in code_batches.decide(IssueCodes("c", f"b{number}", count, "ada", at=1), state, CONTEXT):
            state = code_batches.evolve(state, event)
    expected = [f"b{number}" for number, count in enumerate(counts) for _ in range(count)]
    found = [state.find(serial) for serial in range(len(expected))]
    assert [batch.batch for batch in found if batch] == expected
    assert state.find(len(expected)) is None
    assert state.find(-1) is None
