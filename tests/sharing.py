"""How processes share the tests: who has one of a file has them all, since what they need is made once for them."""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling

WEEKS = ("tests/cluster/", "tests/journey/")
"""Folders whose tests need the same weeks of Complete Journey."""

LONGEST = (*WEEKS, "tests/kafka/", "tests/secured/")


def long_after(test: str) -> int:
    """What to order tests by, so that no long one is begun when all others are done.

    >>> sorted(["tests/checks/test_docs.py::test_a", "tests/kafka/test_relay.py::test_b"], key=long_after)
    ['tests/kafka/test_relay.py::test_b', 'tests/checks/test_docs.py::test_a']
    """
    return next((place for place, folder in enumerate(LONGEST) if test.startswith(folder)), len(LONGEST))


class Sharing(LoadScopeScheduling):  # type: ignore[misc]
    def _split_scope(self, nodeid: str) -> str:
        return "weeks" if nodeid.startswith(WEEKS) else nodeid.partition("::")[0]
