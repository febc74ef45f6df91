"""Lines into a system, in this process, and what became of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

import redis

from infra.settings import Settings
from streams.imports.shop_log.archive import raw_lines
from streams.imports.shop_log.header import with_header
from streams.imports.shop_log.importing import ShopLogImport, Taken, batches
from streams.imports.shop_log.plans.planning import Planner
from streams.imports.shop_log.reading import Reader
from streams.imports.shop_log.rejects import Reject
from streams.queries import views as reading
from streams.running.app import App, running

Line: TypeAlias = dict[str, Any]
MINUTE = 60_000
START = 1_714_564_800_000  # 2024-05-01T12:00:00Z
NOW = START + 30 * 86_400_000


@dataclass(frozen=True)
class Result:
    taken: Taken
    rejects: list[Reject]

    @property
    def counts(self) -> tuple[int, int, int]:
        """Accepted, duplicates, rejected."""
        return self.taken.accepted, self.taken.duplicates, self.taken.rejected

    @property
    def codes(self) -> list[tuple[int, str]]:
        """Of the rejected lines, each with its number."""
        return [(reject.line, reject.code) for reject in self.rejects]


def told(kind: str, minute: float = 0, /, **fields: Any) -> Line:
    """A line of a type, so many minutes after the start."""
    return {"type": kind, "at": START + round(minute * MINUTE), **fields}


def order(name: str, minute: float = 0, /, *lines: Line, **fields: Any) -> Line:
    """An order, of one tea for 5.00 if no lines are given."""
    return told("order", minute, order_id=name, lines=list(lines) or [item("tea", total="5.00")], **fields)


def item(product: str, **fields: Any) -> Line:
    return {"product_id": product, **fields}


def written(lines: Iterable[Line | bytes]) -> bytes:
    """The bytes of a file."""
    return b"".join((line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n" for line in lines)


def take(app: App, *lines: Line | bytes, zone: str | None = None) -> Result:
    """Import a file of these lines, and bring the views up to it."""
    return take_file(app, written(lines), zone)


def take_file(app: App, data: bytes, zone: str | None = None) -> Result:
    task = ShopLogImport(app.handler, app.log, Reader(app.terms.currency, zone, NOW), Planner(app.terms))
    _, numbered = with_header(raw_lines(BytesIO(data)))
    rejects = [reject for batch in batches(numbered) for reject in task.take(batch)]
    app.follower().catch_up()
    assert task.taken.lines == task.taken.accepted + task.taken.duplicates + task.taken.rejected
    return Result(task.taken, rejects)


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
