"""Lines for tests: a good one of every type, how one is read, and how a file of them is imported into a system."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

import pytest
import redis

from infra.rejects_file import RejectedLine
from infra.settings import Settings
from streams.imports.shop_log.archive import raw_lines
from streams.imports.shop_log.importing import ImportCounts, ShopLogImport, batches
from streams.imports.shop_log.lines import OrderLineItem, OrderRecord
from streams.imports.shop_log.planning import Planner
from streams.imports.shop_log.reading import Reader, ShopLine, with_header
from streams.imports.shop_log.rejected import Rejected
from streams.queries import views as reading
from streams.running.app import App, running

NOON = 1_714_564_800_000  # 2024-05-01T12:00:00Z
NOW = NOON + 3_600_000
AT = "2024-05-01T12:00:00Z"
WHO = {"member_id": "ada", "session_id": "s-1"}
SEEN = {"at": AT, "id": "e-1", **WHO, "product_id": "tea", "slot": "home", "position": 3}
COUPON = {"at": AT, "campaign_id": "spring", "code": "TEN", "member_id": "ada", "order_id": "o-1", "amount": "1.00"}

SAMPLES: dict[str, dict[str, Any]] = {
    "product": {
        "at": AT,
        "product_id": "tea",
        "name": "Tea",
        "category": ["Food", "Drinks"],
        "brand": "Leaf",
        "description": "Green: loose",
        "price": 4.99,
        "stock": 12,
        "image": "https://example.org/tea.png",
        "embedding": [0.25, -1, 3e-5],
        "department": "Grocery",
        "attributes": {"size": "250 g"},
    },
    "member": {
        "at": AT,
        "member_id": "ada",
        "name": "Ada",
        "email": "ada@example.org",
        "birthday": "1990-12-31",
        "tags": ["new", "vip"],
        "city": "Paris",
        "children": 2,
        "profile": {"type": "A"},
    },
    **dict.fromkeys(("view", "click", "favourite", "unfavourite", "dismiss", "share"), SEEN),
    "search": {"at": AT, **WHO, "query": "green tea", "product_ids": ["tea", 7]},
    "impression": {
        "at": AT,
        **WHO,
        "slot": "home",
        "product_ids": ["tea", "milk"],
        "propensities": [0.5, 1],
        "strategy": "popular",
    },
    "add_to_cart": {"at": AT, **WHO, "product_id": "tea", "quantity": 2, "cart": "c-1", "price": "4.99"},
    "remove_from_cart": {"at": AT, **WHO, "product_id": "tea", "quantity": 1, "cart": "c-1"},
    "order": {
        "at": AT,
        **WHO,
        "order_id": "o-1",
        "lines": [
            {"product_id": "tea", "quantity": 2, "unit_price": "4.995", "discount": 0.5},
            {
                "product_id": "milk",
                "quantity": 0,
                "total": "1.20",
                "paid": -0.3,
                "department": "Dairy",
                "category": ["Food", "Milk"],
            },
        ],
        "coupons": ["TEN"],
        "status": "paid",
        "cart": "c-1",
        "tax": "0.35",
    },
    "order_status": {"at": AT, "order_id": "o-1", "status": "shipped"},
    "cancel": {"at": AT, "order_id": "o-1", "reason": "too late"},
    "refund": {
        "at": AT,
        **WHO,
        "order_id": "o-1",
        "lines": [{"line": 1, "quantity": 1}, {"product_id": "milk", "total": "0.10"}],
        "refund": "r-1",
    },
    "review": {"at": AT, **WHO, "product_id": "tea", "rating": 4.5, "text": "Good", "order_id": "o-1"},
    "coupon_sent": {**COUPON, "kind": "A", "starts": AT, "ends": "2030-01-01T00:00:00Z"},
    "coupon_redeemed": {**COUPON, "coupon": "c-7", "use": "u-1"},
    "session_left": {"at": AT, "session_id": "s-1"},
    "regulars": {"at": AT, "command": "LaunchCampaign", "values": {"campaign": "spring", "limit": 10}},
}


def line(kind: str, /, *without: str, **changed: Any) -> dict[str, Any]:
    """The sample of a type, with some fields left out and some changed."""
    told = {"type": kind, **SAMPLES[kind]}
    return {name: value for name, value in told.items() if name not in without} | changed


def raw(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


def read(document: object, currency: str = "USD", zone: str | None = None) -> ShopLine:
    written = document if isinstance(document, bytes) else raw(document)
    return Reader(currency, zone, NOW).read(1, written)


def code(document: object, currency: str = "USD", zone: str | None = None) -> str:
    """Why a line is rejected."""
    with pytest.raises(Rejected) as rejected:
        read(document, currency, zone)
    assert rejected.value.reason.endswith(".")
    return rejected.value.code


def read_item(currency: str = "USD", /, **told: Any) -> OrderLineItem:
    """The one line of an order, as it is read."""
    order = read(line("order", "tax", lines=[{"product_id": "tea", **told}]), currency).line
    assert isinstance(order, OrderRecord)
    return order.lines[0]


def item_code(currency: str = "USD", /, **told: Any) -> str:
    """Why such a line is rejected."""
    return code(line("order", "tax", lines=[{"product_id": "tea", **told}]), currency)


# Files of lines, imported into a system in this process

Line: TypeAlias = dict[str, Any]
MINUTE = 60_000
START = NOON
IMPORTED_AT = START + 30 * 86_400_000


@dataclass(frozen=True)
class Result:
    counts: ImportCounts
    rejects: list[RejectedLine]

    @property
    def outcome(self) -> tuple[int, int, int]:
        """Return how many lines were accepted, duplicates and rejected."""
        return self.counts.accepted, self.counts.duplicates, self.counts.rejected

    @property
    def codes(self) -> list[tuple[int, str]]:
        """Return the codes of the rejected lines, each with its number."""
        return [(reject.line, reject.code) for reject in self.rejects]


def entry(kind: str, minute: float = 0, /, **fields: Any) -> Line:
    """A line of a type, so many minutes after the start."""
    return {"type": kind, "at": START + round(minute * MINUTE), **fields}


def order(name: str, minute: float = 0, /, *lines: Line, **fields: Any) -> Line:
    """An order, of one tea for 5.00 if no lines are given."""
    return entry("order", minute, order_id=name, lines=list(lines) or [item("tea", total="5.00")], **fields)


def item(product: str, **fields: Any) -> Line:
    return {"product_id": product, **fields}


def file_of(lines: Iterable[Line | bytes]) -> bytes:
    """The bytes of a file."""
    return b"".join((line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n" for line in lines)


def import_lines(app: App, *lines: Line | bytes, zone: str | None = None) -> Result:
    """Import a file of these lines, and bring the views up to it."""
    return import_file(app, file_of(lines), zone)


def import_file(app: App, data: bytes, zone: str | None = None) -> Result:
    task = ShopLogImport(app.handler, app.log, Reader(app.terms.currency, zone, IMPORTED_AT), Planner(app.terms))
    _, numbered = with_header(raw_lines(BytesIO(data)))
    rejects = [reject for batch in batches(numbered) for reject in task.take(batch)]
    app.follower().catch_up()
    assert task.counts.lines == task.counts.accepted + task.counts.duplicates + task.counts.rejected
    return Result(task.counts, rejects)


def document(app: App, key: str) -> dict[str, Any]:
    """A JSON view that there must be."""
    found = reading.document(app.views, key)
    assert found is not None, key
    return found


def events(app: App, kind: type) -> list[Any]:
    return [recorded.event for recorded in app.log.recorded(0, 1_000_000) if type(recorded.event) is kind]


@contextmanager
def another(url: str, database: int = 1, currency: str = "USD", zone: str = "UTC") -> Iterator[App]:
    """A system on an empty log, beside others: with a database of its own on the same Redis."""
    mine = f"{url}?db={database}"
    with redis.Redis.from_url(mine) as client:
        client.flushdb()
    with TemporaryDirectory() as home, running(Settings(Path(home), mine, zone, currency)) as app:
        yield app
