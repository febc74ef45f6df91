"""Errors of the world outside: settings, servers, files. Each message says what is wrong and what to do."""

from __future__ import annotations


class Fault(Exception):  # noqa: N818 - its members are named for what went wrong
    """The family. A command prints the message and exits with status 2."""


class Misconfigured(Fault):
    """A setting cannot be used."""


class Unreachable(Fault):
    """A server does not answer."""


class ConnectionLost(Unreachable):
    """A connection was lost, so it is unknown whether the call took effect. A request with an id can be sent again safely."""


class Unreadable(Fault):
    """Stored bytes cannot be read: they are damaged, not ours, or a later version's."""


class Newer(Unreadable):
    """An event, or a version of one, that only a later Regulars knows."""


class Superseded(Fault):
    """Another writer moved a fold's checkpoint, or it was restored to an earlier one: read it again before going on.

    ``held``: where it stands.
    """

    def __init__(self, fold: str, source: str, held: str, believed: str) -> None:
        super().__init__(
            f"The fold {fold} stands at {held} in Redis, not at {believed} ({source}): another writer is at work, or Redis was "
            "restored. Stop the other one; reading on from Redis's place is safe."
        )
        self.held = held


class VersionsChanged(Fault):
    """Other versions of the read models are served, or kept up, than this writer knows of: it reads them, and goes on."""

    def __init__(self, sentence: str = "Another version of the read models is served now: start again.") -> None:
        super().__init__(sentence)


class VersionDropped(VersionsChanged):
    """A version of the read models was dropped, so that nobody may read or write it any more."""


class NotInstalled(Fault):
    """A package that an extra brings is not installed."""
