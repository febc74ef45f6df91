"""What a member did besides buying, and how far that has brought them."""

from __future__ import annotations

from typing import TypeAlias

from aggregates.value import Value


class ActionRecorded(Value):
    """``occurrence`` names this one of its kind: told again, it counts once. ``day``: the shop's local day."""

    member: str
    action: str
    occurrence: str
    day: str
    at: int


class StreakExtended(Value):
    """``length`` days in a row, ``day`` the latest; 1: a new row has begun."""

    member: str
    rule: str
    length: int
    day: str
    at: int


class MissionAdvanced(Value):
    """``progress``: how often each step was done since ``began``; ``completed``: how many times the whole was, this one too."""

    member: str
    mission: str
    progress: tuple[int, ...]
    began: int
    completed: int
    at: int


class MemberTagged(Value):
    """All the ``tags`` that a member bears from now on, for rules to name."""

    member: str
    tags: tuple[str, ...]
    actor: str
    at: int


Event: TypeAlias = ActionRecorded | StreakExtended | MissionAdvanced | MemberTagged
