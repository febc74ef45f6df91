"""Events, baskets and visits for tests, in few words."""

from __future__ import annotations

from collections.abc import Sequence

from aggregates.behaviour import Viewed
from aggregates.order.events import OrderLine, OrderPaid
from models.evaluation.facts import Baskets, VisitHistory, baskets_of, products_of, visits_of

HOUR = 3_600_000


def paid(order: str, member: str | None, *products: str, at: int = 0) -> OrderPaid:
    lines = tuple(OrderLine(product, 1, 100, 100, 100) for product in products)
    return OrderPaid(order=order, member=member, session=None, currency="USD", lines=lines, net=100 * len(lines), at=at)


def viewed(session: str | None, product: str, at: int = 0, member: str | None = None) -> Viewed:
    return Viewed(product=product, member=member, session=session, at=at)


def baskets(events: Sequence[object]) -> Baskets:
    return baskets_of(events, products_of(events))


def visits(events: Sequence[object], *kinds: str) -> VisitHistory:
    return visits_of(events, products_of(events), kinds or ("view",))


class NoMeter:
    """Time stands still, and memory is not looked at."""

    def seconds(self) -> float:
        return 0.0

    def look(self) -> None:
        pass
