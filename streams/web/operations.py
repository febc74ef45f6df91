"""What operators do besides commands and questions: webhooks, and the record of administrative acts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

import msgspec

from infra.admin_acts import AdminActs
from infra.webhooks.post import check_target
from infra.webhooks.store import Endpoint, WebhookStore
from streams.running.app import App
from streams.web.access import Caller
from streams.web.acts import noted
from streams.web.doors import Scope
from streams.web.problems import HttpProblem
from streams.webhooks.messages import unknown_kinds
from streams.webhooks.sender import WebhookSender, epoch_ms

T = TypeVar("T")
OPERATOR = (Scope.OPERATOR,)
LATEST = 1000
MOST_ENDPOINTS = 100
DAY, LONGEST_KEPT = 86_400, 30 * 86_400
"""Seconds for which the old secret of a webhook signs, too: unless told, and at most."""


class NoBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing."""


class EndpointWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An endpoint for events of some kinds; ``personal``: with the personal values that they hold."""

    url: str
    kinds: tuple[str, ...]
    personal: bool = False


class RotateWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A new secret for an endpoint; the old one signs, too, for so many seconds."""

    keep: int = DAY


class ReplayWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Tell an endpoint again what follows a position of the log."""

    since: int


@dataclass(frozen=True)
class Done:
    """What somebody asked an operation for."""

    ids: Mapping[str, str]
    body: Any
    caller: Caller


@dataclass(frozen=True)
class Operation:
    """``body``: the struct that is sent, :class:`NoBody` for none. ``status``: of a success."""

    name: str
    method: str
    path: str
    summary: str
    answer: Callable[[Done], Awaitable[Any]]
    body: type[msgspec.Struct] = NoBody
    status: int = 200
    example: Mapping[str, Any] | None = None
    scopes: tuple[Scope, ...] = OPERATOR


@dataclass(frozen=True)
class Operations:
    """``run`` calls a function away from the loop."""

    app: App
    webhooks: WebhookStore
    acts: AdminActs
    run: Callable[[Callable[[], Any]], Any]

    async def listed(self, _: Done) -> dict[str, Any]:
        """Return every endpoint, without its secret."""
        return {"webhooks": [asdict(one) for one in await self._away(self.webhooks.all)]}

    async def added(self, done: Done) -> dict[str, Any]:
        """Register an endpoint and return it with its secret, which is never shown again."""
        wanted: EndpointWanted = done.body
        if not wanted.kinds or (unknown := unknown_kinds(wanted.kinds)):
            named = f"no event is named {unknown[0]!r}" if wanted.kinds else "name at least one"
            raise HttpProblem(422, "webhook_invalid", f"`kinds` are names of events; {named}.", pointer="/kinds")
        try:
            check_target(wanted.url, self.app.settings.private_webhooks)
        except ValueError as fault:
            raise HttpProblem(422, "webhook_invalid", str(fault), pointer="/url") from None

        def add() -> dict[str, Any]:
            if len(self.webhooks.all()) >= MOST_ENDPOINTS:
                raise HttpProblem(409, "webhook_limit", f"There are {MOST_ENDPOINTS} endpoints, which is the most.")
            with noted(self.acts, done.caller.actor, "webhook.add", wanted.url, epoch_ms()):
                made, secret = self.webhooks.add(wanted.url, wanted.kinds, wanted.personal, self.app.log.head(), epoch_ms())
            return {**asdict(made), "secret": secret}

        return await self._away(add)

    async def removed(self, done: Done) -> dict[str, Any]:
        return await self._changed(done, "webhook.remove", lambda one: self.webhooks.remove(one.id))

    async def replayed(self, done: Done) -> dict[str, Any]:
        since = done.body.since
        if not 0 <= since <= await self._away(self.app.log.head):
            raise HttpProblem(422, "position_unknown", "`since` is a position of the log.", pointer="/since")
        return await self._changed(done, "webhook.replay", lambda one: self.webhooks.replay(one.id, since))

    async def rotated(self, done: Done) -> dict[str, Any]:
        """Give an endpoint a new secret and return it; it is never shown again."""
        if not 0 <= done.body.keep <= LONGEST_KEPT:
            raise HttpProblem(422, "body_invalid", f"`keep` is 0 to {LONGEST_KEPT} seconds.", pointer="/keep")
        now, made = epoch_ms(), dict[str, Any]()

        until = now + done.body.keep * 1000

        def rotate(one: Endpoint) -> None:
            if (secret := self.webhooks.rotate(one.id, now, until)) is None:
                raise HttpProblem(404, "not_found", "There is no webhook of this id.")
            made.update(secret=secret, old_until=until)

        return {**await self._changed(done, "webhook.rotate", rotate), **made}

    async def tested(self, done: Done) -> dict[str, Any]:
        """Send a message of the kind ``webhook.test`` now, once, and return what was answered."""
        endpoint = await self._away(lambda: self._endpoint(done))
        sender = WebhookSender(self.app.log, self.webhooks, self.app.settings.private_webhooks)
        attempt = await sender.ping(endpoint)
        return {"taken": attempt.taken, "answer": attempt.answer}

    async def dead(self, done: Done) -> dict[str, Any]:
        """Return what an endpoint never took, and what waits for another attempt."""

        def answer() -> dict[str, Any]:
            endpoint = self._endpoint(done)
            return {
                "dead_letters": [asdict(one) for one in self.webhooks.dead_letters(endpoint.id)[:LATEST]],
                "waiting": [asdict(one) for one in self.webhooks.waiting(endpoint.id)[:LATEST]],
            }

        return await self._away(answer)

    async def resent(self, done: Done) -> dict[str, Any]:
        told = done.ids["position"]
        position = int(told) if told.isascii() and told.isdigit() and len(told) < 16 else -1

        def resend(one: Endpoint) -> None:
            if not self.webhooks.resend(one.id, position):
                raise HttpProblem(404, "not_found", "There is no dead letter at this position.")

        return await self._changed(done, "webhook.resend", resend)

    async def recorded(self, _: Done) -> dict[str, Any]:
        """Return the latest administrative acts, the newest first."""
        return {"acts": [asdict(one) for one in await self._away(lambda: self.acts.latest(LATEST))]}

    async def _changed(self, done: Done, act: str, change: Callable[[Endpoint], object]) -> dict[str, Any]:
        def answer() -> dict[str, Any]:
            endpoint = self._endpoint(done)
            with noted(self.acts, done.caller.actor, act, endpoint.id, epoch_ms()):
                change(endpoint)
            return {"webhook": endpoint.id}

        return await self._away(answer)

    def _endpoint(self, done: Done) -> Endpoint:
        if (found := self.webhooks.find(done.ids["webhook"])) is None:
            raise HttpProblem(404, "not_found", "There is no webhook of this id.")
        return found

    async def _away(self, answer: Callable[[], T]) -> T:
        found: T = await asyncio.wrap_future(self.run(answer))
        return found

    def table(self) -> tuple[Operation, ...]:
        """Return the operations."""
        hooks, hook = "/v1/webhooks", "/v1/webhooks/{webhook}"
        return (
            Operation("list_webhooks", "GET", hooks, "Every webhook, without its secret.", self.listed),
            Operation(
                "add_webhook", "POST", hooks, "Register an endpoint; its secret is shown once.", self.added, EndpointWanted,
                201, {"url": "https://shop.example.com/hooks", "kinds": ["OrderPaid", "PointsGranted"]},
            ),
            Operation("remove_webhook", "DELETE", hook, "Forget an endpoint.", self.removed),
            Operation("test_webhook", "POST", f"{hook}/test", "Send a test message now, once.", self.tested),
            Operation(
                "rotate_webhook", "POST", f"{hook}/rotate", "Make a new secret, shown once; both sign until the old one ends.",
                self.rotated, RotateWanted, example={"keep": DAY},
            ),
            Operation(
                "replay_webhook", "POST", f"{hook}/replay", "Tell an endpoint again what follows a position.",
                self.replayed, ReplayWanted, example={"since": 0},
            ),
            Operation(
                "list_dead_letters", "GET", f"{hook}/dead-letters", "What an endpoint never took, and what waits.", self.dead
            ),
            Operation(
                "resend_dead_letter", "POST", f"{hook}/dead-letters/{{position}}/resend", "Send a dead letter anew.",
                self.resent,
            ),
            Operation("admin_acts", "GET", "/v1/admin-acts", "Who did what: the latest administrative acts.", self.recorded),
        )  # fmt: skip
