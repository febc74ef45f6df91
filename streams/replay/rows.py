"""The rows of a snapshot, folded from the events in the order of the log.

What never changes (movements of points, lines of orders, acts) leaves at once; what may still change (members, orders, open
carts, lots) is kept until the end. So memory grows with members and orders, not with events.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from functools import lru_cache
from typing import Any, TypeAlias

from aggregates.behaviour import Impressed, Searched
from aggregates.calendar import local_day
from aggregates.decider import Recorded
from aggregates.delta import Delta
from aggregates.value import asdict
from projections.card import Card, card
from projections.card import wallets_of as wallets_of_card
from projections.product import product as product_counters
from projections.sales import sales
from streams.registry import BEHAVIOUR
from streams.replay.ledger_rows import LotRows, ledger_rows
from streams.replay.shown_rows import ShownRows

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


class Rows:
    """``zone``: of the shop, by which instants become days."""

    def __init__(self, zone: str) -> None:
        self._zone = zone
        self._members: dict[str, dict[str, Any]] = {}
        self._cards: dict[str, Card | None] = {}
        self._orders: dict[str, dict[str, Any]] = {}
        self._carts: dict[str, dict[str, Any]] = {}
        self._coupons: dict[tuple[str, str, str], dict[str, Any]] = {}
        self._campaigns: dict[str, dict[str, Any]] = {}
        self._products: dict[str, dict[str, Any]] = {}
        self._lots = LotRows()
        self._shown = ShownRows()
        self._tiers: dict[str, str] = {}
        self._counters, self._sales = Delta(), Delta()
        self._sales_fold = sales(zone)
        self._latest: dict[str, int] = {}
        self._by_event: dict[str, Callable[[Any, int], Iterable[Row]]] = {
            name.removeprefix("_on_"): getattr(self, name) for name in dir(self) if name.startswith("_on_")
        }

    def fold(self, chunk: Iterable[Recorded]) -> Iterator[Row]:
        """Take a chunk of events and yield the rows that are final."""
        for recorded in chunk:
            event: Any = recorded.event
            kind = type(event)
            for row in self._shown.finished(event.at):
                yield "shown", row.columns(), row.month
            self._shown.act(event, recorded.position)
            if kind in card.events:
                card.fold(self._cards, [recorded])
                yield from self._membership(event, recorded.position)
            if kind in product_counters.events:
                product_counters.project(self._counters, event)
            if kind in self._sales_fold.events:
                self._sales_fold.project(self._sales, event)
            if kind in BEHAVIOUR:
                yield from self._behaviour(event, recorded.position)
            if take := self._by_event.get(kind.__name__):
                yield from take(event, recorded.position)

    def day(self, at: int) -> tuple[int, str]:
        """Return the shop's day of an instant, in days since 1970, and its month as ``2017-01``."""
        return day_of(at, self._zone)

    def _membership(self, event: Any, position: int) -> Iterator[Row]:
        self._latest[event.member] = at = max(event.at, self._latest.get(event.member, 0))
        day, month = self.day(at)
        for number, row in enumerate(ledger_rows(event, self._lots, position)):
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

    def _on_OrderPlaced(self, event: Any, position: int) -> Iterator[Row]:  # noqa: N802
        day, month = self.day(event.at)
        sums = {name: sum(getattr(line, name) for line in event.lines) for name in ("gross", "total", "paid")}
        self._orders[event.order] = {
            "member": event.member, "session": event.session, "cart": event.cart, "status": "placed",
            "currency": event.currency,
            **sums, "tax": event.tax, "lines": len(event.lines), "placed_at": event.at, "placed_on": day, "position": position,
            "month": month, "refunded": 0,
        }  # fmt: skip
        for number, line in enumerate(event.lines, 1):
            figures = (line.quantity, line.gross, line.total, line.paid, line.department, line.category)
            yield "order_lines", (event.order, number, line.product, *figures, day, position), month

    def _on_OrderPaid(self, event: Any, position: int) -> Iterable[Row]:  # noqa: N802
        self._change_order(event, "paid", position, net=event.net)
        return ()

    def _on_OrderShipped(self, event: Any, position: int) -> Iterable[Row]:  # noqa: N802
        self._change_order(event, "shipped", position)
        return ()

    def _on_OrderDelivered(self, event: Any, position: int) -> Iterable[Row]:  # noqa: N802
        self._change_order(event, "delivered", position)
        return ()

    def _on_OrderCancelled(self, event: Any, position: int) -> Iterable[Row]:  # noqa: N802
        self._change_order(event, "cancelled", position)
        return ()

    def _change_order(self, event: Any, status: str, position: int, **more: Any) -> None:
        told = self._orders.setdefault(event.order, {"month": "none", "refunded": 0, "member": event.member})
        told.update({"status": status, f"{status}_at": event.at, "position": position, **more})

    def _on_OrderRefunded(self, event: Any, position: int) -> Iterator[Row]:  # noqa: N802
        day, month = self.day(event.at)
        told = self._orders.setdefault(event.order, {"month": "none", "refunded": 0, "member": event.member})
        told["refunded"] += sum(line.paid for line in event.lines)
        if event.complete:
            told["status"] = "refunded"
        told["position"] = position
        for line, (number, units, money) in zip(event.lines, event.parts, strict=True):
            values = (event.order, event.refund, number, line.product, units, money, event.complete, event.at, day, position)
            yield "refunds", values, month

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
        self._coupons.setdefault((event.campaign, event.member, ""), {}).update(sent)
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
        self._coupons[event.campaign, who, event.use] = {**used, "flags": json.dumps(event.flags)}
        return ()

    def _on_ProductListed(self, event: Any, position: int) -> Iterable[Row]:  # noqa: N802
        told = asdict(event)
        told |= {"status": "listed", "listed_at": event.at, "position": position, "attributes": _json(event.attributes)}
        self._products[event.product] = told
        return ()

    def _on_ProductRepriced(self, event: Any, position: int) -> Iterable[Row]:  # noqa: N802
        self._products.setdefault(event.product, {}).update(price=event.price, position=position)
        return ()

    def _on_ProductRetired(self, event: Any, position: int) -> Iterable[Row]:  # noqa: N802
        self._products.setdefault(event.product, {}).update(status="retired", position=position)
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
            self._shown.show(event, position, day, month)
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
        for order, told in sorted(self._orders.items()):
            names = (
                "member session cart status currency gross total paid tax net refunded lines "
                "placed_at placed_on paid_at shipped_at delivered_at cancelled_at position"
            )
            yield "orders", (order, *(told.get(name) for name in names.split())), told["month"]
        for row in self._shown.rest():
            yield "shown", row.columns(), row.month
        for cart in sorted(self._carts):
            yield from self._end_cart(cart, None, "open")
        yield from self._campaign_rows()
        for product, told in sorted(self._products.items()):
            names = "name department category brand price stock status attributes listed_at position"
            yield "products", (product, *(told.get(name) for name in names.split())), ""
        yield from self._tally_rows()

    def _card_rows(self) -> Iterator[Row]:
        for key, view in sorted(self._cards.items()):
            if view is None or view.status == "erased":
                continue
            shown = card.render(view) if card.render else view
            tier = shown.tier, shown.tier_until, shown.qualifying, shown.next_tier, shown.to_next_tier
            for wallet, fields in wallets_of_card(shown).items():
                points = (fields[name] for name in ("points", "pending", "debt", "held"))
                yield "cards", (key.partition(":")[2], wallet, *points, *tier, shown.as_of, shown.position), ""

    def _campaign_rows(self) -> Iterator[Row]:
        for (campaign, member, use), told in sorted(self._coupons.items()):
            names = "kind coupon sent_at starts_at ends_at used_at order_id amount flags position"
            yield "coupons", (campaign, member, use or None, *(told.get(name) for name in names.split())), ""
        for campaign, told in sorted(self._campaigns.items()):
            values = (told.get(name) for name in ("kind", "starts", "ends", "limit", "at", "position"))
            yield "campaigns", (campaign, *values), ""

    def _tally_rows(self) -> Iterator[Row]:
        for key, counts in sorted(self._counters.counts.items()):
            for counter, value in sorted(counts.items()):
                if value:
                    yield "product_stats", (key.partition(":")[2], counter, value), ""
        for key, counts in sorted(self._sales.counts.items()):
            _, day, *split = key.split(":")
            number = date.fromisoformat(day).toordinal() - EPOCH
            for field, value in sorted(counts.items()):
                name, _, counter = field.rpartition(":")
                if value:
                    yield "daily_sales", (number, split[0] if split else "all", name or None, counter, value), ""


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
