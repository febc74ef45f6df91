"""Lines that tell of an order."""

from __future__ import annotations

from streams.imports.shop_log import building
from streams.imports.shop_log.kinds import ID, IDS, MONEY, STATUS, TEXT
from streams.imports.shop_log.line_type import ORDER, WHO, line_type
from streams.imports.shop_log.order_lines import ORDER_LINES, REFUND_LINES
from streams.imports.shop_log.shape import Field

ORDERS = (
    line_type(
        "order",
        "An order; without a status it was placed, paid and delivered at once. Without who, it is a guest's.",
        building.order,
        {
            **ORDER,
            "lines": Field(ORDER_LINES, "What was ordered."),
            **WHO,
            "coupons": Field(IDS, "Coupons that were used."),
            "status": Field(STATUS, "How far it has come."),
            "cart": Field(ID, "The cart that was checked out.", ours=True),
            "tax": Field(MONEY, "The tax within what was paid.", ours=True),
        },
        "order_id",
        "lines",
    ),
    line_type(
        "order_status",
        "An order went on.",
        building.order_status,
        {**ORDER, "status": Field(STATUS, "How far it has come.")},
        "order_id",
        "status",
    ),
    line_type("cancel", "An order was cancelled.", building.cancel, {**ORDER, "reason": Field(TEXT, "Why.")}, "order_id"),
    line_type(
        "refund",
        "Something of an order was given back; without lines, all that was left of it.",
        building.refund,
        {
            **ORDER,
            "lines": Field(REFUND_LINES, "What was given back."),
            **WHO,
            "refund": Field(ID, "The refund's own name.", ours=True),
        },
        "order_id",
    ),
)
