"""What operators ask of the log itself: why, audit, trace, the policy's versions, lag, the outcome of a request."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

import msgspec

from aggregates.decider import stream_id
from aggregates.programme import Policies
from aggregates.programme.policy import policy
from streams.queries.audit import Audit, audit
from streams.queries.clock import clock_of
from streams.queries.policies import versions
from streams.queries.why import Life, LifeStep, read_life
from streams.replay.past.places import position_in
from streams.running.app import App
from streams.running.positions import fold_positions
from streams.web.doors import Scope
from streams.web.problems import HttpProblem
from streams.web.questions.question import AT, CURSOR, LIMIT, Asked, Parameter, Question, whole
from streams.web.questions.shop import page

S, B, O, A, M = Scope.STOREFRONT, Scope.BACK_OFFICE, Scope.OPERATOR, Scope.ANALYST, Scope.MEMBER  # noqa: E741
T = TypeVar("T")

MOST_ROWS = 1000
"""Events of one stream that a trace lists."""


@dataclass(frozen=True)
class LogQuestions:
    """Answers by reading the log, away from the loop. ``run`` does so with as many threads as questions may have."""

    app: App
    run: Callable[[Callable[[], Any]], Any]

    def now(self) -> int:
        """Return the shop's now: the wall's clock for a live shop, else the latest instant that the log tells."""
        return clock_of(self.app)()

    def policies(self) -> Policies:
        terms = self.app.terms
        return versions(self.app.log, Policies.first(terms.zone, terms.currency, terms.digits))[0]

    async def why_points(self, asked: Asked) -> dict[str, Any]:
        return await self._why(
            asked, lambda found: found.points(asked.query.get("wallet", found.policies.newest.wallets[0].name))
        )

    async def why_tier(self, asked: Asked) -> dict[str, Any]:
        return await self._why(asked, lambda found: found.tier)

    async def _why(self, asked: Asked, steps_of: Callable[[Life], list[LifeStep]]) -> dict[str, Any]:
        at = whole(asked.query, "at", None)

        def answer() -> dict[str, Any]:
            now = self.now() if at is None else at
            found, position = read_life(self.app.log, asked.ids["member"], self.policies(), now)
            return {
                "member": asked.ids["member"],
                "steps": [_step(step) for step in steps_of(found)],
                "as_of": now,
                "position": position,
            }

        return await self._answered(answer)

    async def audit(self, asked: Asked) -> dict[str, Any]:
        """Return every wallet's roll-forward by month, and what differs."""
        done, now = await self._audited(asked)
        rolled: dict[str, dict[str, dict[str, int]]] = {}
        for (wallet, day), moved in sorted(done.rolled.items()):
            month = rolled.setdefault(wallet, {}).setdefault(day[:7], {})
            for kind, points in moved.items():
                month[kind] = month.get(kind, 0) + points
        return {
            "members": done.members,
            "closings": done.days,
            "differences": [asdict(one) for one in done.differences],
            "rolled": rolled,
            "as_of": now,
        }

    async def liability(self, asked: Asked) -> dict[str, Any]:
        """Return what the points out there are worth, by wallet."""
        done, now = await self._audited(asked)
        terms = self.policies().at(now)
        return {
            "currency": terms.currency,
            "wallets": {
                wallet: {
                    "to_spend": of.active, "pending": of.pending, "held": of.held, "owed": of.owed,
                    "matured": of.matured, "lapsed": of.lapsed, "by_month": dict(sorted(of.by_month.items())),
                    "worth": of.worth(wallet, terms), "deferred": of.deferral(wallet, terms),
                }
                for wallet, of in sorted(done.liabilities.items())
            },
            "as_of": now,
        }  # fmt: skip

    async def _audited(self, asked: Asked) -> tuple[Audit, int]:
        at = whole(asked.query, "at", None)

        def answer() -> tuple[Audit, int]:
            now = self.now() if at is None else at
            return audit(self.app.log, self.policies(), now), now

        return await self._answered(answer)

    async def trace(self, asked: Asked) -> dict[str, Any]:
        """Return an event by its position (``#12``), the events of a request, or the streams of an id."""
        what = asked.ids["id"]

        def answer() -> dict[str, Any]:
            log = self.app.log
            if what.startswith("#") and (position := position_in(what)) is not None:
                rows = log.since(position - 1, 1)
                if not rows or rows[0].position != position:
                    raise HttpProblem(404, "not_found", f"The log has no position {what[1:]}; its head is {log.head():,}.")
                request = log.request_at(rows[0].position)
                return {"events": [self._row(rows[0])], "request": request.request if request else None}
            if outcome := log.outcome(what):
                rows = log.since(outcome.position - outcome.events, outcome.events) if outcome.events else []
                return {
                    "request": what,
                    "accepted": outcome.accepted,
                    "code": outcome.code,
                    "events": [self._row(row) for row in rows],
                }
            streams = {
                name: log.rows_of(stream_id(name, what), MOST_ROWS)
                for name in ("member", "membership", "order", "cart", "product")
            }
            found = {name: [self._row(row) for row in rows] for name, rows in streams.items() if rows}
            if not found:
                raise HttpProblem(404, "not_found", f"The log knows nothing named {what}.")
            return {"streams": found}

        return await self._answered(answer)

    def _row(self, row: Any) -> dict[str, Any]:
        event = self.app.log.codec.decode(row.name, row.state)
        return {"position": row.position, "stream": row.stream, "version": row.version, "event": row.name, "content": event}

    async def versions(self, asked: Asked) -> dict[str, Any]:
        """Return the versions of the policy, oldest first, a page at a time."""
        events: Any = (await self._answered(lambda: self.app.log.read(policy.name)))[0]
        listed = [
            (
                {
                    "version": one.version,
                    "effective": one.effective,
                    "actor": one.actor,
                    "at": one.at,
                    "document": one.document,
                },
                str(one.version),
            )
            for one in events
        ]
        chosen, following = page(listed, asked)
        return {"versions": [told for told, _ in chosen], "next": following}

    async def lag(self, _: Asked) -> dict[str, Any]:
        """Return how far each fold has come and how many events it has yet to apply."""
        found = await self._answered(lambda: fold_positions(self.app))
        return {"head": await self._answered(self.app.log.head), "folds": [asdict(one) for one in found]}

    async def request(self, asked: Asked) -> dict[str, Any]:
        """Return what became of a request of this client, by its idempotency key."""
        key = asked.ids["id"]
        outcome = await self._answered(lambda: self.app.log.outcome(f"{asked.caller.client}:{key}"))
        if outcome is None:
            raise HttpProblem(404, "not_found", "No request of yours has this key, or it was not decided yet.")
        return {
            "request": key, "accepted": outcome.accepted, "code": outcome.code or None, "detail": outcome.sentence or None,
            "events": outcome.events, "position": outcome.position,
        }  # fmt: skip

    async def _answered(self, answer: Callable[[], T]) -> T:
        found: T = await asyncio.wrap_future(self.run(answer))
        return found

    def table(self) -> tuple[Question, ...]:
        """Return the questions that this answers."""
        member = "/v1/members/{member}"
        wallet = Parameter("wallet", "Which points; the programme's first if left out.", {"type": "string"})
        return (
            Question(
                "why_points",
                f"{member}/points/why",
                (S, B, M),
                "How a member's points came about.",
                self.why_points,
                (AT, wallet),
            ),
            Question("why_tier", f"{member}/tier/why", (S, B, M), "How a member's tier came about.", self.why_tier, (AT,)),
            Question("audit", "/v1/audit", (O,), "Every member's points rolled forward, and what differs.", self.audit, (AT,)),
            Question("liability", "/v1/liability", (O,), "What the points out there are worth.", self.liability, (AT,)),
            Question("trace", "/v1/trace/{id}", (O,), "What lies behind an event (as `#12`), a request or an id.", self.trace),
            Question("versions", "/v1/policy/versions", (O,), "The versions of the policy.", self.versions, (LIMIT, CURSOR)),
            Question("lag", "/v1/lag", (O,), "How far each fold has come.", self.lag),
            Question("request", "/v1/requests/{id}", (S, B, O, M), "What became of a request, by its key.", self.request),
        )


def _step(step: LifeStep) -> dict[str, Any]:
    return {
        "position": step.position,
        "at": step.at,
        "event": type(step.event).__name__ if step.event else None,
        "content": msgspec.to_builtins(step.event) if step.event else None,
        "wallet": step.wallet,
        "by_time": step.said or None,
    }
