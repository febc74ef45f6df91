"""What is seen of the API from outside: figures for Prometheus and the access log, both by route, never by path.

A path holds ids of members; the route is its template. Neither has a query, a body or who asked.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

ACCESS = logging.getLogger("regulars.access")
FLUSHED_EVERY = 0.5
"""Seconds between two writes of the access log: a line at a time would cost as much as a question."""


class HttpMetrics:
    """Rate, errors and duration by route, and what waits. ``queue`` returns how many commands wait for their append."""

    def __init__(self, queue: Callable[[], int] = lambda: 0) -> None:
        self.registry = CollectorRegistry()
        labels = ("method", "route", "status")
        self._requests = Counter("regulars_http_requests", "Requests answered.", labels, registry=self.registry)
        self._seconds = Histogram(
            "regulars_http_request_seconds", "From the first byte to the last.", ("method", "route"), registry=self.registry
        )
        self._children: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self.in_flight = 0
        gauge = Gauge("regulars_http_in_flight", "Requests being answered.", registry=self.registry)
        gauge.set_function(lambda: self.in_flight)
        Gauge("regulars_commands_waiting", "Commands that wait for their append.", registry=self.registry).set_function(queue)
        self.lag = Gauge("regulars_fold_lag", "Events that a fold has yet to apply.", ("fold",), registry=self.registry)

    def note(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request."""
        key = method, route, status
        if (children := self._children.get(key)) is None:
            method = method if method in METHODS else "other"
            children = self._requests.labels(method, route, status), self._seconds.labels(method, route)
            if len(self._children) < MOST_CHILDREN:
                self._children[key] = children
        children[0].inc()
        children[1].observe(seconds)


METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
MOST_CHILDREN = 5000


class AccessLog:
    """Writes one line a request, a batch at a time: JSON as the other lines of the log are, or text on a terminal.

    Nothing in a line needs escaping: method and status are checked, the route is ours, the id is ours or of plain characters.
    """

    def __init__(self) -> None:
        self._noted: list[tuple[float, str, str, int, float, str]] = []
        self._text = sys.stderr.isatty()

    def note(self, method: str, route: str, status: int, seconds: float, request: str) -> None:
        """Note one request, if the level of the log asks for it."""
        if not ACCESS.isEnabledFor(logging.INFO):
            return
        if not self._noted:
            asyncio.get_running_loop().call_later(FLUSHED_EVERY, self.flush)
        self._noted.append((time.time(), method if method in METHODS else "other", route, status, seconds, request))

    def flush(self) -> None:
        """Write what was noted."""
        noted, self._noted = self._noted, []
        if noted:
            line = _as_text if self._text else _as_json
            sys.stderr.write("".join([line(*one) for one in noted]))
            sys.stderr.flush()


def _as_json(at: float, method: str, route: str, status: int, seconds: float, request: str) -> str:
    return (
        f'{{"logger": "regulars.access", "level": "info", "time": "{_instant(at)}", "method": "{method}", "route": "{route}", '
        f'"status": {status}, "ms": {seconds * 1000:.1f}, "request": "{request}"}}\n'
    )


def _as_text(at: float, method: str, route: str, status: int, seconds: float, request: str) -> str:
    return f"{_instant(at)} {method} {route} {status} {seconds * 1000:.1f} ms {request}\n"


def _instant(at: float) -> str:
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(at))}.{int(at % 1 * 1000):03}Z"
