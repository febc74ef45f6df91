"""The table of API keys, in a file and in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from infra.api_keys import ApiKeys
from tests.infra.ticks import Place


@pytest.fixture
def table(place: Place, tmp_path: Path) -> Iterator[ApiKeys]:
    url = place if isinstance(place, str) else None
    with closing(ApiKeys(tmp_path / "access.db", url)) as keys:
        yield keys


def test_a_key_is_found_by_its_text_from_any_thread_until_it_is_revoked(table: ApiKeys) -> None:
    made, text = table.create("shop", ["storefront"], 1)
    with ThreadPoolExecutor(8) as crowd:
        assert set(crowd.map(table.find, [text] * 100)) == {made}
    assert table.find(text[:-1] + ("a" if text[-1] != "a" else "b")) is None
    assert table.revoke(made.id, 2)
    assert not table.revoke(made.id, 3)
    assert table.find(text) is None
    assert [one.revoked for one in table.all()] == [2]


def test_a_connection_that_broke_is_opened_again(table: ApiKeys, place: Place) -> None:
    made, text = table.create("shop", ["storefront"], 1)
    if isinstance(place, str):
        with psycopg.connect(place, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
    else:
        table.close()
    assert table.find(text) == made


def test_all_statements_share_one_connection(table: ApiKeys, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    table.all()
    for module in ("psycopg", "sqlite3"):
        monkeypatch.setattr(f"{module}.connect", lambda *_, **__: pytest.fail("a second connection was opened"))
    assert [len(table.all()) for _ in range(10)] == [0] * 10
