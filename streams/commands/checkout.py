"""Checking out: a cart is priced by the campaigns in the log, placed with its trace, and its promotions are reserved, at once.

How much of each limit is left is read before pricing, and checked again in the append. If somebody took the last use meanwhile,
the cart is priced again without it. What then becomes of it follows from the order's events (``aggregates/settlement.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from aggregates.calendar import local_day
from aggregates.campaign import Campaign, campaign
from aggregates.code_batches import KEY, code_batches
from aggregates.constraints import stock_key
from aggregates.coupon import ReserveCoupon, coupon
from aggregates.decider import Decider, Look, Refusal, stream_id
from aggregates.guest_coupon import ReserveGuestCoupon, guest_coupon
from aggregates.membership.decider import membership
from aggregates.order.decider import PayOrder, order
from aggregates.order.events import OrderLine
from aggregates.order.exchange import ExchangeItems
from aggregates.order.fulfilment import LineUnits
from aggregates.order.placing import PlaceOrder
from aggregates.order.priced import lines_of_trace
from aggregates.order.stock import HELD, ReserveStock
from aggregates.pricing.codes import normalised, serial_of
from aggregates.pricing.pipeline import Priced, price
from aggregates.pricing.request import Buyer, Entered, LineItem, PointsWanted, PriceRequest, PriceRules, Running
from aggregates.pricing.terms import CampaignTerms, needs_reservation
from aggregates.pricing.trace import PriceStep, Trace
from infra.event_log.log import EventLog
from infra.event_log.types import Outcome
from infra.keys.ring import KeyRing
from streams.commands import request as asking
from streams.commands.handler import Handler
from streams.commands.request import Plan

S = TypeVar("S")

TRIES = 4

TAKEN = ("campaign_exhausted", "campaign_budget_spent", "coupon_code_used", "coupon_member_limit")
"""Refusals after which another price may be had."""

Left = Callable[[str], int | None]
"""Returns how much of a limit's row is left, None of a key without a limit."""


BARE_RULES = PriceRules()


@dataclass(frozen=True)
class ComesBack:
    """Goods of an earlier order that come back for those that are bought; ``name`` names the exchange within that order."""

    order: str
    name: str
    parts: tuple[LineUnits, ...]
    reason: str = ""


@dataclass(frozen=True)
class Checkout:
    """What a shopper wants to buy. A promotion by code has its id as its code, or codes that were issued in batches.

    A guest gets no promotion that is limited for each member. ``priced_at``: when the shopper saw the price,
    if the promotions of then still hold. ``hold_ms``: for how long goods and promotions are held. ``comes_back``: what the
    order is exchanged for.
    """

    order: str
    items: tuple[LineItem, ...]
    at: int
    member: str | None = None
    session: str | None = None
    cart: str | None = None
    codes: tuple[str, ...] = ()
    pins: tuple[str, ...] = ()
    points: PointsWanted | None = None
    rules: PriceRules = BARE_RULES
    priced_at: int | None = None
    hold_ms: int = HELD
    comes_back: ComesBack | None = None


@dataclass(frozen=True)
class Known:
    """What a price needs besides states: the campaigns there are, what limits leave, and the key that codes are made with."""

    campaigns: tuple[str, ...]
    left: Left
    code_key: bytes


def quote(log: EventLog, keys: KeyRing, checkout: Checkout) -> Priced:
    """Return what a cart costs now by the campaigns in the log. Nothing is held by it."""
    return price(request_of(states_in(log), checkout, known_in(log, keys, checkout)))


def place(log: EventLog, keys: KeyRing, handler: Handler, checkout: Checkout) -> Outcome:
    """Place an order at its best price and reserve its promotions; return what came of it."""

    def attempt(number: int) -> Outcome:
        plan = placing(checkout, known_in(log, keys, checkout))
        return handler.handle(asking.Request(f"checkout {checkout.order} {checkout.at} {number}", plan, settled=False))

    return until_nothing_is_taken(attempt)


def until_nothing_is_taken(attempt: Callable[[int], Outcome]) -> Outcome:
    """Repeat attempts while a limit refuses them, :data:`TRIES` at most, and return the last outcome."""
    outcome = attempt(0)
    for number in range(1, TRIES):
        if outcome.accepted or outcome.code not in TAKEN:
            break
        outcome = attempt(number)
    return outcome


def states_in(log: EventLog) -> Look:
    def look(decider: Decider[Any, S, Any], /, *ids: str) -> S:
        return decider.rebuild(log.read(stream_id(decider.name, *ids))[0])

    return look


def campaigns_in(log: EventLog) -> tuple[str, ...]:
    prefix = f"{campaign.name}-"
    return tuple(stream.removeprefix(prefix) for stream in log.streams_between(prefix))


def known_in(log: EventLog, keys: KeyRing, checkout: Checkout) -> Known:
    return Known(campaigns_in(log), left_in(log, checkout.at), keys.secret(KEY))


def left_in(log: EventLog, at: int) -> Left:
    return lambda key: log.left(key, at)


def placing(checkout: Checkout, known: Known) -> Plan:
    """Return the commands of a checkout, decided over the same states as its price."""

    def plan(look: Look) -> Iterator[object]:
        yield from commands_of(look, checkout, known, price(request_of(look, checkout, known)).trace)

    return plan


def commands_of(look: Look, checkout: Checkout, known: Known, trace: Trace) -> Iterator[object]:
    """Yield the commands of a checkout at this price. What costs nothing is paid at once."""
    lines, codes = tuple(lines_of(checkout, trace)), tuple(step.use for step in trace.steps if step.use is not None)
    if checkout.comes_back is not None:
        yield from reservations(look, checkout, trace, known)  # an exchange may pay the order at once
        yield exchange_of(look, checkout, checkout.comes_back, trace, lines, codes)
        return
    yield PlaceOrder(
        checkout.order,
        lines,
        trace.currency,
        checkout.at,
        checkout.member,
        checkout.session,
        checkout.cart,
        trace.tax,
        codes,
        priced=trace,
    )
    if any(known.left(stock_key(item.product)) is not None for item in checkout.items):
        yield ReserveStock(checkout.order, checkout.at + checkout.hold_ms, checkout.at)
    yield from reservations(look, checkout, trace, known)
    if not trace.payable:
        yield PayOrder(checkout.order, checkout.at)


def exchange_of(
    look: Look, checkout: Checkout, back: ComesBack, trace: Trace, lines: tuple[OrderLine, ...], codes: tuple[str, ...]
) -> ExchangeItems:
    """Return the command of an exchange. Refuse one of another shopper's order, and one whose new order was placed before.

    An exchange given again changes nothing, but here it would close a cart for it.
    """
    if look(order, checkout.order).placed is not None:
        raise Refusal("order_exists", "Another order with this id was placed before.")
    before = look(order, back.order).placed
    if before is not None and before.member != checkout.member:
        raise Refusal("order_anothers", "The order of which goods come back is another shopper's.")
    return ExchangeItems(
        back.order, back.name, checkout.order, back.parts, lines, checkout.at, trace.tax, codes, trace, back.reason
    )


def reservations(look: Look, checkout: Checkout, trace: Trace, known: Known) -> Iterator[object]:
    """Yield the reservations of what a price uses: a member's are counted for the member, a guest's for the order alone."""
    for step in trace.steps:
        yield from reservation(look, checkout, step, known.code_key)


def lines_of(checkout: Checkout, trace: Trace) -> Iterator[OrderLine]:
    """Yield the order's lines as they were priced, with what the products are."""
    kinds = {item.id: item for item in checkout.items}
    for line, priced in zip(lines_of_trace(trace), trace.lines, strict=True):
        item = kinds.get(priced.id)
        department, category = (item.department, item.category) if item else (None, None)
        yield OrderLine(line.product, line.quantity, line.gross, line.total, line.paid, department, category)


def reservation(
    look: Look, checkout: Checkout, step: PriceStep, code_key: bytes
) -> Iterator[ReserveCoupon | ReserveGuestCoupon]:
    """Yield the reservation of a step's promotion. A promotion with neither limits nor codes needs none."""
    name = step.source.rpartition("@")[0]
    if step.stage not in (3, 4, 5, 7):
        return
    known = look(campaign, name)
    terms = known.terms
    if terms is None or not needs_reservation(terms):
        return
    budget = terms.budget
    serial = serial_of(normalised(step.use), code_key) if step.use is not None and step.use != name else None
    counted: dict[str, Any] = {
        "version": known.version,
        "serial": None if serial is None else str(serial),
        "amount": step.amount,
        "code_limit": None if serial is None else uses_of_code(terms),
        "budget": period_of(terms, checkout) if budget else None,
        "budget_amount": budget.amount if budget else None,
    }
    at, until = checkout.at, checkout.at + checkout.hold_ms
    if checkout.member is None:
        yield ReserveGuestCoupon(name, checkout.order, at, until, checkout.session, **counted)
    else:
        limit = terms.limits.member
        yield ReserveCoupon(name, checkout.member, checkout.order, at, until, member_limit=limit, **counted)


def request_of(look: Look, checkout: Checkout, known_here: Known) -> PriceRequest:
    """Return what is to be priced: the cart, its shopper, and the campaigns as far as they are used up."""
    held = look(membership, checkout.member) if checkout.member is not None else None
    shopper = Buyer(
        checkout.member,
        held.tier if held else "member",
        frozenset(held.earning.tags) if held else frozenset(),
        held is None or not held.earning.purchases,
    )
    at = checkout.at if checkout.priced_at is None else checkout.priced_at
    campaigns = []
    problems: dict[str, str | None] = {}
    for name in known_here.campaigns:
        known = look(campaign, name)
        if known.terms is None or (known.ended is not None and at >= known.ended):
            problems[name] = "ended" if known.ended is not None else "code_unknown"
        elif checkout.member is None and known.terms.limits.member is not None:
            problems[name] = "members_only"
        else:
            problems[name] = None
            campaigns.append(running_of(look, checkout, name, known, known.terms, known_here.left))
    codes = tuple(entered(look, code, problems, checkout, known_here) for code in checkout.codes)
    return PriceRequest(checkout.items, at, shopper, tuple(campaigns), codes, checkout.pins, checkout.points, checkout.rules)


def entered(look: Look, code: str, problems: Mapping[str, str | None], checkout: Checkout, known: Known) -> Entered:
    """Return what a code that was typed leads to: a campaign of that id, or that of the batch it was issued in.

    A code that was never issued and one that was revoked have the same answer.
    """
    if code in problems:
        return Entered(code, code, problems[code])
    serial = serial_of(normalised(code), known.code_key)
    batch = look(code_batches).find(serial) if serial is not None else None
    if serial is None or batch is None or batch.revoked or batch.campaign not in problems:
        return Entered(code, None, "code_unknown")
    left = known.left(f"code:{batch.campaign}:{serial}")
    mine = (
        look(coupon, batch.campaign, checkout.member).orders.get(checkout.order)
        if checkout.member is not None
        else look(guest_coupon, batch.campaign, checkout.order).order
    )
    if left == 0 and (mine is None or mine.reservation.serial != str(serial)):
        return Entered(code, batch.campaign, "code_used")
    return Entered(code, batch.campaign, problems[batch.campaign])


def uses_of_code(terms: CampaignTerms) -> int:
    """Return how many orders may use one code of a batch; one, where the terms do not say."""
    return terms.limits.code if terms.limits.code is not None else 1


def running_of(look: Look, checkout: Checkout, name: str, known: Campaign, terms: CampaignTerms, left: Left) -> Running:
    """Return a campaign with what is used of it: by all, by the member, and of its budget."""
    there = left(f"campaign:{name}")
    total = terms.limits.total
    used = total - there if total is not None and there is not None else 0
    mine = look(coupon, name, checkout.member).used_by_others(checkout.order, checkout.at) if checkout.member else 0
    if terms.budget is None:
        return Running(name, terms, known.version, max(0, used), mine)
    budget = left(f"budget:{name}:{period_of(terms, checkout)}")
    return Running(name, terms, known.version, max(0, used), mine, terms.budget.amount if budget is None else budget)


def period_of(terms: CampaignTerms, checkout: Checkout) -> str:
    """Return the name of a budget's period by the shop's calendar: ``ever``, a day, a week such as ``2026-W48``, a month."""
    per = terms.budget.per if terms.budget else "ever"
    if per == "ever":
        return per
    day = local_day(checkout.at, checkout.rules.zone)
    if per == "week":
        year, week, _ = date.fromisoformat(day).isocalendar()
        return f"{year}-W{week:02}"
    return day if per == "day" else day[:7]
