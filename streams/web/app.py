"""The API put together: routes of commands and questions, tokens, health, metrics, the document, and the edge around them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import Any

import msgspec
import redis.asyncio
from prometheus_client import generate_latest
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from starlette.requests import Request as HttpRequest
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from aggregates.decider import LONGEST_ID
from infra.api_keys import ApiKeys
from streams.queries.clock import CachedClock
from streams.running.app import App, redis_url
from streams.running.positions import fold_positions
from streams.web import command_routes, openapi
from streams.web.access import LONGEST_TOKEN, Caller, Gate, RateLimit
from streams.web.acts import admin_acts
from streams.web.bodies import decode
from streams.web.checkout_route import checkout_route
from streams.web.command_routes import Sender, allowed, json_body, json_response
from streams.web.doors import BEHAVIOUR_PATH, Scope
from streams.web.edge import Edge
from streams.web.figures import HttpMetrics
from streams.web.operations import Done, Operation, Operations
from streams.web.problems import HttpProblem
from streams.web.questions.log import LogQuestions
from streams.web.questions.member_lists import MemberLists
from streams.web.questions.question import Asked, Question, query_of, whole
from streams.web.questions.reader import ViewReader, Wanted
from streams.web.questions.recommending import ListWanted, composed
from streams.web.questions.selling import SellingQuestions
from streams.web.questions.shop import QUESTIONS
from streams.web.routing import Endpoint, HttpRoute, HttpRoutes
from streams.webhooks.messages import open_store

SLOW_THREADS = 4
"""Questions that read the log at the same time."""

LONGEST_WAIT_MS = 10_000
ALWAYS = frozenset({"wait_for", "wait_ms"})


def fold_lag(app: App) -> list[tuple[str, int]]:
    """Return how many events each fold has yet to apply."""
    return [(one.fold, one.behind) for one in fold_positions(app)]


class TokenWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A token for one member's browser, for so many seconds."""

    member: str
    seconds: int = LONGEST_TOKEN


class Api:
    """The API of a running system; ``keys`` tells callers apart, ``limit`` is requests a client may make in a minute."""

    def __init__(self, app: App, keys: ApiKeys, limit: int = 6000) -> None:
        self.app = app
        self._gate = Gate(keys)
        self._limit = RateLimit(limit)
        self._slow = ThreadPoolExecutor(SLOW_THREADS, "question")
        self._log = LogQuestions(app, self._slow.submit)
        self._clock = CachedClock(app)
        self._lists = MemberLists(app, self._clock)
        selling = SellingQuestions(app, self._slow.submit)
        self.questions = (*QUESTIONS, self._lists.question(), *self._log.table(), *selling.table())
        self._reader: ViewReader | None = None
        self.acts = admin_acts(app.settings)
        self.sender = Sender(app, self.acts)
        self.metrics = HttpMetrics(lambda: self.sender.waiting)
        self._operations = Operations(app, open_store(app.settings, app.keys), self.acts, self._slow.submit).table()
        self._document = openapi.document(self.questions, self._operations)

    def asgi(self) -> Edge:
        """Return the ASGI application."""
        routes = [
            *command_routes.routes(self.sender, self.caller),
            checkout_route(self.sender, self.caller),
            *(HttpRoute("GET", one.path, self._question(one)) for one in self.questions),
            *(HttpRoute(one.method, one.path, self._operation(one)) for one in self._operations),
            HttpRoute("POST", "/v1/recommendations", self._recommend),
            HttpRoute("POST", "/v1/tokens", self._token),
            HttpRoute("GET", "/health/live", self._live),
            HttpRoute("GET", "/health/ready", self._ready),
            HttpRoute("GET", "/metrics", self._figures),
            HttpRoute("GET", "/openapi.json", self._openapi),
            HttpRoute("GET", "/docs", self._docs),
        ]
        return Edge(HttpRoutes(routes), self.metrics, self._lifespan, frozenset({BEHAVIOUR_PATH}))

    def caller(self, http: HttpRequest) -> Caller:
        """Return who asks, counted against the client's limit. Raises :class:`HttpProblem` 401 or 429."""
        caller = self._gate.caller(http.scope["state"]["headers"].get(b"authorization", b""))
        self._limit.take(caller.client)
        return caller

    @asynccontextmanager
    async def _lifespan(self, _: object) -> AsyncIterator[None]:
        url, once = redis_url(self.app.settings), Retry(NoBackoff(), 1)  # a frozen Redis is said in ten seconds
        async with redis.asyncio.Redis.from_url(url, socket_timeout=5, socket_connect_timeout=5, retry=once) as client:
            self._reader = ViewReader(self.app, client)
            yield
            await self._reader.close()
        self._slow.shutdown()
        self._lists.close()

    @property
    def reader(self) -> ViewReader:
        if self._reader is None:
            raise RuntimeError("The API reads nothing before its server has started it.")
        return self._reader

    def _question(self, question: Question) -> Endpoint:
        known = {parameter.name for parameter in question.parameters} | ALWAYS

        async def endpoint(http: HttpRequest) -> Response:
            caller = allowed(self.caller(http), question.scopes)
            ids = http.scope["path_params"]
            for value in ids.values():
                if len(value) > LONGEST_ID:
                    raise HttpProblem(404, "not_found", f"An id has at most {LONGEST_ID} characters.")
            if caller.member is not None and ids.get("member", caller.member) != caller.member:
                raise HttpProblem(404, "not_found", "There is nothing of yours by that name.")
            query = query_of(http, known)
            asked = Asked(ids, query, caller, await self.reader.page(), http, self._wanted(query))
            if question.part is None and asked.wanted:
                await self._require_known(asked.wanted)
            found = await question.answer(asked)
            dated = b'"as_of":' in found if isinstance(found, bytes) else "as_of" in found
            return _told(http, found, None if dated else await self._clock.now())

        return endpoint

    async def _require_known(self, wanted: Wanted) -> None:
        """Hold that the log has a position: what is answered from the log has reached it. Raises :class:`HttpProblem` 422."""
        head = await asyncio.wrap_future(self._slow.submit(self.app.log.head))
        if wanted.position > head:
            raise HttpProblem(422, "position_unknown", f"The log ends at {head:,}.")

    def _operation(self, operation: Operation) -> Endpoint:
        async def endpoint(http: HttpRequest) -> Response:
            caller = allowed(self.caller(http), operation.scopes)
            body = decode(operation.body, await json_body(http)) if operation.method != "GET" else None
            done = Done(http.scope["path_params"], body, caller)
            return json_response(await operation.answer(done), operation.status)

        return endpoint

    def _wanted(self, query: Mapping[str, str]) -> Wanted | None:
        position, wait = whole(query, "wait_for", None), whole(query, "wait_ms", 1000) or 0
        if wait > LONGEST_WAIT_MS:
            raise HttpProblem(400, "query_invalid", f"`wait_ms` is 0 to {LONGEST_WAIT_MS}.")
        if position is None:
            return None
        return Wanted(position, wait / 1000)

    async def _recommend(self, http: HttpRequest) -> Response:
        caller = allowed(self.caller(http), (Scope.STOREFRONT, Scope.BACK_OFFICE, Scope.MEMBER))
        wanted = decode(ListWanted, await json_body(http))
        if wanted.explain and not caller.may((Scope.BACK_OFFICE,)):
            raise HttpProblem(403, "not_allowed", "Only a back office may ask how a list came about.", pointer="/explain")
        if caller.member is not None and (wanted.session or wanted.member not in (None, caller.member)):
            raise HttpProblem(404, "not_found", "There is nothing of yours by that name.")
        query = query_of(http, set(ALWAYS))
        return json_response(await composed(wanted, caller, await self.reader.page(), self._wanted(query), self._lists))

    async def _token(self, http: HttpRequest) -> Response:
        allowed(self.caller(http), (Scope.STOREFRONT,))
        wanted = decode(TokenWanted, await json_body(http))
        if not 1 <= wanted.seconds <= LONGEST_TOKEN:
            raise HttpProblem(422, "body_invalid", f"A token lives for 1 to {LONGEST_TOKEN} seconds.", pointer="/seconds")
        if not 0 < len(wanted.member) <= 200:
            raise HttpProblem(422, "body_invalid", "A member's id has 1 to 200 characters.", pointer="/member")
        token, ends = await asyncio.to_thread(self._gate.token, wanted.member, wanted.seconds)
        return json_response({"token": token, "expires_at": ends * 1000}, 201)

    async def _live(self, _: HttpRequest) -> Response:
        return PlainTextResponse("alive\n")

    async def _ready(self, _: HttpRequest) -> Response:
        await asyncio.wrap_future(self._slow.submit(self.app.log.head))
        await self.reader.documents(["popular"])
        return PlainTextResponse("ready\n")

    async def _figures(self, http: HttpRequest) -> Response:
        allowed(self.caller(http), (Scope.OPERATOR,))
        for fold, behind in await asyncio.wrap_future(self._slow.submit(fold_lag, self.app)):
            self.metrics.lag.labels(fold).set(behind)
        return Response(generate_latest(self.metrics.registry), media_type="text/plain; version=0.0.4")

    async def _openapi(self, _: HttpRequest) -> Response:
        return Response(self._document, media_type="application/json")

    async def _docs(self, _: HttpRequest) -> Response:
        policy = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
        return HTMLResponse(openapi.page(self._document), headers=policy)


class JsonResponse(Response):
    """An answer in JSON with its ETag, or 304 without it. It makes its headers at once, since most requests end here."""

    def __init__(self, content: bytes, tag: bytes, unchanged: bool) -> None:
        self.status_code = 304 if unchanged else 200
        self.body = b"" if unchanged else content
        self.raw_headers = [(b"etag", tag), *CACHING]
        if not unchanged:
            self.raw_headers += [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(content))]


CACHING = [(b"cache-control", b"private, no-cache"), (b"vary", b"Authorization, Accept-Language")]


def _told(http: HttpRequest, answer: Any, as_of: int | None = None) -> Response:
    """Return an answer with its ETag, or 304 if the asker has it. ``as_of``: added to an answer that has none.

    Then the tag is a weak one: an answer that differs in nothing but its instant is the same.
    """
    content = answer if isinstance(answer, bytes) else msgspec.json.encode(answer)
    tag = b'"' + sha256(content).hexdigest()[:32].encode() + b'"'
    if as_of is not None:
        content, tag = b'%b,"as_of":%d}' % (content[:-1], as_of), b"W/" + tag
    known: bytes | None = http.scope["state"]["headers"].get(b"if-none-match")
    return JsonResponse(content, tag, known is not None and _matches(known, tag))


def _matches(told: bytes, tag: bytes) -> bool:
    """Return whether a header If-None-Match has this tag, compared weakly.

    >>> _matches(b'W/"a", "b"', b'"a"'), _matches(b"*", b'"a"'), _matches(b'"ab"', b'"a"')
    (True, True, False)
    """
    return told.strip() == b"*" or tag.removeprefix(b"W/") in [one.strip().removeprefix(b"W/") for one in told.split(b",")]
