"""What can go wrong outside, each said with what to do about it."""

from __future__ import annotations


class Fault(Exception):  # noqa: N818 - a family; its members are named for what went wrong
    """Something outside is not as it must be; the message says what, and what to do."""


class Misconfigured(Fault):
    """A setting cannot be used."""


class Unreachable(Fault):
    """A server does not answer."""


class Interrupted(Unreachable):
    """A connection was lost: what was under way has happened or not. Asking again is safe where a request has an id."""


class Unreadable(Fault):
    """Stored bytes that this program cannot read: a later version's event, or not ours."""


class Newer(Unreadable):
    """An event, or a shape of one, that only a later version of this program knows."""


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


class Missing(Fault):
    """A part that an extra brings is not installed."""
