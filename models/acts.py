"""What shoppers do: who did it, when, and with which event of a chunk a shopper's list or page is written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias, TypeGuard

from aggregates.behaviour import Clicked, Dismissed, Favourited, Searched, Unfavourited, Viewed
from aggregates.cart_events import CartItemAdded
from aggregates.decider import Recorded
from aggregates.member import MemberClosed, MemberErased
from aggregates.order.events import OrderCancelled, OrderPaid, OrderRefunded
from aggregates.product import ProductListed, ProductRestocked, ProductRetired
from aggregates.session import SessionsForgotten
from models.recommender.visits import ShopClock

Act: TypeAlias = Viewed | Clicked | Favourited | Unfavourited | Dismissed | Searched | CartItemAdded
ACTS: tuple[type[Act], ...] = Act.__args__


def last_positions(chunk: Sequence[Recorded]) -> dict[str, int]:
    """Return the positions of each shopper's last act or basket, of each member's last basket, and of the last of all."""
    last: dict[str, int] = {}
    for recorded in chunk:
        event = recorded.event
        if isinstance(event, OrderPaid):
            if not any(line.quantity for line in event.lines):
                continue
            last["popular"] = recorded.position
            if event.member is None and event.session is None:
                continue
            last[shopper_of(event)] = last[f"list of {event.member}"] = recorded.position
        elif isinstance(event, ACTS):
            last[shopper_of(event)] = recorded.position
            if isinstance(event, Dismissed):
                last[f"list of {event.member}"] = recorded.position
        elif isinstance(event, OrderCancelled | OrderRefunded):
            last["popular"] = recorded.position
            if event.member is not None or event.session is not None:
                last[shopper_of(event)] = last[f"list of {event.member}"] = recorded.position
        elif isinstance(event, ProductListed | ProductRestocked | ProductRetired):
            last["popular"] = recorded.position
    return last


def moves_clock(event: object) -> TypeGuard[Act | OrderPaid]:
    """Return whether a shopper did something; an adjustment of money is nothing that a shopper does."""
    return isinstance(event, ACTS) or (isinstance(event, OrderPaid) and any(line.quantity for line in event.lines))


def left_by(event: object) -> list[str]:
    """Return the shoppers who are forgotten with an event."""
    match event:
        case MemberClosed() | MemberErased():
            return [f"m.{event.member}"]
        case SessionsForgotten():
            return [f"s.{session}" for session in event.sessions]
        case _:
            return []


def clock_after(clock: ShopClock, chunk: Sequence[Recorded]) -> int:
    """Return the shop's clock as it will stand when the chunk ends."""
    ahead = clock.copy()
    for recorded in chunk:
        event = recorded.event
        if moves_clock(event):
            ahead.learn_one(shopper_of(event), event.at)
        for shopper in left_by(event):
            ahead.forget(shopper)
    return ahead.now


def shopper_of(event: Act | OrderPaid | OrderCancelled | OrderRefunded) -> str:
    """Return who did it: a member, else a session, as in ``m.42`` and ``s.a7``."""
    return f"m.{event.member}" if event.member is not None else f"s.{event.session}"
