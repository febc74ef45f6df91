"""From the told fields of a line to its typed body: what is left open gets its default here."""

from __future__ import annotations

from typing import Any, TypeAlias

from streams.imports.shop_log import lines
from streams.imports.shop_log.amounts import total_of
from streams.imports.shop_log.figures import by_value
from streams.imports.shop_log.rejected import Rejected

Told: TypeAlias = dict[str, Any]


def who(told: Told) -> lines.Who:
    return lines.Who(told.get("member_id"), told.get("session_id"))


def product(_: str, told: Told) -> lines.ProductLine:
    get = told.get
    return lines.ProductLine(
        told["product_id"],
        get("name"),
        get("category"),
        get("brand"),
        get("description"),
        get("price"),
        get("stock"),
        get("image"),
        get("embedding"),
        get("department"),
        get("attributes"),
    )


def member(_: str, told: Told) -> lines.MemberLine:
    profile = {**told.get("profile", {}), **told["rest"]}
    if "tags" in told:
        profile["tags"] = told["tags"]
    return lines.MemberLine(told["member_id"], told.get("name"), told.get("email"), told.get("birthday"), profile)


def behaviour(kind: str, told: Told) -> lines.BehaviourLine:
    return lines.BehaviourLine(kind, told["product_id"], who(told), told.get("slot"), told.get("position"))


def search(_: str, told: Told) -> lines.SearchLine:
    return lines.SearchLine(told["query"], who(told), told.get("product_ids", ()))


def impression(_: str, told: Told) -> lines.ImpressionLine:
    shown, propensities = told["product_ids"], told.get("propensities")
    if propensities is not None and len(propensities) != len(shown):
        raise Rejected("propensities_unmatched", "There is one propensity for each product that was shown.")
    return lines.ImpressionLine(told["slot"], shown, who(told), propensities, told.get("strategy"))


def cart(kind: str, told: Told) -> lines.CartLine:
    quantity = told.get("quantity", 1)
    return lines.CartLine(kind == "add_to_cart", told["product_id"], who(told), quantity, told.get("cart"), told.get("price"))


def order_line(told: Told) -> lines.OrderLineItem:
    item = lines.OrderLineItem(
        told["product_id"],
        told.get("quantity", 1),
        told.get("total"),
        told.get("unit_price"),
        told.get("discount", 0),
        told.get("paid"),
        told.get("department"),
        told.get("category"),
    )
    total_of(item)  # refused here, where the line is known
    return item


def order(_: str, told: Told) -> lines.OrderRecord:
    coupons, status = told.get("coupons", ()), told.get("status", "delivered")
    return lines.OrderRecord(told["order_id"], told["lines"], who(told), coupons, status, told.get("cart"), told.get("tax"))


def order_status(_: str, told: Told) -> lines.StatusLine:
    return lines.StatusLine(told["order_id"], told["status"])


def cancel(_: str, told: Told) -> lines.CancelLine:
    return lines.CancelLine(told["order_id"], told.get("reason"))


def refund_part(told: Told) -> lines.RefundPart:
    return lines.RefundPart(told.get("line"), told.get("product_id"), told.get("quantity"), told.get("total"))


def refund(_: str, told: Told) -> lines.RefundLine:
    return lines.RefundLine(told["order_id"], told.get("lines"), who(told), told.get("refund"))


def review(_: str, told: Told) -> lines.ReviewLine:
    return lines.ReviewLine(told["product_id"], who(told), told["rating"], told.get("text"), told.get("order_id"))


def coupon(kind: str, told: Told) -> lines.CouponLine:
    get = told.get
    campaign, code = get("campaign_id"), get("code")
    return lines.CouponLine(
        kind == "coupon_sent",
        campaign or told["code"],
        told["member_id"],
        get("order_id"),
        get("amount"),
        get("coupon", None if campaign is None else code),
        get("kind"),
        get("starts"),
        get("ends"),
        get("use"),
    )


def command(_: str, told: Told) -> lines.CommandLine:
    return lines.CommandLine(told["command"], by_value(told["values"]))
