"""What a shop asks before and after it sells: a price, stock, what a refund would bring, why an order is so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from aggregates.cart import cart
from aggregates.constraints import stock_key
from aggregates.decider import Refusal
from aggregates.order.decider import order
from aggregates.order.events import OrderLine
from aggregates.order.exchange import ExchangeItems
from aggregates.order.fulfilment import LineUnits
from aggregates.order.refund import RefundOrder, RefundPart
from streams.commands.cart_checkout import CartWanted
from streams.commands.checkout import states_in
from streams.queries.cart_price import price_of_cart
from streams.queries.clock import clock_of
from streams.queries.orders import preview, why_order
from streams.running.app import App
from streams.web.doors import Scope
from streams.web.problems import HttpProblem, status_of
from streams.web.questions.question import AT, Asked, Parameter, Question, whole

S, B, O, M = Scope.STOREFRONT, Scope.BACK_OFFICE, Scope.OPERATOR, Scope.MEMBER  # noqa: E741
T = TypeVar("T")

CODES = Parameter("codes", "Codes that the shopper entered, with commas between.", {"type": "string"})
PARTS = Parameter("parts", "Lines with units, as `1:2,3:1`; all that is left, if left out.", {"type": "string"}, "1:1")
UNITS = Parameter("parts", "Lines that come back, with units, as `1:2,3:1`.", {"type": "string"}, "1:1")
PRICE = Parameter("price", "What the goods that go out cost, in minor units.", {"type": "integer", "minimum": 1}, 1990)
GOODWILL = Parameter("goodwill", "Money without a line, in minor units.", {"type": "integer", "minimum": 0})
FEE = Parameter("fee", "What is kept of the refund.", {"type": "integer", "minimum": 0})


@dataclass(frozen=True)
class SellingQuestions:
    """Answers by reading the log, away from the loop, as the questions of operators are."""

    app: App
    run: Callable[[Callable[[], Any]], Any]

    async def cart_price(self, asked: Asked) -> dict[str, Any]:
        at, name = whole(asked.query, "at", None), asked.ids["cart"]
        codes = tuple(code.strip() for code in asked.query.get("codes", "").split(",") if code.strip())

        def answer() -> dict[str, Any]:
            if asked.caller.member not in (None, states_in(self.app.log)(cart, name).member):
                raise HttpProblem(404, "not_found", "There is no cart of yours by that name.")
            found = price_of_cart(
                self.app, CartWanted(name, f"cart {name}"[:200], codes), clock_of(self.app)() if at is None else at
            )
            notices = [asdict(one) | {"rose": one.rose} for one in found.notices]
            return {
                "cart": name,
                "payable": found.trace.payable if found.trace else 0,
                "trace": found.trace,
                "points": found.points,
                "progress": found.progress,
                "notices": notices,
                "without_price": found.without_price,
                "as_of": found.at,
            }

        return await self._answered(answer)

    async def stock(self, asked: Asked) -> dict[str, Any]:
        name, at = asked.ids["product"], whole(asked.query, "at", None)

        def answer() -> dict[str, Any]:
            now = clock_of(self.app)() if at is None else at
            left = self.app.log.left(stock_key(name), now)
            return {"product": name, "tracked": left is not None, "left": None if left is None else max(0, left), "as_of": now}

        return await self._answered(answer)

    async def refund_preview(self, asked: Asked) -> dict[str, Any]:
        name = asked.ids["order"]
        at = whole(asked.query, "at", None)
        parts = tuple(parts_of(asked.query.get("parts", "")))
        goodwill, fee = (whole(asked.query, word, 0) or 0 for word in ("goodwill", "fee"))

        def answer() -> dict[str, Any]:
            now = clock_of(self.app)() if at is None else at
            found = preview(self.app, RefundOrder(name, "preview", now, parts, goodwill, fee))
            told = found.refund
            return {
                "order": name,
                "amount": found.amount,
                "tax": told.tax,
                "fee": told.fee,
                "kind": told.kind,
                "complete": told.complete,
                "parts": told.parts,
                "tenders": told.tenders,
                "points_taken": found.points_taken,
                "points_back": found.points_back,
                "as_of": now,
            }

        return await self._answered(answer)

    async def exchange_preview(self, asked: Asked) -> dict[str, Any]:
        name, at, price = asked.ids["order"], whole(asked.query, "at", None), whole(asked.query, "price", 0) or 0
        parts = tuple(LineUnits(one.line, one.quantity or 0) for one in parts_of(asked.query.get("parts", "")))

        def answer() -> dict[str, Any]:
            now = clock_of(self.app)() if at is None else at
            goods = (OrderLine("preview", 1, price, price, price),)
            found = preview(self.app, ExchangeItems(name, "preview", f"{name} preview"[-200:], parts, goods, now))
            told = found.refund
            return {
                "order": name,
                "credit": found.amount,
                "to_pay": price - told.moved,
                "back": found.amount - told.moved,
                "tenders": told.tenders,
                "complete": told.complete,
                "points_taken": found.points_taken,
                "points_back": found.points_back,
                "as_of": now,
            }

        return await self._answered(answer)

    async def why(self, asked: Asked) -> dict[str, Any]:
        name = asked.ids["order"]

        def answer() -> dict[str, Any]:
            found = why_order(self.app, name)
            placed = states_in(self.app.log)(order, name).placed
            if placed is None or asked.caller.member not in (None, placed.member):
                raise HttpProblem(404, "not_found", f"There is no order {name} here.")
            return {"order": name, "steps": [asdict(one) for one in found]}

        return await self._answered(answer)

    async def _answered(self, answer: Callable[[], T]) -> T:
        try:
            found: T = await asyncio.wrap_future(self.run(answer))
        except Refusal as refusal:
            status = 404 if refusal.code.endswith("_unknown") else status_of(refusal.code)
            raise HttpProblem(status, refusal.code, refusal.sentence) from None
        return found

    def table(self) -> tuple[Question, ...]:
        """Return the questions that this answers."""
        return (
            Question(
                "cart_price",
                "/v1/carts/{cart}/price",
                (S, B, M),
                "What a cart costs now, what it would earn, what is missing to the next step.",
                self.cart_price,
                (CODES, AT),
            ),
            Question(
                "stock", "/v1/products/{product}/stock", (S, B), "How many of a product can be sold now.", self.stock, (AT,)
            ),
            Question(
                "refund_preview",
                "/v1/orders/{order}/refund-preview",
                (S, B),
                "What a refund would bring, before it is made.",
                self.refund_preview,
                (PARTS, GOODWILL, FEE, AT),
            ),
            Question(
                "exchange_preview",
                "/v1/orders/{order}/exchange-preview",
                (S, B),
                "What an exchange would bring, before it is made: what is left to pay, or goes back.",
                self.exchange_preview,
                (UNITS, PRICE, AT),
            ),
            Question("why_order", "/v1/orders/{order}/why", (S, B, M), "Why an order costs and earns what it does.", self.why),
        )


def parts_of(text: str) -> Any:
    """Yield lines with their units. Raises :class:`HttpProblem` 400 for what is none.

    >>> list(parts_of("1:2,3"))
    [RefundPart(line=1, quantity=2, total=None), RefundPart(line=3, quantity=None, total=None)]
    """
    for part in filter(None, text.split(",")):
        line, _, units = part.partition(":")
        numbers: Mapping[str, str] = {"line": line, "units": units or "0"}
        found = whole(numbers, "line", None)
        yield RefundPart(found or 0, whole(numbers, "units", None) if units else None)
