"""The one layer of the API: paths, routes, limits, deadlines and request ids; it counts and logs every request.

Unknown paths and broken requests are counted, logged and answered like all others.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias
from urllib.parse import unquote
from uuid import uuid4

from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Router
from starlette.types import Lifespan

from infra.errors import Unreachable, VersionDropped
from infra.telemetry.traces import span, tracing
from streams.web.figures import AccessLog, HttpMetrics
from streams.web.problems import HttpProblem
from streams.web.routing import Endpoint, HttpRoutes, method_of
from streams.web.sentences import language_of

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Headers: TypeAlias = dict[bytes, bytes]

LARGEST_BODY = 1_000_000
LARGEST_BATCH = 4_000_000
"""Bytes of a body: of any request, and of a batch of behaviour."""

BODY_SECONDS = 10.0
ANSWER_SECONDS = 30.0
"""For how long a body may take to come, and an answer to be made."""

UNMATCHED = "unmatched"
"""What figures and log say for the route of a path that is none of ours."""

CLIENT_GONE = 499
"""What they say for the status if the client did not wait for one."""

NO_SNIFFING = (b"x-content-type-options", b"nosniff")

FAULTS = logging.getLogger("regulars.web")

OURS = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Edge:
    """``routes`` answer what has passed the limits; ``lifespan`` opens and closes what they need.

    ``batches``: routes whose bodies may be larger.
    """

    def __init__(
        self, routes: HttpRoutes, metrics: HttpMetrics, lifespan: Lifespan[Any], batches: frozenset[str] = frozenset()
    ) -> None:
        self._routes = routes
        self._metrics = metrics
        self._batches = batches
        self._log = AccessLog()
        self._lifespan = Router(lifespan=lifespan)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._lifespan(scope, receive, send)
            self._log.flush()
            return
        began = time.perf_counter()
        headers: Headers = dict(scope["headers"])
        request = _request_id(headers.get(b"x-request-id", b""))
        state = scope["state"] = {"request_id": request, "headers": headers, "route": UNMATCHED}
        status = 0
        self._metrics.in_flight += 1
        try:
            response = await self._response(scope, receive, headers)
            status = response.status_code
            fixed = [(b"x-request-id", request.encode()), NO_SNIFFING]
            await send({"type": "http.response.start", "status": status, "headers": [*response.raw_headers, *fixed]})
            await send({"type": "http.response.body", "body": response.body})
        except _ClientGone:
            status = CLIENT_GONE
        finally:
            self._metrics.in_flight -= 1
            seconds, route = time.perf_counter() - began, str(state["route"])
            self._metrics.note(scope["method"], route, status, seconds)
            self._log.note(scope["method"], route, status, seconds, request)

    async def _response(self, scope: Scope, receive: Receive, headers: Headers) -> Response:
        try:
            return await self._answer(scope, receive, headers)
        except HttpProblem as fault:
            problem = fault
        except TimeoutError:
            sentence = "No answer was ready in time; ask again with the same key."
            problem = HttpProblem(503, "busy", sentence, headers={"Retry-After": "1"})
        except (Unreachable, VersionDropped) as fault:
            problem = HttpProblem(503, "not_available", str(fault), headers={"Retry-After": "2"})
        except _ClientGone:
            raise
        except Exception:  # noqa: BLE001 - logged, and answered as a problem
            FAULTS.exception("request %s failed", scope["state"]["request_id"])
            problem = HttpProblem(500, "internal", "Something failed here; the log names this request's id.")
        language = language_of(headers.get(b"accept-language", b"").decode("latin-1"))
        return problem.response(language, problem.more.pop("request", None))

    async def _answer(self, scope: Scope, receive: Receive, headers: Headers) -> Response:
        segments = path_segments(scope.get("raw_path") or scope["path"].encode())
        route, endpoints, ids = self._routes.find(segments)
        scope["state"]["route"] = route
        scope["path_params"] = ids
        endpoint = method_of(endpoints, scope["method"])
        if headers.get(b"content-encoding", b"identity") != b"identity":
            raise HttpProblem(415, "content_type", "Send the body uncompressed.")
        if headers.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in headers:
            receive = _replay(await _whole_body(receive, LARGEST_BATCH if route in self._batches else LARGEST_BODY, headers))
        else:
            receive = _replay(b"")
        if tracing():
            return await self._traced(scope, endpoint, HttpRequest(scope, receive), headers)
        async with asyncio.timeout(ANSWER_SECONDS):
            return await endpoint(HttpRequest(scope, receive))

    async def _traced(self, scope: Scope, endpoint: Endpoint, http: HttpRequest, headers: Headers) -> Response:
        """Answer within a span, which goes on with the caller's trace if it names one."""
        method, route = scope["method"], scope["state"]["route"]
        parent = {"traceparent": headers.get(b"traceparent", b"").decode("latin-1")}
        with span(f"{method} {route}", parent, http_request_method=method, http_route=route) as made:
            made.set_attribute("regulars.request_id", scope["state"]["request_id"])
            async with asyncio.timeout(ANSWER_SECONDS):
                response = await endpoint(http)
            made.set_attribute("http.response.status_code", response.status_code)
            return response


class _ClientGone(Exception):  # noqa: N818 - nobody is left to be told
    """The client closed the connection before its request was whole."""


def _request_id(given: bytes) -> str:
    told = given.decode("latin-1")
    return told if OURS.fullmatch(told) else uuid4().hex


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


def _replay(body: bytes) -> Receive:
    async def replay() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def path_segments(raw: bytes) -> list[str]:
    """Return the segments of a path, each decoded by itself, so that an id may hold a slash.

    >>> path_segments(b"/v1/members/a%2Fb%25/card?limit=1")
    ['v1', 'members', 'a/b%', 'card']

    Raises :class:`HttpProblem` 400 for an empty segment and for what is not UTF-8.
    """
    try:
        path = raw.partition(b"?")[0].decode()
        segments = path.removeprefix("/").split("/")
        if "%" in path:
            segments = [unquote(one, errors="strict") for one in segments]
    except UnicodeDecodeError:
        raise HttpProblem(400, "path_invalid", "The path holds bytes that are not UTF-8.") from None
    if "" in segments and len(segments) > 1:
        raise HttpProblem(400, "path_invalid", "The path has an empty segment.")
    return segments
