"""What stands within an order and a refund: their lines."""

from __future__ import annotations

from streams.imports.shop_log import building
from streams.imports.shop_log.kinds import CATEGORY, ID, MONEY, PLACE, QUANTITY, TENDER, TEXT, UNIT_PRICE
from streams.imports.shop_log.shape import Field, Kind, Shape, list_of

ORDER_LINE = Shape(
    "order.lines",
    "A product, how many, and what it costs: total, or unit_price and discount, or else the product's price.",
    {
        "product_id": Field(ID, "The product; the same one twice is two lines."),
        "quantity": Field(QUANTITY, "Pieces, 1 if left out; 0 is an adjustment, money without goods."),
        "total": Field(MONEY, "What the line costs, after its discount."),
        "unit_price": Field(UNIT_PRICE, "What a piece costs before the discount, with up to six decimals."),
        "discount": Field(MONEY, "What is taken off quantity × unit_price."),
        "paid": Field(TENDER, "What was paid in money; may be less than the total, and below nothing.", ours=True),
        "department": Field(TEXT, "The product's department when it was sold.", ours=True),
        "category": Field(CATEGORY, "The product's category when it was sold.", ours=True),
    },
    (("product_id",),),
)

REFUND_LINE = Shape(
    "refund.lines",
    "What of the order is given back: of a line, or of a product.",
    {
        "line": Field(PLACE, "The order's line, counted from 1."),
        "product_id": Field(ID, "The product: its first line with something left, then the next."),
        "quantity": Field(QUANTITY, "Pieces, 1 if left out; 0 is money without goods."),
        "total": Field(MONEY, "What is given back; if left out, its share of what was paid."),
    },
    (("line", "product_id"),),
)

ORDER_LINES = Kind(
    "order_lines",
    list_of(ORDER_LINE, building.order_line),
    {"type": "array", "items": {"$ref": "#/$defs/order_line"}, "minItems": 1},
)
REFUND_LINES = Kind(
    "refund_lines",
    list_of(REFUND_LINE, building.refund_part),
    {"type": "array", "items": {"$ref": "#/$defs/refund_line"}, "minItems": 1},
)
NESTED = {"order_line": ORDER_LINE, "refund_line": REFUND_LINE}
"""Their names among the schema's definitions."""
