"""How many decimals a currency has: ISO 4217 says for a new log, and a log keeps what its stored integers mean."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result

from aggregates.order.events import OrderPlaced
from infra.errors import Misconfigured
from infra.event_log.schema import LOG_TABLES
from infra.event_log.types import Shop
from infra.keys.stores import KEY_TABLES
from infra.postgres.migrate import migrate
from infra.private_files import make_home
from infra.settings import Settings, from_environment
from streams.cli.main import regulars
from streams.imports.shop_log.reading import header
from streams.running.app import open_log, running


def order(name: str, product: str, total: str, quantity: int = 1) -> dict[str, object]:
    lines = [{"product_id": product, "quantity": quantity, "total": total}]
    return {"type": "order", "at": "2026-03-02T09:00:00Z", "order_id": name, "member_id": "m", "lines": lines}


JOD = (
    {"type": "product", "at": "2026-03-01T09:00:00Z", "product_id": "soap", "price": "2.755"},
    order("1", "soap", "2.755"),
)
XOF = (
    {"type": "product", "at": "2026-03-01T09:00:00Z", "product_id": "riz", "price": "1000"},
    order("1", "riz", "1000", quantity=3),
    order("2", "riz", "999.55"),
    {"type": "refund", "at": "2026-03-03T09:00:00Z", "order_id": "1", "lines": [{"line": 1, "quantity": 1}]},
)


@pytest.fixture
def home(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("REGULARS_HOME", str(settings.home))
    monkeypatch.setenv("REDIS_URL", str(settings.redis_url))
    return settings


def imported(folder: Path, lines: Sequence[object], *options: str) -> Result:
    (folder / "lines.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return CliRunner().invoke(regulars, ["import", "shop-log", str(folder / "lines.jsonl"), *options])


def gross_of(settings: Settings, order_id: str) -> list[int]:
    with open_log(settings) as (log, _):
        events = log.read(f"order-{order_id}")[0]
    return [event.lines[0].gross for event in events if isinstance(event, OrderPlaced)]


def test_a_dinar_has_three_decimals(home: Settings, tmp_path: Path) -> None:
    assert imported(tmp_path, JOD, "--currency", "JOD").exit_code == 0
    assert gross_of(home, "1") == [2755]


def test_a_franc_has_none_and_a_third_of_it_is_whole(home: Settings, tmp_path: Path) -> None:
    done = imported(tmp_path, XOF, "--currency", "XOF")
    assert done.exit_code == 3, "999.55 was rejected"
    assert gross_of(home, "1") == [1000]
    assert gross_of(home, "2") == []
    with open_log(home) as (log, _):
        refunded = log.read("order-1")[0][-1]
    assert getattr(refunded, "parts", None) == ((1, 1, 333),), "a third of 1000 francs"


@pytest.mark.parametrize("code", ["ZZZ", "eur", "EURO", "XAU"])
def test_a_code_that_is_no_currency_is_refused(
    code: str, home: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(imported(tmp_path, JOD, "--currency", code).exception, Misconfigured)
    assert not home.log.exists()
    monkeypatch.setenv("REGULARS_CURRENCY", code)
    with pytest.raises(Misconfigured, match="ISO 4217"):
        from_environment()


OLD = [("XOF", 2), ("JOD", 2), ("CLF", 2), ("JPY", 0), ("KRW", 0), ("KWD", 3), ("TND", 3), ("EUR", 2)]


@pytest.mark.parametrize(("currency", "digits"), OLD)
def test_an_older_log_keeps_what_its_integers_mean(settings: Settings, currency: str, digits: int) -> None:
    make_home(settings.home)
    with open_log(settings) as (log, _):
        log.shop(Shop("UTC", currency), chosen=True)
    with closing(sqlite3.connect(settings.log)) as db:
        db.execute("ALTER TABLE shop DROP COLUMN digits")
        db.execute("PRAGMA user_version = 2")
    with running(settings, Shop("UTC", currency)) as app:
        assert app.terms.digits == digits
        assert app.terms.unit == 10**digits


@pytest.mark.parametrize(("currency", "digits"), OLD[:4])
def test_so_does_one_in_postgresql(settings: Settings, bare_database: str, currency: str, digits: int) -> None:
    migrate(bare_database, replace(LOG_TABLES, steps=LOG_TABLES.steps[:2]))
    migrate(bare_database, KEY_TABLES)
    with psycopg.connect(bare_database, autocommit=True) as connection:
        connection.execute("INSERT INTO shop VALUES ('UTC', %s, 'a-log')", (currency,))
    migrate(bare_database, LOG_TABLES)
    with running(replace(settings, database_url=bare_database)) as app:
        assert (app.terms.currency, app.terms.digits) == (currency, digits)


def test_decimals_of_a_new_log_are_those_of_the_standard(settings: Settings) -> None:
    with running(settings, Shop("UTC", "CLF")) as app:
        assert app.terms.unit == 10_000


def test_an_export_says_decimals_that_are_not_the_standards() -> None:
    assert b"digits" not in header(Shop("UTC", "XOF", 0))
    assert b'"digits":2' in header(Shop("UTC", "XOF", 2))
