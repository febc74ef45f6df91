"""The API put together: routes of commands and questions, tokens, health, metrics, the document, and the edge around them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import Any

import msgspec
import redis.asyncio
from prometheus_client import generate_latest
from starlette.requests import Request as HttpRequest
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route, Router

from aggregates.decider import LONGEST_ID
from infra.api_keys import ApiKeys
from streams.running.app import App, redis_url
from streams.web import command_routes, openapi
from streams.web.access import LONGEST_TOKEN, Caller, Gate, RateLimit
from streams.web.bodies import decode
from streams.web.command_routes import Sender, allowed, json_body, json_response
from streams.web.doors import BEHAVIOUR_PATH, Scope
from streams.web.edge import Edge, Metrics, plain_segment
from streams.web.log_questions import LogQuestions
from streams.web.problems import HttpProblem
from streams.web.questions import Asked, Question, whole
from streams.web.reader import ViewReader, Wanted
from streams.web.recommending import ListWanted, composed
from streams.web.selling_questions import SellingQuestions
from streams.web.shop_questions import QUESTIONS

SLOW_THREADS = 4
"""Questions that read the log at the same time."""

LONGEST_WAIT_MS = 10_000
ALWAYS = frozenset({"wait_for", "wait_ms"})


class TokenWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A token for one member's browser, for so many seconds."""

    member: str
    seconds: int = LONGEST_TOKEN


class Api:
    """The API of a running system; ``keys`` tells callers apart, ``limit`` is requests a client may make in a minute."""

    def __init__(self, app: App, keys: ApiKeys, limit: int = 6000) -> None:
        self.app = app
        self.metrics = Metrics()
        self._gate = Gate(keys)
        self._limit = RateLimit(limit)
        self._slow = ThreadPoolExecutor(SLOW_THREADS, "question")
        self._log = LogQuestions(app, self._slow.submit)
        self.questions = (*QUESTIONS, *self._log.table(), *SellingQuestions(app, self._slow.submit).table())
        self._reader: ViewReader | None = None
        self._document = openapi.document(self.questions)

    def asgi(self) -> Edge:
        """Return the ASGI application."""
        routes = [
            *command_routes.routes(Sender(self.app), self.caller),
            *(Route(one.path, self._question(one), methods=["GET"], name=one.name) for one in self.questions),
            Route("/v1/recommendations", self._recommend, methods=["POST"], name="recommendations"),
            Route("/v1/tokens", self._token, methods=["POST"], name="tokens"),
            Route("/health/live", self._live, methods=["GET"], name="live"),
            Route("/health/ready", self._ready, methods=["GET"], name="ready"),
            Route("/metrics", self._figures, methods=["GET"], name="metrics"),
            Route("/openapi.json", self._openapi, methods=["GET"], name="openapi"),
            Route("/docs", self._docs, methods=["GET"], name="docs"),
        ]
        router = Router(one_a_path(routes), redirect_slashes=False, default=_no_path, lifespan=self._lifespan)
        return Edge(router, self.metrics, frozenset({BEHAVIOUR_PATH}))

    def caller(self, http: HttpRequest) -> Caller:
        """Return who asks, counted against the client's limit. Raises :class:`HttpProblem` 401 or 429."""
        caller = self._gate.caller(http.headers.get("authorization", ""))
        self._limit.take(caller.client)
        return caller

    @asynccontextmanager
    async def _lifespan(self, _: object) -> AsyncIterator[None]:
        async with redis.asyncio.Redis.from_url(redis_url(self.app.settings)) as client:
            self._reader = ViewReader(self.app, client)
            yield
        self._slow.shutdown()

    @property
    def reader(self) -> ViewReader:
        if self._reader is None:
            raise RuntimeError("The API reads nothing before its server has started it.")
        return self._reader

    def _question(self, question: Question) -> Callable[[HttpRequest], Any]:
        known = {parameter.name for parameter in question.parameters} | ALWAYS

        async def endpoint(http: HttpRequest) -> Response:
            caller = allowed(self.caller(http), question.scopes)
            ids = {name: plain_segment(value) for name, value in http.path_params.items()}
            if any(len(value) > LONGEST_ID for value in ids.values()):
                raise HttpProblem(404, "not_found", f"An id has at most {LONGEST_ID} characters.")
            if caller.member is not None and ids.get("member", caller.member) != caller.member:
                raise HttpProblem(404, "not_found", "There is nothing of yours by that name.")
            query = _query(http, known)
            asked = Asked(ids, query, caller, self.reader, http, self._wanted(query))
            return _told(http, await question.answer(asked))

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
        query = _query(http, set(ALWAYS))
        return json_response(await composed(wanted, caller, self.reader, self._wanted(query)))

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
        return Response(generate_latest(self.metrics.registry), media_type="text/plain; version=0.0.4")

    async def _openapi(self, _: HttpRequest) -> Response:
        return Response(self._document, media_type="application/json")

    async def _docs(self, _: HttpRequest) -> Response:
        policy = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
        return HTMLResponse(openapi.page(self._document), headers=policy)


def one_a_path(routes: Sequence[Route]) -> list[Route]:
    """Return one route a path, which takes all of its methods and says its template for logs and figures."""
    endpoints: dict[str, dict[str, Callable[[HttpRequest], Any]]] = {}
    for route in routes:
        for method in (route.methods or set()) - {"HEAD"}:
            endpoints.setdefault(route.path, {})[method] = route.endpoint
    return [_of_path(path, by_method) for path, by_method in endpoints.items()]


def _of_path(path: str, by_method: Mapping[str, Callable[[HttpRequest], Any]]) -> Route:
    async def endpoint(http: HttpRequest) -> Response:
        http.scope["state"]["route"] = path
        response: Response = await by_method["GET" if http.method == "HEAD" else http.method](http)
        return response

    return Route(path, endpoint, methods=list(by_method))


async def _no_path(*_: Any) -> None:
    raise HttpProblem(404, "not_found", "There is no such path here.")


def _query(http: HttpRequest, known: set[str]) -> dict[str, str]:
    """Return the query's parameters. Raises :class:`HttpProblem` 400 for one that is unknown or said twice."""
    told = dict[str, str]()
    for name, value in http.query_params.multi_items():
        if name not in known:
            raise HttpProblem(400, "query_invalid", f"There is no query parameter `{name}` here.")
        if name in told:
            raise HttpProblem(400, "query_invalid", f"`{name}` is said twice.")
        told[name] = value
    return told


def _told(http: HttpRequest, answer: Any) -> Response:
    """Return an answer with its ETag, or 304 if the asker has it."""
    content = answer if isinstance(answer, bytes) else msgspec.json.encode(answer)
    tag = f'"{sha256(content).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache", "Vary": "Authorization, Accept-Language"}
    if _matches(http.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers, media_type="application/json")


def _matches(told: str, tag: str) -> bool:
    """Return whether a header If-None-Match has this tag, compared weakly.

    >>> _matches('W/"a", "b"', '"a"'), _matches("*", '"a"'), _matches('"ab"', '"a"')
    (True, True, False)
    """
    return told.strip() == "*" or tag in [one.strip().removeprefix("W/") for one in told.split(",")]
