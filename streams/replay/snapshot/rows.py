"""The rows of a snapshot, folded from the events in the order of the log.

What never changes (movements of points, lines of orders, acts) leaves at once; what may still change is kept until the end:
orders, lots, coupons, products and sums in bounded memory, the rest on disk; members, their cards and open carts in memory.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from functools import lru_cache
from typing import Any, TypeAlias

from aggregates.behaviour import Impressed, Searched
from aggregates.calendar import local_day
from aggregates.cart_events import CartAbandoned, CartCheckedOut, CartItemAdded, CartItemQuantityChanged, CartItemRemoved
from aggregates.decider import Recorded
from aggregates.membership.ledger.lots import DEFAULT_WALLET
from aggregates.order.events import OrderCancelled, OrderPaid, OrderRefunded
from aggregates.order.fulfilment import OrderDelivered, OrderShipped
from aggregates.product import ProductRepriced, ProductRetired
from aggregates.value import asdict
from infra.spilling import SpillFile, SpillingRecords
from projections.card import Card, card
from streams.registry import BEHAVIOUR
from streams.replay.snapshot.ledger_rows import LotRows, ledger_rows
from streams.replay.snapshot.order_rows import OrderRows
from streams.replay.snapshot.shown_rows import ShownRows
from streams.replay.snapshot.tally_rows import TallyRows

Row: TypeAlias = tuple[str, tuple[Any, ...], str]
"""The table, the values in the order of its columns, and the month that its file is of."""

EPOCH = date(1970, 1, 1).toordinal()
QUARTER = 900_000
"""Milliseconds: no zone changes its day within a quarter of an hour."""

TIER_CAUSES = {
    "TierRaised": "raised",
    "TierExtended": "extended",
    "TierGraceStarted": "grace",
    "TierLowered": "lowered",
    "TierOverridden": "overridden",
    "TierOverrideEnded": "override ended",
}

CHANGING: frozenset[type] = frozenset(
    {
        OrderPaid,
        OrderShipped,
        OrderDelivered,
        OrderCancelled,
        OrderRefunded,
        CartItemAdded,
        CartItemQuantityChanged,
        CartItemRemoved,
        CartCheckedOut,
        CartAbandoned,
        ProductRepriced,
        ProductRetired,
    }
)
"""Events that change a row of before. What happens to members changes their cards and lots, too."""


class Rows:
    """``zone``: of the shop, by which instants become days. ``spill``: where rows wait that memory has no room for.

    ``after``: the position up to which final rows are written already, so that they need not be made again.
    """

    def __init__(self, zone: str, spill: SpillFile, after: int = 0) -> None:
        self._zone = zone
        self._after = after
        self._members: dict[str, dict[str, Any]] = {}
        self._cards: dict[str, Card | None] = {}
        self._orders = OrderRows(self.day, spill)
        self._carts: dict[str, dict[str, Any]] = {}
        self._coupons = SpillingRecords(spill)
        self._campaigns: dict[str, dict[str, Any]] = {}
        self._products = SpillingRecords(spill)
        self._lots = LotRows(spill)
        self.shown = ShownRows()
        self.tallies = TallyRows(zone, spill)
        self._tiers: dict[str, str] = {}
        self._latest: dict[str, int] = {}
        self._by_event: dict[str, Callable[[Any, int], Iterable[Row]]] = {
            name.removeprefix("_on_"): getattr(self, name) for name in dir(self) if name.startswith("_on_")
        }

    def fold(self, chunk: Iterable[Recorded]) -> Iterator[Row]:
        """Take a chunk of events and yield the rows that are final."""
        for recorded in chunk:
            event: Any = recorded.event
            for row in self.shown.finished(event.at):
                yield "shown", row.columns(), row.month
            self.shown.act(event, recorded.position)
            self.tallies.take(event)
            yield from self.entity_rows(event, recorded.position)
            if type(event) in BEHAVIOUR:
                yield from self._behaviour(event, recorded.position)
        self.tallies.settle()

    def recall_shown(self, chunk: Iterable[Recorded]) -> None:
        """Take again what a chunk of events says of lists that were shown; their rows that are final are written already."""
        for recorded in chunk:
            event: Any = recorded.event
            for _ in self.shown.finished(event.at):
                pass
            self.shown.act(event, recorded.position)
            if isinstance(event, Impressed):
                self.shown.show(event, recorded.position, *self.day(event.at))

    def entity_rows(self, event: Any, position: int) -> Iterator[Row]:
        """Take what an event says of one member, order, cart, coupon or product, and yield the rows that are final."""
        kind = type(event)
        if kind in card.events:
            card.apply(self._cards, [Recorded(position, event)])
            yield from self._membership(event, position)
        if take := self._by_event.get(kind.__name__):
            yield from take(event, position)

    def day(self, at: int) -> tuple[int, str]:
        """Return the shop's day of an instant, in days since 1970, and its month as ``2017-01``."""
        return day_of(at, self._zone)

    def _membership(self, event: Any, position: int) -> Iterator[Row]:
        self._latest[event.member] = at = max(event.at, self._latest.get(event.member, 0))
        moved = list(ledger_rows(event, self._lots, position))
        day, month = self.day(at) if moved and position > self._after else (0, "")
        for number, row in enumerate(moved if position > self._after else ()):
            yield "points_ledger", (position, number, event.member, *row[:4], day, event.at, *row[4:]), month
        if cause := TIER_CAUSES.get(type(event).__name__):
            tier = getattr(event, "tier", None)
            before = getattr(event, "previous", self._tiers.get(event.member))
            until = next(
                (getattr(event, name) for name in ("valid_until", "grace_until", "until") if hasattr(event, name)), None
            )
            if tier and cause not in ("grace", "overridden"):
                self._tiers[event.member] = tier
            values = (
                event.member,
                tier,
                before,
                cause,
                event.at,
                until,
                getattr(event, "qualifying", None),
                event.terms,
                position,
            )
            yield "tier_history", values, ""

    # Members

    def _on_MemberRegistered(self, event: Any, position: int) -> Iterable[Row]:  # noqa: N802 - named for the event
        told = self._members.setdefault(event.member, {})
        told.update(status="registered", registered_at=event.at, **_personal(event), position=position)
        return ()

    def _on_MemberProfileChanged(self, event: Any, position: int) -> Iterable[Row]:  # noqa: N802
        self._members.setdefault(event.member, {}).update(**_personal(event), position=position)
        return ()

    def _on_MemberClosed(self, event: Any, position: int) -> Iterable[Row]:  # noqa: N802
        self._members.setdefault(event.member, {}).update(status="closed", closed_at=event.at, position=position)
        return ()

    def _on_MemberErased(self, event: Any, position: int) -> Iterable[Row]:  # noqa: N802
        self._members[event.member] = {"status": "erased", "erased_at": event.at, "position": position}
        return ()

    # Orders

    def _on_OrderPlaced(self, event: Any, position: int) -> Iterator[Row]:  # noqa: N802 - named for the event
        for values, month in self._orders.place(event, position):
            yield "order_lines", values, month

    def _on_OrderRefunded(self, event: Any, position: int) -> Iterator[Row]:  # noqa: N802
        for values, month in self._orders.refund(event, position):
            yield "refunds", values, month

    def _change_order(self, event: Any, position: int) -> Iterable[Row]:
        self._orders.change(event, position)
        return ()

    _on_OrderPaid = _on_OrderShipped = _on_OrderDelivered = _on_OrderCancelled = _change_order  # noqa: N815

    # Carts

    def _on_CartOpened(self, event: Any, position: int) -> Iterable[Row]:  # noqa: N802
        day, month = self.day(event.at)
        opened = {"opened_at": event.at, "opened_on": day, "month": month, "items": {}, "position": position}
        self._carts[event.cart] = {"member": event.member, "session": event.session, **opened}
        return ()

    def _cart(self, event: Any, position: int) -> dict[str, Any]:
        if event.cart not in self._carts:
            self._on_CartOpened(event, position)
        self._carts[event.cart]["position"] = position
        return self._carts[event.cart]

    def _on_CartItemAdded(self, event: Any, position: int) -> Iterable[Row]:  # noqa: N802
        items = self._cart(event, position)["items"]
        quantity, _ = items.get(event.product, (0, None))
        items[event.product] = quantity + event.quantity, event.price
        return ()

    def _on_CartItemQuantityChanged(self, event: Any, position: int) -> Iterable[Row]:  # noqa: N802
        items = self._cart(event, position)["items"]
        items[event.product] = event.quantity, items.get(event.product, (0, None))[1]
        return ()

    def _on_CartItemRemoved(self, event: Any, position: int) -> Iterable[Row]:  # noqa: N802
        self._cart(event, position)["items"].pop(event.product, None)
        return ()

    def _on_CartCheckedOut(self, event: Any, position: int) -> Iterator[Row]:  # noqa: N802
        self._cart(event, position)
        yield from self._end_cart(event.cart, event.at, "checked out")

    def _on_CartAbandoned(self, event: Any, position: int) -> Iterator[Row]:  # noqa: N802
        self._cart(event, position)
        yield from self._end_cart(event.cart, event.at, "abandoned")

    def _end_cart(self, cart: str, at: int | None, status: str) -> Iterator[Row]:
        told = self._carts.pop(cart)
        sums = len(told["items"]), told["position"]
        yield (
            "carts",
            (cart, told["member"], told["session"], told["opened_at"], told["opened_on"], at, status, *sums),
            told["month"],
        )
        for product, (quantity, price) in sorted(told["items"].items()):
            yield "cart_items", (cart, product, quantity, price, told["opened_on"], told["position"]), told["month"]

    # Campaigns, products, policies, reviews

    def _on_CampaignLaunched(self, event: Any, position: int) -> Iterable[Row]:  # noqa: N802
        self._campaigns[event.campaign] = {**asdict(event), "position": position}
        return ()

    def _on_CouponSent(self, event: Any, position: int) -> Iterable[Row]:  # noqa: N802
        sent = {"kind": event.kind, "sent_at": event.at, "starts_at": event.starts, "ends_at": event.ends, "position": position}
        self._coupons.change((event.campaign, event.member, ""), sent)
        return ()

    def _on_CouponRedeemed(self, event: Any, position: int) -> Iterable[Row]:  # noqa: N802
        used = {
            "coupon": event.coupon,
            "used_at": event.at,
            "order_id": event.order,
            "amount": event.amount,
            "position": position,
        }
        who = getattr(event, "member", None) or getattr(event, "holder", "") or ""
        self._coupons.change((event.campaign, who, event.use), {**used, "flags": json.dumps(event.flags)})
        return ()

    def _on_ProductListed(self, event: Any, position: int) -> Iterable[Row]:  # noqa: N802
        told = {name: getattr(event, name) for name in ("name", "department", "category", "brand", "price", "stock")}
        told |= {"status": "listed", "listed_at": event.at, "position": position, "attributes": _json(event.attributes)}
        self._products.change((event.product,), told)
        return ()

    def _on_ProductRepriced(self, event: Any, position: int) -> Iterable[Row]:  # noqa: N802
        self._products.change((event.product,), {"price": event.price, "position": position})
        return ()

    def _on_ProductRetired(self, event: Any, position: int) -> Iterable[Row]:  # noqa: N802
        self._products.change((event.product,), {"status": "retired", "position": position})
        return ()

    def _on_ProductReviewed(self, event: Any, position: int) -> Iterator[Row]:  # noqa: N802
        day, _ = self.day(event.at)
        who = event.product, event.member, event.session
        yield "reviews", (position, *who, event.half_stars, event.text, event.order, event.at, day), ""

    def _on_PolicyPublished(self, event: Any, position: int) -> Iterator[Row]:  # noqa: N802
        document = _json(event.document)
        yield "policies", (event.version, event.effective, event.at, event.actor, document, position), ""

    def _behaviour(self, event: Any, position: int) -> Iterator[Row]:
        day, month = self.day(event.at)
        who = event.member, event.session
        if isinstance(event, Impressed):
            self.shown.show(event, position, day, month)
            return
        if isinstance(event, Searched):
            yield "behaviour", (position, "Searched", *who, None, event.query, None, None, event.at, day), month
            return
        place = getattr(event, "slot", None), getattr(event, "place", None)
        yield "behaviour", (position, type(event).__name__, *who, event.product, None, *place, event.at, day), month

    # What is left at the end

    def rest(self) -> Iterator[Row]:
        """Yield the rows of everything that could still have changed, each table in the order of its key."""
        for member, told in sorted(self._members.items()):
            registered = told.get("registered_at")
            on = self.day(registered)[0] if registered is not None else None
            dates = registered, on, told.get("closed_at"), told.get("erased_at")
            personal = (told.get(name) for name in ("name", "email", "birthday", "profile"))
            yield "members", (member, told.get("status", "unregistered"), *dates, *personal, told["position"]), ""
        yield from self._card_rows()
        for lot in self._lots.rows():
            lasts = self.day(lot.expires_at - 1)[0] if lot.expires_at is not None else None
            yield "lots", (*lot[:7], lasts, *lot[7:]), ""
        for values, month in self._orders.rows():
            yield "orders", values, month
        for row in self.shown.rest():
            yield "shown", row.columns(), row.month
        for cart in sorted(self._carts):
            yield from self._end_cart(cart, None, "open")
        yield from self._campaign_rows()
        for (product,), told in self._products.items():
            names = "name department category brand price stock status attributes listed_at position"
            yield "products", (product, *(told.get(name) for name in names.split())), ""
        for values in self.tallies.product_stats():
            yield "product_stats", values, ""
        for values in self.tallies.daily_sales():
            yield "daily_sales", values, ""

    def _card_rows(self) -> Iterator[Row]:
        for key, view in sorted(self._cards.items()):
            if view is None or view.status == "erased":
                continue
            shown = card.render(view) if card.render else view
            tier = shown.tier, shown.tier_until, shown.qualifying, shown.next_tier, shown.to_next_tier
            for wallet, held in ((DEFAULT_WALLET, shown), *shown.wallets.items()):
                points = held.points, held.pending, held.debt, held.held
                yield "cards", (key.partition(":")[2], wallet, *points, *tier, shown.as_of, shown.position), ""

    def _campaign_rows(self) -> Iterator[Row]:
        for (campaign, member, use), told in self._coupons.items():
            names = "kind coupon sent_at starts_at ends_at used_at order_id amount flags position"
            yield "coupons", (campaign, member, use or None, *(told.get(name) for name in names.split())), ""
        for campaign, told in sorted(self._campaigns.items()):
            values = (told.get(name) for name in ("kind", "starts", "ends", "limit", "at", "position"))
            yield "campaigns", (campaign, *values), ""


def day_of(at: int, zone: str) -> tuple[int, str]:
    """Return the day of an instant in a zone, in days since 1970, and its month as ``2017-01``."""
    return _day(at // QUARTER, zone)


@lru_cache(maxsize=4096)
def _day(quarter: int, zone: str) -> tuple[int, str]:
    day = local_day(quarter * QUARTER, zone)
    return date.fromisoformat(day).toordinal() - EPOCH, day[:7]


def _personal(event: Any) -> dict[str, Any]:
    told = {name: getattr(event, name) for name in ("name", "email", "birthday")}
    return {**told, "profile": _json(event.profile)}


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
