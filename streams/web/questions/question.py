"""A question: where it is asked, who may ask it, and what answers it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Container, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import parse_qsl

from starlette.requests import Request as HttpRequest

from streams.web.access import Caller
from streams.web.doors import Scope
from streams.web.problems import HttpProblem
from streams.web.questions.reader import ViewReader, Wanted


@dataclass(frozen=True)
class Asked:
    """A question as it came: ids of the path, the query, who asks, and the position to wait for."""

    ids: Mapping[str, str]
    query: Mapping[str, str]
    caller: Caller
    reader: ViewReader
    http: HttpRequest
    wanted: Wanted | None


Answer: TypeAlias = Any
"""What is sent as JSON; bytes are sent as they are."""


@dataclass(frozen=True)
class Parameter:
    """A query parameter: how it is described, its JSON schema, an example."""

    name: str
    description: str
    schema: Mapping[str, Any]
    example: object = None


@dataclass(frozen=True)
class Question:
    """``owned``: a member's token may ask if the path names its member. ``part``: the read model it comes from."""

    name: str
    path: str
    scopes: tuple[Scope, ...]
    summary: str
    answer: Callable[[Asked], Awaitable[Answer]]
    parameters: tuple[Parameter, ...] = ()
    description: str = ""
    part: str | None = None


MOST_DIGITS = 15

LIMIT = Parameter("limit", "How many at most, 1 to 100.", {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}, 5)
CURSOR = Parameter("cursor", "Where to go on: `next` of the page before.", {"type": "string"})
AT = Parameter(
    "at", "As of this instant: UTC epoch milliseconds; the shop's now if left out.", {"type": "integer", "minimum": 0}
)
WAIT_FOR = Parameter(
    "wait_for", "A position that the answer must have reached: read your own write.", {"type": "integer", "minimum": 0}
)
WAIT_MS = Parameter(
    "wait_ms", "For how long to wait for it.", {"type": "integer", "minimum": 0, "maximum": 10_000, "default": 1000}
)


def whole(query: Mapping[str, str], name: str, otherwise: int | None) -> int | None:
    """Return a query parameter that is a whole number. Raises :class:`HttpProblem` 400 ``query_invalid``."""
    told = query.get(name)
    if told is None:
        return otherwise
    if not told.isascii() or not told.isdigit() or len(told) > MOST_DIGITS:
        raise HttpProblem(400, "query_invalid", f"`{name}` is a whole number.")
    return int(told)


def query_of(http: HttpRequest, known: Container[str]) -> dict[str, str]:
    """Return the query's parameters. Raises :class:`HttpProblem` 400 for one that is unknown or said twice."""
    told = dict[str, str]()
    raw: bytes = http.scope["query_string"]
    if not raw:
        return told
    for name, value in parse_qsl(raw.decode("latin-1"), keep_blank_values=True):
        if name not in known:
            raise HttpProblem(400, "query_invalid", f"There is no query parameter `{name}` here.")
        if name in told:
            raise HttpProblem(400, "query_invalid", f"`{name}` is said twice.")
        told[name] = value
    return told
