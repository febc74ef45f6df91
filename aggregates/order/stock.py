"""The stock that an order holds: reserved until an instant, taken once it is paid, released or restored when it ends otherwise.

A product whose stock nobody has told has no row, so nothing of it is held. A reservation lapses at ``until`` whether or not
anybody records it; an order that is paid later takes what is there, and what is not is honoured as ``oversold``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias

from aggregates.decider import Refusal
from aggregates.fields import Instant, IsInstant, OrderId
from aggregates.pricing.trace import Trace
from aggregates.value import Value

HELD = 15 * 60_000
"""How long what an order uses is reserved before it is paid, in milliseconds."""

Units: TypeAlias = tuple[tuple[str, int], ...]
"""Products with their units, in the order of their names."""

# Commands


class ReserveStock(Value):
    """Hold the order's goods until it is paid or ``until`` comes. A later ``until`` extends it."""

    order: OrderId
    until: Annotated[int, IsInstant("until")]
    at: Instant


class RecordOrderDue(Value):
    """Record that the order's reservation of stock has lapsed."""

    order: OrderId
    at: Instant


# Events


class StockReserved(Value, kw_only=True):
    """It replaces what the order held before. ``until``: from then on the goods are anybody's again."""

    order: str
    member: str | None
    session: str | None
    items: Units
    until: int
    at: int


class StockTaken(Value, kw_only=True):
    """The goods are sold. ``oversold``: products of which there were no longer enough; they are not counted."""

    order: str
    member: str | None
    session: str | None
    items: Units
    at: int
    oversold: tuple[str, ...] = ()


class StockReleased(Value, kw_only=True):
    """A reservation ended without a sale. ``reason``: ``expired``, ``failed`` or ``cancelled``."""

    order: str
    member: str | None
    session: str | None
    items: Units
    reason: Literal["expired", "failed", "cancelled"]
    at: int


class StockRestored(Value, kw_only=True):
    """Goods that were taken can be sold again."""

    order: str
    member: str | None
    session: str | None
    items: Units
    at: int


Event: TypeAlias = StockReserved | StockTaken | StockReleased | StockRestored


@dataclass(frozen=True)
class OrderStock:
    """``counted``: the units of each product that were taken and are not restored; what was oversold is not among them."""

    state: Literal["reserved", "released", "taken"]
    items: Units
    until: int = 0
    counted: Mapping[str, int] | None = None


def goods_of(lines: Iterator[tuple[str, int]]) -> Units:
    """Return the units of each product, summed over lines.

    >>> goods_of(iter([("tea", 2), ("cup", 1), ("tea", 1), ("fee", 0)]))
    (('cup', 1), ('tea', 3))
    """
    units: dict[str, int] = {}
    for product, more in lines:
        if more:
            units[product] = units.get(product, 0) + more
    return tuple(sorted(units.items()))


def goods_of_trace(trace: Trace) -> Units:
    return goods_of((line.product, line.quantity) for line in trace.lines if line.kind in ("goods", "gift"))


def reserve(command: ReserveStock, stock: OrderStock | None, items: Units, whose: Mapping[str, Any]) -> list[StockReserved]:
    if command.until <= command.at:
        raise Refusal("until_invalid", "A reservation is held until a later instant.")
    if stock is not None and stock.state == "reserved" and command.at < stock.until and command.until <= stock.until:
        return []
    return [StockReserved(**whose, items=items, until=command.until, at=command.at)] if items else []


def take(stock: OrderStock | None, whose: Mapping[str, Any], at: int) -> list[StockTaken]:
    """Return the sale of an order that is paid, if it ever reserved its goods."""
    if stock is None or stock.state == "taken":
        return []
    return [StockTaken(**whose, items=stock.items, at=at)]


def extend(stock: OrderStock | None, whose: Mapping[str, Any], until: int, at: int) -> list[StockReserved]:
    """Return the reservation that waits for a provider's answer; one that has lapsed is not begun again."""
    if stock is None or stock.state != "reserved" or not at < stock.until < until:
        return []
    return [StockReserved(**whose, items=stock.items, until=until, at=at)]


def after_failure(stock: OrderStock | None, whose: Mapping[str, Any], at: int) -> list[StockReleased]:
    """Return the end of a reservation that was extended for a provider; a plain one goes on, as the shopper may try again."""
    if stock is None or stock.state != "reserved" or stock.until <= at + HELD:
        return []
    return [StockReleased(**whose, items=stock.items, reason="failed", at=at)]


def give_up(stock: OrderStock | None, whose: Mapping[str, Any], at: int) -> list[StockReleased | StockRestored]:
    """Return what becomes of the goods of an order that is cancelled."""
    match stock:
        case OrderStock(state="reserved"):
            if at >= stock.until:
                return [StockReleased(**whose, items=stock.items, reason="expired", at=stock.until)]
            return [StockReleased(**whose, items=stock.items, reason="cancelled", at=at)]
        case OrderStock(state="taken", counted=counted) if counted:
            return [StockRestored(**whose, items=tuple(sorted(counted.items())), at=at)]
        case _:
            return []


def restore(stock: OrderStock | None, whose: Mapping[str, Any], items: Units, at: int) -> list[StockRestored]:
    """Return the goods of these that were counted, and can be sold again."""
    counted = (stock.counted if stock else None) or {}
    back = tuple((product, min(units, counted[product])) for product, units in items if counted.get(product))
    return [StockRestored(**whose, items=back, at=at)] if back else []


def lapse(command: RecordOrderDue, stock: OrderStock | None, whose: Mapping[str, Any]) -> list[StockReleased]:
    if stock is None or stock.state != "reserved" or command.at < stock.until:
        return []
    return [StockReleased(**whose, items=stock.items, reason="expired", at=stock.until)]


def after(stock: OrderStock | None, event: Event) -> OrderStock:
    """Return the stock of an order after an event."""
    match event:
        case StockReserved():
            return OrderStock("reserved", event.items, event.until)
        case StockReleased():
            return OrderStock("released", event.items)
        case StockTaken():
            counted = {product: units for product, units in event.items if product not in event.oversold}
            return OrderStock("taken", event.items, counted=counted)
        case StockRestored():
            counted = dict((stock.counted if stock else None) or {})
            for product, units in event.items:
                counted[product] = counted.get(product, 0) - units
            items = stock.items if stock else ()
            return OrderStock("taken", items, counted={product: units for product, units in counted.items() if units > 0})
