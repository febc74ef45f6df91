"""The tables of a snapshot: their columns, keys, and which are personal. ``docs/snapshots.md`` is made from this."""

from __future__ import annotations

from infra.parquet import Column, Table

SCHEMA = 2
"""Raised when a column changes or goes. A column that is added does not raise it."""


def table(name: str, key: str, columns: str, month_of: str | None = None) -> Table:
    """Return a table from words: ``name:kind``, with ``†`` after a column that is personal."""
    made = []
    for word in columns.split():
        column, _, kind = word.partition(":")
        made.append(Column(column, kind.rstrip("†") or "text", kind.endswith("†")))  # type: ignore[arg-type]
    return Table(name, tuple(made), tuple(key.split()), month_of)


TABLES: dict[str, Table] = {
    found.name: found
    for found in (
        table(
            "members", "member",
            "member: status: registered_at:instant registered_on:day closed_at:instant erased_at:instant "
            "name:text† email:text† birthday:text† profile:json† position:int",
        ),
        table(
            "cards", "member wallet",
            "member: wallet: points:int pending:int debt:int held:int tier: tier_until:instant qualifying:int next_tier: "
            "to_next_tier:int as_of:instant position:int",
        ),
        table(
            "points_ledger", "position seq",
            "position:int seq:int member: wallet: lot: kind: points:int booked_on:day dated_at:instant order_id: "
            "rule: policy:int",
            "booked_on",
        ),
        table(
            "lots", "member lot",
            "member: lot: wallet: granted:int left_points:int active_from:instant expires_at:instant lasts_until:day order_id: "
            "rule: policy:int position:int",
        ),
        table(
            "tier_history", "member position",
            "member: tier: before: cause: from_at:instant until_at:instant qualifying:int policy:int position:int",
        ),
        table(
            "orders", "order_id",
            "order_id: member: session: cart: status: currency: gross:money total:money paid:money tax:money net:money "
            "refunded:money lines:int placed_at:instant placed_on:day paid_at:instant shipped_at:instant delivered_at:instant "
            "cancelled_at:instant position:int",
            "placed_on",
        ),
        table(
            "order_lines", "order_id line",
            "order_id: line:int product: quantity:int gross:money total:money paid:money department: category: placed_on:day "
            "position:int",
            "placed_on",
        ),
        table(
            "refunds", "order_id refund line",
            "order_id: refund: line:int product: units:int given_back:money complete:flag refunded_at:instant refunded_on:day "
            "position:int",
            "refunded_on",
        ),
        table(
            "carts", "cart",
            "cart: member: session: opened_at:instant opened_on:day ended_at:instant status: items:int position:int",
            "opened_on",
        ),
        table("cart_items", "cart product", "cart: product: quantity:int price:money opened_on:day position:int", "opened_on"),
        table(
            "coupons", "campaign member use",
            "campaign: member: use: kind: coupon: sent_at:instant starts_at:instant ends_at:instant used_at:instant order_id: "
            "amount:money flags:json position:int",
        ),
        table(
            "campaigns", "campaign",
            "campaign: kind: starts_at:instant ends_at:instant use_limit:int launched_at:instant position:int",
        ),
        table(
            "reviews", "position",
            "position:int product: member: session: half_stars:int text:text† order_id: reviewed_at:instant reviewed_on:day",
        ),
        table(
            "behaviour", "position",
            "position:int kind: member: session: product: query:text† slot: place:int happened_at:instant happened_on:day",
            "happened_on",
        ),
        table(
            "shown", "position rank",
            "position:int rank:int slot: member: session: product: propensity:number strategy: shown_at:instant shown_on:day "
            "clicked_at:instant carted_at:instant bought_at:instant changed_position:int",
            "shown_on",
        ),
        table(
            "products", "product",
            "product: name: department: category: brand: price:money stock:int status: attributes:json "
            "listed_at:instant position:int",
        ),
        table("product_stats", "product counter", "product: counter: value:int"),
        table("daily_sales", "day split name counter", "day:day split: name: counter: value:int"),
        table("model_quality", "day scope list metric", "day:day scope: list: metric: tests:int value:number"),
        table("policies", "version", "version:int effective_at:instant published_at:instant actor: document:json position:int"),
    )
}  # fmt: skip

APPEND_ONLY = frozenset({"points_ledger", "tier_history", "order_lines", "refunds", "reviews", "behaviour", "policies"})
"""Tables whose rows never change: a snapshot ``--since`` another has only those that came after it."""


def position_column(table: Table) -> str | None:
    """Return the column with the position of a row's last change; None for a table that is written whole each time."""
    names = [column.name for column in table.columns]
    return next((name for name in ("changed_position", "position") if name in names), None)
