"""``POST /v1/carts/{cart}/checkout``: prices a cart by the log, and places the order at the price that the shopper saw."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, Any
from urllib.parse import quote

import msgspec
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from aggregates.order.decider import order
from aggregates.order.fulfilment import LineUnits
from aggregates.pricing.trace import Trace
from infra.event_log.types import Outcome
from streams.commands.cart_checkout import CartWanted, Shipping, checking_out
from streams.commands.checkout import TAKEN, TRIES, ComesBack, states_in
from streams.commands.request import Request
from streams.web.access import Caller
from streams.web.bodies import decode
from streams.web.command_routes import (
    Sender,
    allowed,
    content_of,
    idempotency_key,
    is_dry_run,
    json_body,
    json_response,
    previewed,
)
from streams.web.doors import Scope
from streams.web.problems import HttpProblem, refusal_problem
from streams.web.routing import HttpRoute

CHECKOUT_PATH = "/v1/carts/{cart}/checkout"
CHECKOUT_SCOPES = (Scope.STOREFRONT, Scope.BACK_OFFICE)

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Amount = Annotated[int, msgspec.Meta(ge=0, le=10**12)]
Strict = msgspec.Struct


class ShippingChoice(Strict, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the goods are sent, what that costs, and its class of tax."""

    method: Name
    price: Amount
    tax_class: str | None = None


class SeenPrice(Strict, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``payable`` and ``as_of`` as ``/v1/carts/{cart}/price`` told them."""

    payable: Amount
    as_of: int | None = None


class PartBack(Strict, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A line of the earlier order, counted from 1, with units."""

    line: Annotated[int, msgspec.Meta(ge=1)]
    units: Annotated[int, msgspec.Meta(ge=1)]


class ExchangeFor(Strict, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Goods of an earlier order that come back, and pay this one."""

    order: Name
    exchange: Name
    parts: tuple[PartBack, ...]
    reason: str = ""


class CheckoutBody(Strict, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The order to place, the codes beside those of the cart, the campaigns that were chosen, and the price that was seen."""

    order: Name
    codes: tuple[Name, ...] = ()
    pins: tuple[Name, ...] = ()
    shipping: ShippingChoice | None = None
    seen: SeenPrice | None = None
    exchange: ExchangeFor | None = None


EXAMPLE = {
    "order": "o-2",
    "codes": ["SPRING"],
    "shipping": {"method": "standard", "price": 490},
    "seen": {"payable": 2290, "as_of": 1_900_000_000_000},
}


def checkout_route(sender: Sender, caller_of: Callable[[HttpRequest], Caller]) -> HttpRoute:
    async def endpoint(http: HttpRequest) -> Response:
        caller = allowed(caller_of(http), CHECKOUT_SCOPES)
        ids: dict[str, str] = http.scope["path_params"]
        body: CheckoutBody = decode(CheckoutBody, await json_body(http))
        key, at = idempotency_key(http), sender.clock()
        found: list[Trace] = []
        wanted = wanted_of(ids["cart"], body)
        content = content_of("POST", CHECKOUT_PATH, ids, body)

        async def planned() -> Request:
            app = sender.app
            policies = (await asyncio.to_thread(app.handler.context)).policies
            plan = await asyncio.to_thread(checking_out, app.log, app.keys, policies, wanted, at, found)
            return Request(f"{caller.client}:{key}", plan, content, settled=False)

        if is_dry_run(http):
            return await previewed(sender, await planned(), caller, key)
        outcome = await sender.send(await planned(), caller)
        for _ in range(TRIES - 1):
            if outcome.accepted or outcome.code not in TAKEN:
                break
            outcome = await sender.send(await planned(), caller)
        if not outcome.accepted:
            raise problem_of(outcome, key, found)
        return await placed(sender, outcome, key, body.order)

    return HttpRoute("POST", CHECKOUT_PATH, endpoint)


def wanted_of(cart: str, body: CheckoutBody) -> CartWanted:
    """Return what a body asks for."""
    sent, seen, back = body.shipping, body.seen, body.exchange
    return CartWanted(
        cart,
        body.order,
        body.codes,
        body.pins,
        Shipping(sent.method, sent.price, sent.tax_class) if sent else None,
        seen.payable if seen else None,
        seen.as_of if seen else None,
        ComesBack(back.order, back.exchange, tuple(LineUnits(p.line, p.units) for p in back.parts), back.reason)
        if back
        else None,
    )


def problem_of(outcome: Outcome, key: str, found: list[Trace]) -> HttpProblem:
    """Return why a cart was not checked out; if it costs more than was seen, with the new price."""
    problem = refusal_problem(outcome, frozenset({"cart_unknown"}))
    problem.more["request"] = key
    if outcome.code == "price_changed" and found:
        problem.more |= {"payable": found[0].payable, "trace": found[0]}
    return problem


async def placed(sender: Sender, outcome: Outcome, key: str, name: str) -> Response:
    """Return the response to a checkout: what the log says of the order, so that a repetition gets the same."""
    state = await asyncio.to_thread(states_in(sender.app.log), order, name)
    trace = state.priced.trace if state.priced is not None else None
    content: dict[str, Any] = {
        "request": key,
        "position": outcome.position,
        "events": outcome.events,
        "repeated": outcome.repeated,
        "order": name,
        "payable": trace.payable if trace else 0,
        "tax": trace.tax if trace else 0,
        "currency": trace.currency if trace else None,
        "trace": trace,
    }
    return json_response(content, 201, {"Location": f"/v1/orders/{quote(name, safe='')}"})
