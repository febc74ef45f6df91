"""Random histories of a small shop, as files of shop-log lines; some of it is nonsense."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from hypothesis import strategies as st

from tests.streams.shop_log.taking import MINUTE, START, Line

MARK = "sealed"
"""In every personal value, and in nothing else."""

MEMBERS, SESSIONS, PRODUCTS = ("ada", "bob", "7"), ("s", "t", "7"), ("tea", "milk", "7", "a b")
ORDERS, CAMPAIGNS, CODES = ("o", "p", "q", "1"), ("spring", "ten"), ("A", "ten")
STATUSES = ("placed", "paid", "shipped", "delivered")
TEXTS = ("", "Tea", "x y", "1")
PERSONAL = (f"a {MARK}", f"b {MARK}")
NONSENSE = (b"{", b"[]", b'{"type":"view"}', b"\xff", b'{"type":"x","at":1}', b"1e999", b"", b'{"a":1,"a":2}')

BEHAVIOUR = ("view", "click", "favourite", "unfavourite", "dismiss", "share")
OFTEN = (
    *BEHAVIOUR,
    "add_to_cart",
    "add_to_cart",
    "remove_from_cart",
    *["order"] * 5,
    "order_status",
    "cancel",
    *["refund"] * 3,
)
KINDS = (*OFTEN, "product", "product", "member", "member", "search", "impression", "review", "coupon_sent", "coupon_redeemed")

Draw: TypeAlias = Callable[[st.SearchStrategy[Any]], Any]


class Chance:
    """Draws, said shortly."""

    def __init__(self, draw: Draw) -> None:
        self._draw = draw

    def one(self, among: tuple[Any, ...]) -> Any:
        return self._draw(st.sampled_from(among))

    def number(self, least: int, most: int) -> int:
        return int(self._draw(st.integers(least, most)))

    def happens(self, one_in: int) -> bool:
        return self.number(1, one_in) == one_in

    def some(self, among: tuple[Any, ...], least: int = 0, most: int = 3) -> list[Any]:
        return [self.one(among) for _ in range(self.number(least, most))]

    def perhaps(self, **fields: Callable[[], Any]) -> Line:
        """Any of these fields."""
        return {name: make() for name, make in fields.items() if self.happens(2)}

    def money(self) -> str:
        cents = self.number(0, 2000)
        return f"{cents // 100}.{cents % 100:02d}"

    def at(self) -> int:
        return START + self.number(0, 3000) * MINUTE

    def who(self) -> Line:
        member, session = {"member_id": self.one(MEMBERS)}, {"session_id": self.one(SESSIONS)}
        return dict(self.one((member, session, member | session)))

    def tags(self) -> list[str]:
        return self.some((MARK, f"{MARK} 2"))


def sold(chance: Chance) -> Line:
    """A line of an order."""
    told = {"product_id": chance.one(PRODUCTS), "quantity": chance.number(0, 3)}
    match chance.number(0, 3):
        case 0:
            return told
        case 1:
            return told | {"unit_price": chance.money(), "discount": chance.one(("0", "0.50"))}
        case 2:
            return told | {"total": chance.money()}
        case _:
            return told | {"total": chance.money(), "paid": chance.one(("-0.30", "0", "1.00"))}


def given_back(chance: Chance) -> Line:
    """A part of a refund."""
    named = {"line": chance.number(1, 3)} if chance.happens(2) else {"product_id": chance.one(PRODUCTS)}
    return named | chance.perhaps(quantity=lambda: chance.number(0, 2), total=chance.money)


def fields_of(kind: str, chance: Chance) -> Line:
    """What a line of a type tells, and it is possible, if unlikely, that all of it is true."""
    member, product = {"member_id": chance.one(MEMBERS)}, {"product_id": chance.one(PRODUCTS)}
    name = {"order_id": chance.one(ORDERS)}
    match kind:
        case "product":
            return product | chance.perhaps(
                name=lambda: chance.one(TEXTS),
                brand=lambda: chance.one(TEXTS),
                price=chance.money,
                stock=lambda: chance.number(0, 3),
                category=lambda: chance.some(("Food", "Tea")),
                attributes=lambda: {key: chance.one(TEXTS) for key in chance.some(("size", "leaf"))},
                embedding=lambda: chance.some((0.25, -1, 3e-5), least=1),
            )
        case "member":
            return member | chance.perhaps(
                name=lambda: chance.one(("", *PERSONAL)),
                city=lambda: chance.one(("", *PERSONAL)),
                email=lambda: chance.one(("", f"1@{MARK}", f"2@{MARK}")),
                birthday=lambda: chance.one(("", "1990-12-31")),
                tags=chance.tags,
            )
        case "search":
            return chance.who() | {"query": chance.one(PERSONAL)} | chance.perhaps(product_ids=lambda: chance.some(PRODUCTS))
        case "impression":
            return chance.who() | {"slot": "home", "product_ids": chance.some(PRODUCTS, least=1)}
        case "order":
            who: dict[str, Any] = chance.one(({}, chance.who()))
            more: dict[str, Any] = chance.perhaps(
                status=lambda: chance.one(STATUSES), coupons=lambda: chance.some(CODES), tax=lambda: chance.one(("0", "0.10"))
            )
            return name | who | more | {"lines": [sold(chance) for _ in range(chance.number(1, 3))]}
        case "order_status":
            return name | {"status": chance.one(STATUSES)}
        case "cancel":
            return name | chance.perhaps(reason=lambda: chance.one(TEXTS))
        case "refund":
            return name | chance.perhaps(lines=lambda: [given_back(chance) for _ in range(chance.number(1, 3))])
        case "review":
            said = chance.perhaps(text=lambda: chance.one(("", *PERSONAL)), order_id=lambda: chance.one(ORDERS))
            return product | chance.who() | {"rating": chance.number(2, 10) / 2} | said
        case "coupon_sent" | "coupon_redeemed":
            besides = chance.perhaps(code=lambda: chance.one(CODES), order_id=lambda: chance.one(ORDERS))
            terms = chance.perhaps(starts=chance.at, ends=chance.at) if kind == "coupon_sent" else {}
            return member | {"campaign_id": chance.one(CAMPAIGNS)} | besides | terms
        case "add_to_cart" | "remove_from_cart":
            return product | chance.who() | chance.perhaps(quantity=lambda: chance.number(1, 3))
        case _:
            return product | chance.who() | chance.perhaps(slot=lambda: "home", position=lambda: chance.number(0, 3))


@st.composite
def shop_files(draw: Draw, most: int = 50) -> list[Line | bytes]:
    """Lines of every type, one in ten with an id that others have, too, and one in twenty no line at all."""
    chance = Chance(draw)
    lines: list[Line | bytes] = []
    for _ in range(chance.number(3, most)):
        if chance.happens(20):
            lines.append(chance.one(NONSENSE))
            continue
        kind = chance.one(KINDS)
        named = {"id": chance.one(("e1", "e2"))} if chance.happens(10) else {}
        lines.append({"type": kind, "at": chance.at(), **named, **fields_of(kind, chance)})
    return lines
