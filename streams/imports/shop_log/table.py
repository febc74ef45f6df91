"""The table of the file's types by name. The reader and the schema go by it, so they cannot differ."""

from __future__ import annotations

from streams.imports.shop_log.behaviour_types import BEHAVIOURS
from streams.imports.shop_log.coupon_types import COMMANDS, COUPONS
from streams.imports.shop_log.declared_types import DECLARED
from streams.imports.shop_log.order_types import ORDERS

TABLE = {row.shape.name: row for row in (*DECLARED, *BEHAVIOURS, *ORDERS, *COUPONS, *COMMANDS)}
