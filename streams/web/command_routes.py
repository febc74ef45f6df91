"""Commands over HTTP: one route a command, batches of behaviour, and several commands that happen together or not at all."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Any, Union
from urllib.parse import quote
from uuid import uuid4

import msgspec
import msgspec.structs
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from aggregates.cart import cart as cart_decider
from infra.admin_acts import AdminActs
from infra.event_log.types import Outcome
from infra.telemetry.traces import span
from streams.commands.checkout import states_in
from streams.commands.preview import Preview
from streams.commands.request import Request
from streams.registry import COMMANDS, CONSOLE_ONLY, REACTIONS
from streams.running.app import App
from streams.web.access import Caller
from streams.web.acts import acts_of, complete
from streams.web.bodies import body_of, command_from, decode, hints_of
from streams.web.doors import (
    BACK_OFFICE_ONLY,
    BEHAVIOUR,
    BEHAVIOUR_PATH,
    BEHAVIOUR_SCOPES,
    DOORS,
    MEMBER_OMITS,
    REQUESTS_PATH,
    Door,
    Scope,
    scopes_of,
)
from streams.web.problems import HttpProblem, refusal_problem, status_of
from streams.web.questions.question import query_of
from streams.web.routing import Endpoint, HttpRoute

MOST_ACTS = 1000
MOST_COMMANDS = 100
MOST_IN_FLIGHT = 2000
"""Commands that wait for their append at a time; more are asked to come again."""

PATIENCE = 10.0
"""Seconds that a command may wait for its append."""

LONGEST_KEY = 255
DAY = 86_400_000
OWNED = ("member", "joiner", "leaver")
"""Fields that name whom a command is about, as a member's token may say it."""


@dataclass
class Sender:
    """Sends commands to the handler of a running system. ``clock``: UTC epoch milliseconds."""

    app: App
    acts: AdminActs
    clock: Callable[[], int] = lambda: int(time.time() * 1000)
    waiting: int = 0

    async def send(self, request: Request, caller: Caller) -> Outcome:
        """Return what came of a request, once it is durable; administrative acts are noted with who sent them.

        Raises :class:`HttpProblem` 503 if too many commands wait, or this one waits too long.
        """
        acts = acts_of(request.known, request.id, caller.actor, self.clock())
        for act in acts:
            await asyncio.to_thread(self.acts.note, act)
        with span("append") as made:
            outcome = await self._decided(request)
            if made is not None:
                made.set_attribute("regulars.position", outcome.position)
                made.set_attribute("regulars.events", outcome.events)
        if acts and not outcome.repeated:
            await asyncio.to_thread(complete, self.acts, acts, outcome)
        return outcome

    async def _decided(self, request: Request) -> Outcome:
        if self.waiting >= MOST_IN_FLIGHT:
            raise HttpProblem(503, "busy", "Too many commands wait; ask again with the same key.", headers={"Retry-After": "1"})
        self.waiting += 1
        answer = self.app.handler.submit(request)
        future = asyncio.wrap_future(answer)
        future.add_done_callback(self._done)
        try:
            return await asyncio.wait_for(asyncio.shield(future), PATIENCE)
        except TimeoutError:
            raise HttpProblem(
                503, "busy", "The command waits for its turn; ask again with the same key.", headers={"Retry-After": "1"}
            ) from None

    def _done(self, future: asyncio.Future[Outcome]) -> None:
        self.waiting -= 1
        if not future.cancelled():
            future.exception()  # nobody may be left to hear of it


def routes(sender: Sender, caller_of: Callable[[HttpRequest], Caller]) -> list[HttpRoute]:
    """Return the routes of every command."""
    made = [HttpRoute(door.method, door.path, _endpoint(sender, caller_of, command, door)) for command, door in DOORS.items()]
    return [
        *made,
        HttpRoute("POST", BEHAVIOUR_PATH, _behaviour(sender, caller_of)),
        HttpRoute("POST", REQUESTS_PATH, _together(sender, caller_of)),
    ]


def _endpoint(sender: Sender, caller_of: Callable[[HttpRequest], Caller], command: type, door: Door) -> Endpoint:
    async def endpoint(http: HttpRequest) -> Response:
        caller = allowed(caller_of(http), door.scopes)
        dry = is_dry_run(http)
        ids: dict[str, str] = http.scope["path_params"]
        body = decode(body_of(command, left_out(caller, frozenset(ids))), await json_body(http))
        await check_owner(sender.app, caller, command, ids)
        key = idempotency_key(http)
        made = command_from(command, body, {**ids, **filled_in(command, caller, body, sender.clock())})
        check_about(caller, made)
        content = content_of(door.method, door.path, ids, body)
        request = Request(f"{caller.client}:{key}", (made,), content)
        if dry:
            return await previewed(sender, request, caller, key)
        outcome = await sender.send(request, caller)
        if not outcome.accepted:
            problem = refusal_problem(outcome, frozenset(f"{name}_unknown" for name in ids))
            problem.more["request"] = key
            raise problem
        return answer(outcome, key, location(door, made))

    return endpoint


def _behaviour(sender: Sender, caller_of: Callable[[HttpRequest], Caller]) -> Endpoint:
    async def endpoint(http: HttpRequest) -> Response:
        caller = allowed(caller_of(http), BEHAVIOUR_SCOPES)
        dry = is_dry_run(http, "partial")
        batch = decode(acts_body(left_out(caller)), await json_body(http))
        if not 0 < len(batch.acts) <= MOST_ACTS:
            raise HttpProblem(422, "body_invalid", f"A batch has 1 to {MOST_ACTS:,} acts.", pointer="/acts")
        key, now = idempotency_key(http), sender.clock()
        commands = []
        for act in batch.acts:
            command = BEHAVIOUR[tag_of(act)]
            made = command_from(command, act, filled_in(command, caller, act, now))
            check_about(caller, made)
            commands.append(made)
        if http.query_params.get("partial") == "true":
            return await _each(sender, caller, key, batch.acts, commands)
        request = Request(f"{caller.client}:{key}", tuple(commands), content_of("POST", BEHAVIOUR_PATH, {}, batch))
        if dry:
            return await previewed(sender, request, caller, key)
        outcome = await sender.send(request, caller)
        if not outcome.accepted:
            raise HttpProblem(status_of(outcome.code), outcome.code, outcome.sentence, position=outcome.position, request=key)
        return answer(outcome, key, None)

    return endpoint


async def _each(sender: Sender, caller: Caller, key: str, acts: Any, commands: list[Any]) -> Response:
    """Send each act as a request of its own and answer for all of them, in order."""
    asked = [
        Request(f"{caller.client}:{key}/{number}", (command,), content_of("POST", BEHAVIOUR_PATH, {}, act))
        for number, (act, command) in enumerate(zip(acts, commands, strict=True))
    ]
    outcomes = await asyncio.to_thread(sender.app.handler.handle_all, asked)
    results = [
        {"accepted": one.accepted, "code": one.code or None, "detail": one.sentence or None, "repeated": one.repeated}
        for one in outcomes
    ]
    refused = sum(not one.accepted for one in outcomes)
    return json_response({"request": key, "refused": refused, "position": outcomes[-1].position, "results": results})


def _together(sender: Sender, caller_of: Callable[[HttpRequest], Caller]) -> Endpoint:
    async def endpoint(http: HttpRequest) -> Response:
        caller = caller_of(http)
        dry = is_dry_run(http)
        told = decode(commands_body(left_out(caller)), await json_body(http))
        if not 0 < len(told.commands) <= MOST_COMMANDS:
            raise HttpProblem(422, "body_invalid", f"A request has 1 to {MOST_COMMANDS} commands.", pointer="/commands")
        key, now = idempotency_key(http), sender.clock()
        commands = []
        for number, body in enumerate(told.commands):
            command = BY_NAME[tag_of(body)]
            if not caller.may(scopes_of(command)):
                raise HttpProblem(
                    403, "not_allowed", f"This caller may not send {command.__name__}.", pointer=f"/commands/{number}"
                )
            made = command_from(command, body, filled_in(command, caller, body, now))
            await check_owner(sender.app, caller, command, {"cart": getattr(made, "cart", None)})
            check_about(caller, made)
            commands.append(made)
        request = Request(f"{caller.client}:{key}", tuple(commands), content_of("POST", REQUESTS_PATH, {}, told))
        if dry:
            return await previewed(sender, request, caller, key)
        outcome = await sender.send(request, caller)
        if not outcome.accepted:
            raise HttpProblem(status_of(outcome.code), outcome.code, outcome.sentence, position=outcome.position, request=key)
        return answer(outcome, key, None)

    return endpoint


BY_NAME: dict[str, type] = {command.__name__: command for command in COMMANDS if command not in REACTIONS | CONSOLE_ONLY}


@cache
def acts_body(omitted: frozenset[str]) -> type[msgspec.Struct]:
    """Return the body of a batch of behaviour, whose acts are told apart by ``kind``."""
    return _tagged("Behaviour", "Act", "acts", "kind", tuple(BEHAVIOUR.values()), omitted)


@cache
def commands_body(omitted: frozenset[str]) -> type[msgspec.Struct]:
    """Return the body of ``/v1/requests``, whose commands are told apart by ``command``."""
    return _tagged("Requests", "Command", "commands", "command", tuple(BY_NAME.values()), omitted)


def _tagged(
    name: str, suffix: str, field: str, tag: str, commands: tuple[type, ...], omitted: frozenset[str]
) -> type[msgspec.Struct]:
    bodies = []
    for command in commands:
        plain = body_of(command, omitted - frozenset(COMMANDS[command].ids))
        fields = [_again(one) for one in msgspec.structs.fields(plain)]
        bodies.append(
            msgspec.defstruct(
                f"{command.__name__}{suffix}", fields, tag_field=tag, tag=command.__name__, kw_only=True, frozen=True,
                forbid_unknown_fields=True, omit_defaults=True,
            )
        )  # fmt: skip
    union: Any = Union[tuple(bodies)]  # noqa: UP007 - the members are known at run time
    return msgspec.defstruct(name, [(field, tuple[union, ...])], kw_only=True, frozen=True, forbid_unknown_fields=True)


def _again(field: msgspec.structs.FieldInfo) -> tuple[Any, ...]:
    """Return a field as another struct declares it."""
    if field.required:
        return field.name, field.type
    if field.default_factory is not msgspec.NODEFAULT:
        return field.name, field.type, msgspec.field(default_factory=field.default_factory)
    return field.name, field.type, field.default


def tag_of(body: msgspec.Struct) -> str:
    """Return the name by which a body of a batch is told apart."""
    return str(body.__struct_config__.tag)


def allowed(caller: Caller, scopes: tuple[Scope, ...]) -> Caller:
    """Return the caller. Raises :class:`HttpProblem` 403 if none of its scopes is among these."""
    if not caller.may(scopes):
        raise HttpProblem(403, "not_allowed", "This key or token may not do this.")
    return caller


def left_out(caller: Caller, ids: frozenset[str] = frozenset()) -> frozenset[str]:
    """Return the fields that this caller's body does not have: those of the path, and those its scope may not say."""
    if caller.member is not None:
        return ids | MEMBER_OMITS | {"member", "session", "joiner", "leaver", "by"}
    return ids if caller.may((Scope.BACK_OFFICE,)) else ids | BACK_OFFICE_ONLY


def filled_in(command: type, caller: Caller, body: msgspec.Struct, now: int) -> dict[str, object]:
    """Return the fields of a command that the server fills in: the instant, the actor, and the member of a token."""
    known = hints_of(command)
    said: int | None = getattr(body, "at", None)
    if said is not None and not caller.may((Scope.BACK_OFFICE, Scope.OPERATOR)) and not now - DAY <= said <= now + DAY:
        raise HttpProblem(422, "instant_out_of_range", "A storefront says an instant within a day of now.", pointer="/at")
    values: dict[str, object] = {"at": now if said is None else said, "actor": caller.actor}
    if caller.member is not None:
        for name in OWNED:
            if name in known and name not in DOORS_NAMING_ANOTHER.get(command.__name__, ()):
                values[name] = caller.member
        if "by" in known:
            values["by"] = caller.member
    return {name: value for name, value in values.items() if name in known}


DOORS_NAMING_ANOTHER: Mapping[str, tuple[str, ...]] = {"JoinPool": ("member",), "LeavePool": ("member",)}
"""Fields that name a pool, not the asker."""


def check_about(caller: Caller, command: Any) -> None:
    """Raise :class:`HttpProblem` 404 if a member's token asks for something of somebody else."""
    if caller.member is None:
        return
    others = DOORS_NAMING_ANOTHER.get(type(command).__name__, ())
    for name in OWNED:
        if name not in others and getattr(command, name, caller.member) != caller.member:
            raise HttpProblem(404, "not_found", "There is nothing of yours by that name.")


async def check_owner(app: App, caller: Caller, command: type, ids: Mapping[str, str | None]) -> None:
    """Raise :class:`HttpProblem` 404 if a member's token names another's cart or, in the path, another member."""
    if caller.member is None:
        return
    if command.__name__ not in DOORS_NAMING_ANOTHER and ids.get("member", caller.member) != caller.member:
        raise HttpProblem(404, "not_found", "There is nothing of yours by that name.")
    if ids.get("leaver", caller.member) != caller.member:
        raise HttpProblem(404, "not_found", "There is nothing of yours by that name.")
    cart = ids.get("cart")
    if cart is not None and command.__name__ != "OpenCart":
        held = await asyncio.to_thread(states_in(app.log), cart_decider, cart)  # its shopper of now: an id may be used again
        if held.member != caller.member:
            raise HttpProblem(404, "not_found", "There is no cart of yours by that name.")


async def json_body(http: HttpRequest) -> bytes:
    """Return the bytes of a JSON body. Raises :class:`HttpProblem` 415 if it says to be something else."""
    body = await http.body()
    kind = http.headers.get("content-type", "").partition(";")[0].strip().lower()
    if body and kind != "application/json":
        raise HttpProblem(415, "content_type", "Send the body as application/json.")
    return body


def is_dry_run(http: HttpRequest, *others: str) -> bool:
    """Return whether ``?dry_run=true`` asks what would be decided. Raises :class:`HttpProblem` 400 for another query."""
    told = query_of(http, {"dry_run", *others})
    for name, value in told.items():
        if value not in ("true", "false"):
            raise HttpProblem(400, "query_invalid", f"`{name}` is true or false.")
    return told.get("dry_run") == "true"


async def previewed(sender: Sender, request: Request, caller: Caller, key: str) -> Response:
    """Return what would be decided now. A member's token gets only the kinds of the events: some may be about others."""
    found = await asyncio.to_thread(sender.app.handler.preview, request)
    return json_response(
        {"request": key, **preview_document(found, with_content=caller.member is None)}, headers={"X-Dry-Run": "true"}
    )


def preview_document(found: Preview, with_content: bool = True) -> dict[str, Any]:
    """Return a dry run as it is shown."""
    return {
        "dry_run": True,
        "accepted": found.outcome.accepted,
        "code": found.outcome.code or None,
        "detail": found.outcome.sentence or None,
        "policy": found.policy,
        "events": [
            {"event": type(event).__name__, **({"stream": stream, "content": event} if with_content else {})}
            for stream, event in found.events
        ],
    }


def idempotency_key(http: HttpRequest) -> str:
    """Return the key by which this request may be asked again: the header's, bare or quoted, else one made here.

    Raises :class:`HttpProblem` 400 if it is not 1 to 255 visible characters.
    """
    told = http.headers.get("idempotency-key")
    if told is None:
        return uuid4().hex
    key = told[1:-1] if len(told) > 1 and told[0] == told[-1] == '"' else told
    if not 0 < len(key) <= LONGEST_KEY or not all("!" <= one <= "~" for one in key):
        raise HttpProblem(400, "idempotency_key_invalid", f"Idempotency-Key is 1 to {LONGEST_KEY} visible ASCII characters.")
    return key


def content_of(method: str, route: str, ids: Mapping[str, str], body: msgspec.Struct) -> bytes:
    """Return a hash of what was asked, without what the server fills in: white space and a default do not change it."""
    told = msgspec.json.encode([method, route, dict(sorted(ids.items())), body])
    return sha256(told).digest()


def location(door: Door, command: object) -> str | None:
    """Return the path of what a command made."""
    if door.created is None:
        return None
    parts = [
        quote(str(getattr(command, part[1:-1])), safe="") if part.startswith("{") else part for part in door.created.split("/")
    ]
    return "/".join(parts)


def answer(outcome: Outcome, key: str, made: str | None) -> Response:
    """Return the response to an accepted request. It depends on the outcome alone, so that a repetition gets the same."""
    content = {"request": key, "position": outcome.position, "events": outcome.events, "repeated": outcome.repeated}
    return json_response(content, 201 if made else 200, {"Location": made} if made else None)


def json_response(content: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    told = {"Cache-Control": "no-store", **(headers or {})}
    return Response(msgspec.json.encode(content), status, told, "application/json")
