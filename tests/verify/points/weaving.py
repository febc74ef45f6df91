"""Acts woven into the journey: each in its time, so that all requests still come in order of time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from heapq import heappop, heappush
from typing import NamedTuple, TypeAlias

from aggregates.order.placing import PlaceOrder
from streams.commands.request import Plan, Request


class Bought(NamedTuple):
    """A basket of a household: its order, when, and what it cost, in cents."""

    order: str
    member: str
    at: int
    total: int


class Act(NamedTuple):
    """What is done ``at`` an instant, not before the basket it follows from; ``name`` is its request's id."""

    at: int
    name: str
    plan: Plan


Timed: TypeAlias = tuple[int, Request]

Follows: TypeAlias = Callable[[Bought], Iterable[Act]]
"""What is done because of a basket: at its very instant before it is paid, or later."""


def timed(requests: Iterable[Request]) -> Iterator[Timed]:
    """Requests of known commands, each with its instant."""
    for request in requests:
        yield getattr(request.known[-1], "at"), request  # noqa: B009 - all have one


def woven(requests: Iterable[Request], follows: Follows) -> Iterator[Timed]:
    """The requests with what follows from their baskets between them, up to the last request's instant."""
    waiting: list[tuple[int, int, Act]] = []
    count = 0
    for at, request in timed(requests):
        for act in follows(basket) if (basket := bought(request)) else ():
            count += 1
            heappush(waiting, (act.at, count, act))
        while waiting and waiting[0][0] <= at:
            act = heappop(waiting)[2]
            yield act.at, Request(act.name, act.plan, settled=False)
        yield at, request


def bought(request: Request) -> Bought | None:
    for command in request.known:
        if isinstance(command, PlaceOrder) and command.member is not None:
            return Bought(command.order, command.member, command.at, sum(line.paid for line in command.lines))
    return None
