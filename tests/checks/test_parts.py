from __future__ import annotations

import pytest

from tests import parts

ABSENT = "a-program-that-nobody-has"


def report(outcome: object) -> pytest.TestReport:
    return pytest.TestReport("test", ("file", 1, "test"), {}, "skipped", outcome, "setup")  # type: ignore[arg-type]


def test_a_test_without_its_program_is_skipped_and_a_line_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception) as skipped:
        parts.program(ABSENT, "a-package")
    told = report(("file", 1, f"Skipped: {skipped.value.msg}"))
    other = report(("file", 1, "Skipped: for a reason of its own"))
    assert parts.summary([told, told, other]) == f"left out: 2 tests for want of {ABSENT} (apt-get install a-package)"
    assert parts.summary([other]) is None


def test_ci_fails_instead_of_skipping(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match=ABSENT):
        parts.program(ABSENT, "a-package")
