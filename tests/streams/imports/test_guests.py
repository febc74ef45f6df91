"""Guests who become members at any point, from several devices, lose nothing and leave nothing behind.

The reference walks over the lines and asks of each whose it is: the member that it names, else the member whom its session had
joined by then, and had not left.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest

from aggregates.behaviour import Searched, Viewed
from aggregates.cart_events import (
    CartCheckedOut,
    CartItemAdded,
)
from aggregates.coupon import CouponRedeemed
from aggregates.guest_coupon import GuestCouponRedeemed
from aggregates.member import EraseMember
from aggregates.order.events import OrderPaid, OrderPlaced
from aggregates.review import ProductReviewed
from aggregates.session import MemberRecognised
from streams.commands.request import Request
from streams.queries import views as reading
from streams.running.app import App, open_log
from tests.streams.imports.lines import START, Line, document, entry, events, import_lines, item

MEMBERS = ("ada", "bob")
DEVICES = ("phone", "tablet", "kiosk", "ada")
PRODUCTS = ("tea", "milk", "mug")


@dataclass
class Reference:
    """What should have become of the lines so far. ``carts``: by shopper, as product and quantity."""

    joined: dict[str, str] = field(default_factory=dict)
    ever: set[tuple[str, str]] = field(default_factory=set)
    owners: list[tuple[str, str | None, str | None]] = field(default_factory=list)
    carts: dict[tuple[str, str], Counter[str]] = field(default_factory=dict)

    def note(self, line: Line) -> None:
        member, session = line.get("member_id"), line.get("session_id")
        if line["type"] == "session_left":
            self.joined.pop(str(session), None)
            return
        if member is None and session is not None:
            member = self.joined.get(session)
        if member is not None and session is not None:
            self.joined[session] = member
            self.ever.add((member, session))
        device = None if line["type"] == "add_to_cart" and member else session  # a cart keeps the device that opened it
        self.owners.append((line["type"], member, device))
        if member is None and session is None:
            return
        shopper = ("member", member) if member is not None else ("session", str(session))
        if line["type"] == "add_to_cart":
            self.carts.setdefault(shopper, Counter())[line["product_id"]] += 1
        elif line["type"] == "order":
            self.carts.pop(shopper, None)


def some_line(chance: random.Random, minute: int) -> Line:
    kind = chance.choice(("view", "view", "search", "add_to_cart", "add_to_cart", "order", "review", "session_left"))
    session = chance.choice(DEVICES)
    if kind == "session_left":
        return entry(kind, minute, session_id=session)
    who: dict[str, Any] = chance.choice(
        ({"session_id": session}, {"session_id": session}, {"session_id": session, "member_id": chance.choice(MEMBERS)})
    )
    match kind:
        case "search":
            return entry(kind, minute, query=f"secret {minute}", **who)
        case "order":
            who = chance.choice((who, who, {}))
            coupons = chance.choice(([], ["TEN"]))
            return entry(kind, minute, order_id=f"o{minute}", lines=[item("tea", total="5.00")], coupons=coupons, **who)
        case "review":
            return entry(kind, minute, product_id=chance.choice(PRODUCTS), rating=4, text=f"secret {minute}", **who)
        case _:
            return entry(kind, minute, product_id=chance.choice(PRODUCTS), **who)


def owners_in(app: App) -> list[tuple[str, str | None, str | None]]:
    kinds: dict[type, str] = {
        Viewed: "view",
        Searched: "search",
        CartItemAdded: "add_to_cart",
        OrderPlaced: "order",
        ProductReviewed: "review",
    }
    found = (recorded.event for recorded in app.log.recorded(0, 100_000))
    owners: list[Any] = [event for event in found if type(event) in kinds]
    return [
        (kinds[type(event)], event.member, None if event.member and type(event) is CartItemAdded else event.session)
        for event in owners
    ]


def carts_in(app: App) -> dict[tuple[str, str], Counter[str]]:
    """Return what was put into each shopper's cart since their last check-out."""
    carts: dict[tuple[str, str], Counter[str]] = {}
    for recorded in app.log.recorded(0, 100_000):
        event: Any = recorded.event
        if isinstance(event, CartItemAdded | CartCheckedOut):
            shopper = ("member", event.member) if event.member is not None else ("session", str(event.session))
            if isinstance(event, CartItemAdded):
                carts.setdefault(shopper, Counter())[event.product] += event.quantity
            else:
                carts.pop(shopper, None)
    return carts


def hunt(app: App, examples: int, seed: int) -> None:
    """Import random days of a shop, in files of some lines each, and hold what is stored against the reference."""
    chance, reference, tried = random.Random(seed), Reference(), 0
    while tried < examples:
        lines = [some_line(chance, tried + number) for number in range(min(chance.randint(1, 40), examples - tried))]
        tried += len(lines)
        for line in lines:
            reference.note(line)
        assert import_lines(app, *lines).outcome[2] == 0
    assert tried == examples
    assert Counter(owners_in(app)) == Counter(owner for owner in reference.owners if owner[0] != "session_left")
    assert carts_in(app) == reference.carts
    orders = events(app, OrderPlaced)
    uses = [use.order for use in (*events(app, CouponRedeemed), *events(app, GuestCouponRedeemed))]
    assert sorted(map(str, uses)) == sorted(order.order for order in orders if order.coupons)
    check_books(app, reference)


def check_books(app: App, reference: Reference) -> None:
    paid = Counter(order.member for order in events(app, OrderPaid))
    for member in MEMBERS:
        listed = reading.document(app.views, f"sessions:{member}")
        assert set(listed["sessions"] if listed else ()) == {session for owner, session in reference.ever if owner == member}
        card = reading.document(app.views, f"card:{member}")
        assert (card["points"] + card["pending"] if card else 0) >= 5 * paid[member]
    for session in DEVICES:
        pointer = reading.document(app.views, f"session:{session}")
        assert (pointer["member"] if pointer else None) == reference.joined.get(session)


def test_guests_who_become_members_lose_nothing(app: App) -> None:
    hunt(app, 300, seed=1)


@pytest.mark.slow
def test_ten_thousand_acts_of_guests_who_become_members(app: App) -> None:
    hunt(app, 10_000, seed=2)


def test_an_erased_member_leaves_nothing_behind_in_the_sessions_that_were_theirs(app: App) -> None:
    hunt(app, 200, seed=3)
    assert app.handler.handle(Request("erase", (EraseMember("ada", START + 10_000 * 60_000),))).accepted
    app.follower().catch_up()
    theirs = {"session:" + str(event.recognised_in) for event in recognised(app, "ada")}
    card = document(app, "card:ada")
    assert (card["status"], card["name"], card["points"], card["pending"]) == ("erased", None, 0, 0)
    for key in ("sessions:ada", "cart:ada", "wallet:ada", *theirs):
        assert reading.document(app.views, key) is None, key
    with open_log(app.settings) as (log, _):  # the events as they are stored, and not those that are still in memory
        stored: list[Any] = [recorded.event for recorded in log.recorded(0, 100_000)]
    texts = [event for event in stored if type(event) in (Searched, ProductReviewed) and event.member == "ada"]
    assert texts
    assert not any(event.query if isinstance(event, Searched) else event.text for event in texts)


def recognised(app: App, member: str) -> list[Any]:
    return [event for event in events(app, MemberRecognised) if event.member == member]
