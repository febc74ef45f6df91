"""A request to the handler: commands that happen together or not at all. Its id makes it safe to send it again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import blake2b
from typing import Any, Protocol, TypeAlias

import msgspec

from aggregates.decider import UNFIT, Context, Decider, Look, Refusal
from infra.event_log.types import Outcome

ENCODE = msgspec.msgpack.Encoder(order="sorted").encode

LONGEST_REQUEST_ID = 500
"""In characters; an index of PostgreSQL takes 2,704 bytes."""


Plan: TypeAlias = Callable[[Look], Iterable[object]]
"""Yields commands that depend on states; each is decided before the next is asked for. May raise ``Refusal``."""


@dataclass(frozen=True)
class Request:
    """Commands in order, or a plan that yields them. ``reads`` are the streams that a plan will read, with their deciders, so
    that the streams of a whole group are read at once.

    ``content`` is a hash of what is asked, by default of the commands. An accepted answer is final: a request with other
    content under its id is refused. A refusal answers the same content only; a corrected request may take its id.
    ``settled`` False: a refusal is not stored, so that the same request may be decided again. ``by_time`` marks a tick's
    request, which alone may record what is due.
    """

    id: str
    commands: tuple[object, ...] | Plan
    content: bytes | None = None
    settled: bool = True
    reads: tuple[tuple[str, Decider[Any, Any, Any]], ...] = ()
    by_time: bool = False

    def __post_init__(self) -> None:
        if not 0 < len(self.id) <= LONGEST_REQUEST_ID or UNFIT.search(self.id):
            raise ValueError(f"A request's id is 1 to {LONGEST_REQUEST_ID} characters without control characters.")

    def plan(self, look: Look) -> Iterable[object]:
        """Return the commands, in order."""
        return self.commands(look) if callable(self.commands) else self.commands

    @property
    def known(self) -> tuple[object, ...]:
        """Return the commands that are certain beforehand: all of them, or none if they are planned."""
        return () if callable(self.commands) else self.commands

    @cached_property
    def digest(self) -> bytes | None:
        """Return ``content``, or the hash of the commands; None for a plan without it, or for values that have no encoding."""
        if self.content is not None or callable(self.commands):
            return self.content
        try:
            asked = ENCODE([(type(command).__name__, command) for command in self.commands])
        except (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError):
            return None
        return blake2b(asked, digest_size=16).digest()

    def is_repetition_of(self, earlier: Outcome) -> bool:
        """Return whether an earlier outcome answers this very request. Old logs do not know what an accepted one asked."""
        is_old = earlier.accepted and earlier.content is None and self.content is None
        return is_old or self.digest == earlier.content


def repeated(earlier: Outcome) -> Outcome:
    return earlier if earlier.repeated else replace(earlier, repeated=True)


def id_taken(earlier: Outcome) -> Outcome:
    """Return the answer to another request under the id of an accepted one."""
    sentence = "This id was given to something else before: give each its own, and repeat one only unchanged."
    return replace(earlier, accepted=False, code="id_taken", sentence=sentence, events=0, repeated=False)


def refused(request: Request, refusal: Refusal, head: int) -> Outcome:
    """Return the answer of a refused request. Its sentence may cite what was asked, even what no database can store."""
    sentence = UNFIT.sub("\N{REPLACEMENT CHARACTER}", refusal.sentence)
    return Outcome(request.id, False, refusal.code, sentence, 0, head, request.digest)


class Handles(Protocol):
    """Answers requests in order, as the system's handler does."""

    def handle_all(self, requests: Sequence[Request]) -> list[Outcome]: ...

    def context(self) -> Context: ...
