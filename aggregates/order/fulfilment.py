"""Goods on their way: shipped and delivered, at once or in parts, and received back.

A part is a line, counted from 1, and units of it. A command without parts means all that is left. A unit that is refunded
before it is shipped is not shipped any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

from aggregates.decider import Refusal
from aggregates.fields import Count, Id, Instant, OrderId
from aggregates.value import Value, replace

# Commands


class LineUnits(Value):
    line: Annotated[int, Count("line", least=1)]
    units: Annotated[int, Count("units", least=1)]


class ShipOrder(Value):
    """Ship all that is left, or ``parts`` of it; ``shipment`` names what goes together."""

    order: OrderId
    at: Instant
    shipment: Annotated[str, Id("shipment")] | None = None
    parts: tuple[LineUnits, ...] = ()


class DeliverOrder(Value):
    """A shipment has arrived; with None, all of the order has."""

    order: OrderId
    at: Instant
    shipment: Annotated[str, Id("shipment")] | None = None


class ReturnGoods(Value):
    """Goods came back; ``returned`` names this arrival. Their money is a refund of its own.

    ``restock``: they can be sold again.
    """

    order: OrderId
    returned: Annotated[str, Id("returned")]
    at: Instant
    parts: tuple[LineUnits, ...] = ()
    restock: bool = True
    reason: str = ""


Command: TypeAlias = ShipOrder | DeliverOrder | ReturnGoods

# Events

Parts: TypeAlias = tuple[tuple[int, int], ...]
"""Lines, counted from 1, with their units."""


class OrderShipped(Value, kw_only=True):
    """``complete``: nothing is left to ship. Of an older log, ``parts`` are empty and all was shipped."""

    order: str
    member: str | None
    session: str | None
    at: int
    shipment: str = ""
    parts: Parts = ()
    complete: bool = True


class OrderDelivered(Value, kw_only=True):
    """``complete``: all of the order has arrived."""

    order: str
    member: str | None
    session: str | None
    at: int
    shipment: str = ""
    complete: bool = True


class OrderReturned(Value, kw_only=True):
    """``complete``: all that was shipped is back."""

    order: str
    member: str | None
    session: str | None
    returned: str
    parts: Parts
    restock: bool
    complete: bool
    reason: str
    at: int


Event: TypeAlias = OrderShipped | OrderDelivered | OrderReturned

# State


@dataclass(frozen=True)
class Shipment:
    parts: Parts
    delivered: bool = False


@dataclass(frozen=True)
class Fulfilment:
    """By line: units ``ordered``, ``shipped``, ``returned``, and ``cancelled``: refunded before they were shipped."""

    ordered: tuple[int, ...] = ()
    shipped: tuple[int, ...] = ()
    returned: tuple[int, ...] = ()
    cancelled: tuple[int, ...] = ()
    shipments: Mapping[str, Shipment] | None = None
    arrivals: tuple[str, ...] = ()

    @property
    def to_ship(self) -> tuple[int, ...]:
        rows = zip(self.ordered, self.shipped, self.cancelled, strict=True)
        return tuple(ordered - shipped - cancelled for ordered, shipped, cancelled in rows)

    @property
    def out(self) -> tuple[int, ...]:
        """Return the units that were shipped and did not come back."""
        return tuple(shipped - back for shipped, back in zip(self.shipped, self.returned, strict=True))


def first(units: Iterable[int]) -> Fulfilment:
    ordered = tuple(units)
    nothing = (0,) * len(ordered)
    return Fulfilment(ordered, nothing, nothing, nothing, {})


def ship(command: ShipOrder, known: Fulfilment, whose: Mapping[str, Any]) -> list[OrderShipped]:
    shipments = known.shipments or {}
    name = command.shipment or ("" if not shipments else str(len(shipments) + 1))
    if name in shipments:
        if not command.parts or shipments[name].parts == parts_of(command.parts):
            return []
        raise Refusal("shipment_exists", "Another shipment of this order has this name.")
    parts = chosen(command.parts, known.to_ship, "shipped")
    complete = not any(less(known.to_ship, parts))
    return [OrderShipped(**whose, at=command.at, shipment=name, parts=parts, complete=complete)]


def deliver(command: DeliverOrder, known: Fulfilment, whose: Mapping[str, Any]) -> list[OrderDelivered]:
    if command.shipment is None:
        return [OrderDelivered(**whose, at=command.at)]
    shipments = known.shipments or {}
    if command.shipment not in shipments:
        raise Refusal("shipment_unknown", "No shipment of this order has this name.")
    if shipments[command.shipment].delivered:
        return []
    rest = any(not one.delivered for name, one in shipments.items() if name != command.shipment)
    complete = not rest and not any(known.to_ship)
    return [OrderDelivered(**whose, at=command.at, shipment=command.shipment, complete=complete)]


def receive(command: ReturnGoods, known: Fulfilment, whose: Mapping[str, Any]) -> list[OrderReturned]:
    if command.returned in known.arrivals:
        return []
    parts = chosen(command.parts, known.out, "returned")
    return [
        OrderReturned(
            **whose,
            returned=command.returned,
            parts=parts,
            restock=command.restock,
            complete=not any(less(known.out, parts)),
            reason=command.reason,
            at=command.at,
        )
    ]


def parts_of(units: Iterable[LineUnits]) -> Parts:
    return tuple(sorted((one.line, one.units) for one in units))


def chosen(asked: tuple[LineUnits, ...], left: tuple[int, ...], done: str) -> Parts:
    """Return the parts that are asked for, all that is left without any. Refuse more than is left."""
    if not asked:
        everything = tuple((line, units) for line, units in enumerate(left, 1) if units)
        if not everything and done == "returned":
            raise Refusal("nothing_left", f"Nothing of this order is left to be {done}.")
        return everything
    for line, units in parts_of(asked):
        if line > len(left):
            raise Refusal("line_unknown", f"The order has lines 1 to {len(left)}.")
        if units > left[line - 1]:
            raise Refusal("nothing_left", f"Only {left[line - 1]} of line {line} can still be {done}.")
    if len({one.line for one in asked}) < len(asked):
        raise Refusal("line_twice", "Name each line once.")
    return parts_of(asked)


def less(units: tuple[int, ...], parts: Parts) -> tuple[int, ...]:
    back = dict(parts)
    return tuple(left - back.get(line, 0) for line, left in enumerate(units, 1))


def more(units: tuple[int, ...], parts: Parts) -> tuple[int, ...]:
    return less(units, tuple((line, -n) for line, n in parts))


def after(known: Fulfilment, event: Event) -> Fulfilment:
    """Return what is known of the goods after an event."""
    shipments = dict(known.shipments or {})
    match event:
        case OrderShipped():
            parts = event.parts or tuple((line, units) for line, units in enumerate(known.to_ship, 1) if units)
            shipments[event.shipment] = Shipment(parts)
            return replace(known, shipped=more(known.shipped, parts), shipments=shipments)
        case OrderDelivered(complete=True):  # units without a shipment have arrived, too
            arrived = {name: replace(one, delivered=True) for name, one in shipments.items()}
            rest = tuple((line, units) for line, units in enumerate(known.to_ship, 1) if units)
            return replace(known, shipped=more(known.shipped, rest), shipments=arrived)
        case OrderDelivered():
            shipments[event.shipment] = replace(shipments[event.shipment], delivered=True)
            return replace(known, shipments=shipments)
        case OrderReturned():
            arrivals = (*known.arrivals, event.returned)
            return replace(known, returned=more(known.returned, event.parts), arrivals=arrivals)


def after_refund(known: Fulfilment, refunded: tuple[int, ...], units: Mapping[int, int]) -> Fulfilment:
    """Return what is left to ship after a refund of units by line; ``refunded`` went back before.

    Units that came back and were not refunded yet count first, then those that were not shipped.
    """
    cancelled = list(known.cancelled)
    for line, back in units.items():
        place = line - 1
        waiting = max(0, known.returned[place] - (refunded[place] - cancelled[place]))
        cancelled[place] += min(max(0, back - waiting), known.to_ship[place])
    return replace(known, cancelled=tuple(cancelled))
