"""The outermost layer of the API: paths, limits, deadlines, request ids, the access log and the figures for Prometheus.

It stands before routing, so that unknown paths and broken requests are counted, logged and answered like all others.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias
from urllib.parse import unquote_to_bytes
from uuid import uuid4

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.exceptions import HTTPException

from infra.errors import Unreachable
from streams.web.problems import HttpProblem
from streams.web.sentences import language_of

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

LARGEST_BODY = 1_000_000
LARGEST_BATCH = 4_000_000
"""Bytes of a body: of any request, and of a batch of behaviour."""

BODY_SECONDS = 10.0
ANSWER_SECONDS = 30.0
"""For how long a body may take to come, and an answer to be made."""

ACCESS = logging.getLogger("regulars.access")
FAULTS = logging.getLogger("regulars.web")

OURS = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Metrics:
    """Rate, errors and duration by route; the route is its template, never a path with somebody's id."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        labels = ("method", "route", "status")
        self.requests = Counter("regulars_http_requests", "Requests answered.", labels, registry=self.registry)
        self.seconds = Histogram(
            "regulars_http_request_seconds", "From the first byte to the last.", ("method", "route"), registry=self.registry
        )
        self.in_flight = Gauge("regulars_http_in_flight", "Requests being answered.", registry=self.registry)


class Edge:
    """``app`` answers what has passed the limits. ``batches``: paths whose bodies may be larger."""

    def __init__(self, app: App, metrics: Metrics, batches: frozenset[str] = frozenset()) -> None:
        self._app = app
        self._metrics = metrics
        self._batches = batches

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        headers = {name.lower(): value for name, value in scope["headers"]}
        request = _request_id(headers.get(b"x-request-id", b""))
        state = scope.setdefault("state", {})
        state.update(
            request_id=request, language=language_of(headers.get(b"accept-language", b"").decode("latin-1")), route="unmatched"
        )
        answered = _Answered(send, request)
        self._metrics.in_flight.inc()
        try:
            await self._answer(scope, receive, answered, headers)
        finally:
            self._metrics.in_flight.dec()
            self._tell(scope, answered.status, time.perf_counter() - began)

    async def _answer(self, scope: Scope, receive: Receive, send: _Answered, headers: dict[bytes, bytes]) -> None:
        try:
            scope["path"] = escaped_path(scope.get("raw_path") or scope["path"].encode())
            _check_encoding(headers)
            scope["app"] = self  # so that Starlette raises what it refuses
            body = await _whole_body(receive, LARGEST_BATCH if scope["path"] in self._batches else LARGEST_BODY, headers)
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._app(scope, _replay(body, receive), send)
        except HttpProblem as problem:
            await self._problem(problem, scope, receive, send)
        except HTTPException as fault:
            refused = HttpProblem(405, "method_not_allowed", "This path does not take that method.", headers=fault.headers)
            await self._problem(refused, scope, receive, send)
        except TimeoutError:
            late = HttpProblem(
                503, "busy", "No answer was ready in time; ask again with the same key.", headers={"Retry-After": "1"}
            )
            await self._problem(late, scope, receive, send)
        except Unreachable as fault:
            gone = HttpProblem(503, "not_available", str(fault), headers={"Retry-After": "2"})
            await self._problem(gone, scope, receive, send)
        except _ClientGone:
            return
        except Exception:  # noqa: BLE001 - logged, and answered as a problem
            FAULTS.exception("request %s failed", scope["state"]["request_id"])
            await self._problem(
                HttpProblem(500, "internal", "Something failed here; the log names this request's id."),
                scope,
                receive,
                send,
            )

    async def _problem(self, problem: HttpProblem, scope: Scope, receive: Receive, send: _Answered) -> None:
        if not send.status:
            response = problem.response(
                scope["state"]["language"], problem.more.pop("request", None) or scope["state"].get("key")
            )
            await response(scope, receive, send)

    def _tell(self, scope: Scope, status: int, seconds: float) -> None:
        route, method = scope["state"]["route"], scope["method"]
        self._metrics.requests.labels(method, route, status).inc()
        self._metrics.seconds.labels(method, route).observe(seconds)
        ACCESS.info("%s %s %s %.1f ms %s", method, route, status, seconds * 1000, scope["state"]["request_id"])


class _ClientGone(Exception):  # noqa: N818 - nobody is left to be told
    """The client closed the connection before its request was whole."""


class _Answered:
    """Sends messages on, with the request's id, and remembers the status."""

    def __init__(self, send: Send, request: str) -> None:
        self._send = send
        self._request = request
        self.status = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            fixed = [(b"x-request-id", self._request.encode()), (b"x-content-type-options", b"nosniff")]
            message = {**message, "headers": [*message.get("headers", ()), *fixed]}
        await self._send(message)


def _request_id(given: bytes) -> str:
    told = given.decode("latin-1")
    return told if OURS.fullmatch(told) else uuid4().hex


def _check_encoding(headers: dict[bytes, bytes]) -> None:
    if headers.get(b"content-encoding", b"identity") != b"identity":
        raise HttpProblem(415, "content_type", "Send the body uncompressed.")


async def _whole_body(receive: Receive, largest: int, headers: dict[bytes, bytes]) -> bytes:
    """Return the body once it is here. Raises :class:`HttpProblem` 413 if it is too large, 408 if it is too slow."""
    stated = headers.get(b"content-length", b"0")
    if stated.isdigit() and int(stated) > largest:
        raise HttpProblem(413, "body_too_large", f"A body here has at most {largest:,} bytes.", headers={"Connection": "close"})
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise _ClientGone
                part = message.get("body", b"")
                size += len(part)
                if size > largest:
                    sentence = f"A body here has at most {largest:,} bytes."
                    raise HttpProblem(413, "body_too_large", sentence, headers={"Connection": "close"})
                parts.append(part)
                if not message.get("more_body"):
                    return b"".join(parts)
    except TimeoutError:
        sentence = f"The body did not come within {BODY_SECONDS:.0f} seconds."
        raise HttpProblem(408, "body_too_slow", sentence, headers={"Connection": "close"}) from None


def _replay(body: bytes, receive: Receive) -> Receive:
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def escaped_path(raw: bytes) -> str:
    """Return a path whose segments are decoded, with ``%`` and ``/`` inside a segment escaped again.

    So that an id which holds a slash is one segment to the router; :func:`plain_segment` undoes it.

    >>> escaped_path(b"/v1/members/a%2Fb%25/card")
    '/v1/members/a%2Fb%25/card'

    Raises :class:`HttpProblem` 400 for an empty segment and for what is not UTF-8.
    """
    path = raw.partition(b"?")[0]
    if path in (b"/", b""):
        return "/"
    segments = []
    for segment in path[1:].split(b"/"):
        try:
            told = unquote_to_bytes(segment).decode()
        except UnicodeDecodeError:
            raise HttpProblem(400, "path_invalid", "The path holds bytes that are not UTF-8.") from None
        if not told:
            raise HttpProblem(400, "path_invalid", "The path has an empty segment.")
        segments.append(told.replace("%", "%25").replace("/", "%2F"))
    return "/" + "/".join(segments)


def plain_segment(segment: str) -> str:
    """Return the text that a segment of an escaped path stands for.

    >>> plain_segment("a%2Fb%25")
    'a/b%'
    """
    return segment.replace("%2F", "/").replace("%25", "%")
