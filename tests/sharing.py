"""Which tests `make test` leaves to `make test-servers`, and how processes share them."""

from __future__ import annotations

import pytest
from xdist.scheduler import LoadScopeScheduling

WEEKS = ("tests/cluster/", "tests/journey/")
"""Folders whose tests need the same weeks of Complete Journey."""

LONGEST = (*WEEKS, "tests/kafka/", "tests/secured/")

SERVERS = frozenset({"postgres", "database", "bare_database", "kafka_jars", "cluster"})
"""Fixtures that start servers beside the embedded Redis."""

FAULTS = "tests/streams/cli/test_faults.py"
"""Its tests need nothing together, and most of them wait."""

NESTED = "tests/checks/test_reaper.py"
"""Its tests start a test run in a run, with every server."""


def needs_servers(item: pytest.Item) -> bool:
    """Return whether a test is for `make test-servers`: it starts PostgreSQL, Kafka or TLS servers, or kills processes."""
    callspec = getattr(item, "callspec", None)
    in_postgres = callspec is not None and "postgres" in (callspec.params.get("kept_in"), callspec.params.get("place"))
    kills = "kill" in item.nodeid.rpartition("/")[2].partition("::")[0]
    return (
        in_postgres
        or kills
        or item.nodeid.startswith(NESTED)
        or item.nodeid.startswith("tests/secured/")
        or not SERVERS.isdisjoint(fixtures_of(item))
    )


def fixtures_of(item: pytest.Item) -> list[str]:
    """Return the names of the fixtures that a test uses, also by way of others."""
    found: list[str] = getattr(item, "fixturenames", [])
    return found


def long_after(test: str) -> int:
    """Return what to order tests by, so that no long one begins when all others are done.

    >>> sorted(["tests/checks/test_docs.py::test_a", "tests/kafka/test_relay.py::test_b"], key=long_after)
    ['tests/kafka/test_relay.py::test_b', 'tests/checks/test_docs.py::test_a']
    """
    return next((place for place, folder in enumerate(LONGEST) if test.startswith(folder)), len(LONGEST))


class Sharing(LoadScopeScheduling):  # type: ignore[misc]
    """Gives one process all tests of a file, since what they need is made once for them."""

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith(WEEKS):
            return "weeks"
        return nodeid.rpartition("-")[2] if nodeid.startswith(FAULTS) else nodeid.partition("::")[0]
