"""Finds the route of a path in one step a segment, however many routes there are."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from streams.web.problems import HttpProblem

Endpoint: TypeAlias = Callable[[HttpRequest], Awaitable[Response]]


@dataclass(frozen=True)
class HttpRoute:
    """``path``: a segment in braces takes any text and gives it that name."""

    method: str
    path: str
    endpoint: Endpoint


@dataclass
class _Step:
    """What may follow so many segments: fixed ones by their text, else any."""

    fixed: dict[str, _Step] = field(default_factory=dict)
    any: _Step | None = None
    path: str = ""
    endpoints: dict[str, Endpoint] = field(default_factory=dict)


class HttpRoutes:
    """The routes of the API as a tree of segments. A fixed segment goes before one that takes any text."""

    def __init__(self, routes: Iterable[HttpRoute]) -> None:
        self._root = _Step()
        self._names: dict[str, tuple[tuple[int, str], ...]] = {}
        for route in routes:
            self._add(route)

    def _add(self, route: HttpRoute) -> None:
        step, segments = self._root, route.path[1:].split("/")
        for segment in segments:
            if segment.startswith("{"):
                step.any = step = step.any or _Step()
            else:
                step = step.fixed.setdefault(segment, _Step())
        if step.path not in ("", route.path) or route.method in step.endpoints:
            raise ValueError(f"{route.method} {route.path} is one route too many.")
        step.path = route.path
        step.endpoints[route.method] = route.endpoint
        self._names[route.path] = tuple((at, one[1:-1]) for at, one in enumerate(segments) if one.startswith("{"))

    def find(self, segments: list[str]) -> tuple[str, dict[str, Endpoint], dict[str, str]]:
        """Return the template of a path, what answers each method there, and the texts that its names stand for.

        Raises :class:`HttpProblem` 404.
        """
        step = self._step(self._root, segments, 0)
        if step is None:
            raise HttpProblem(404, "not_found", "There is no such path here.")
        return step.path, step.endpoints, {name: segments[at] for at, name in self._names[step.path]}

    def _step(self, step: _Step, segments: list[str], at: int) -> _Step | None:
        if at == len(segments):
            return step if step.path else None
        fixed = step.fixed.get(segments[at])
        found = self._step(fixed, segments, at + 1) if fixed else None
        return found or (self._step(step.any, segments, at + 1) if step.any else None)


def method_of(endpoints: dict[str, Endpoint], method: str) -> Endpoint:
    """Return what answers a method. Raises :class:`HttpProblem` 405 with the methods that are allowed."""
    found = endpoints.get("GET" if method == "HEAD" else method)
    if found is None:
        allow = sorted({*endpoints, *(["HEAD"] if "GET" in endpoints else [])})
        raise HttpProblem(
            405, "method_not_allowed", "This path does not take that method.", headers={"Allow": ", ".join(allow)}
        )
    return found
