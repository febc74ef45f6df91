from __future__ import annotations

from pathlib import Path

import pytest

from infra.errors import Misconfigured
from infra.postgres.connection import redact_url
from infra.settings import Settings, from_environment

NAMES = ("REGULARS_HOME", "REDIS_URL", "REGULARS_ZONE", "REGULARS_CURRENCY")
DATABASE = ("DATABASE_URL", "KEYS_DATABASE_URL", "DATABASE_POOL")


@pytest.fixture(autouse=True)
def _unset(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in (*NAMES, *DATABASE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def test_nothing_set_means_a_home_here_and_the_embedded_redis(tmp_path: Path) -> None:
    assert from_environment() == Settings(tmp_path / ".regulars", None, "UTC", "USD")


def test_what_is_set_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    told = ("~/shop", "rediss://redis.example:6380/2", "Europe/Berlin", "EUR")
    for name, value in zip(NAMES, told, strict=True):
        monkeypatch.setenv(name, value)
    assert from_environment() == Settings(Path.home() / "shop", *told[1:])


def test_what_is_set_to_nothing_counts_as_not_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in NAMES:
        monkeypatch.setenv(name, "")
    assert from_environment() == Settings(tmp_path / ".regulars")


def test_a_home_lies_where_it_was_said_wherever_one_goes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("REGULARS_HOME", "shop")
    settings = from_environment()
    assert [settings.log, settings.keys, settings.valkey] == [
        tmp_path / "shop" / at for at in ("events.db", "keys.db", "valkey")
    ]


@pytest.mark.parametrize("url", ["localhost:6379", "http://redis.example", "redis.example"])
def test_a_redis_url_of_another_kind_is_refused_with_what_it_must_be(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("REDIS_URL", url)
    with pytest.raises(Misconfigured, match=rf"{url}.*redis://, rediss:// or unix://"):
        from_environment()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REGULARS_ZONE", "Mars/Olympus"),
        ("REGULARS_ZONE", "../../etc/passwd"),
        ("REGULARS_CURRENCY", "dollars"),
        ("REGULARS_CURRENCY", "$"),
    ],
)
def test_a_zone_or_currency_that_does_not_exist_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(Misconfigured, match=name):
        from_environment()


def test_eviction_is_allowed_by_yes_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not from_environment().redis_may_evict
    monkeypatch.setenv("REDIS_ALLOW_EVICTION", "yes")
    assert from_environment().redis_may_evict
    monkeypatch.setenv("REDIS_ALLOW_EVICTION", "1")
    with pytest.raises(Misconfigured, match="REDIS_ALLOW_EVICTION is '1'; it must be yes or no"):
        from_environment()


def test_the_databases_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    told = ("postgresql://ada:x@db.example/shop?sslmode=verify-full", "postgres://ada@keys.example:5433/keys", "4")
    for name, value in zip(DATABASE, told, strict=True):
        monkeypatch.setenv(name, value)
    settings = from_environment()
    assert (settings.database_url, settings.keys_database_url, settings.database_pool) == (*told[:2], 4)


@pytest.mark.parametrize(
    "url", ["sqlite:///x", "db.example", "postgresql://u:secret@h/d?nonsense=1", "postgresql://u:secret@[h/d"]
)
@pytest.mark.parametrize("name", DATABASE[:2])
def test_a_database_that_is_no_url_is_refused_without_its_password(
    monkeypatch: pytest.MonkeyPatch, name: str, url: str
) -> None:
    monkeypatch.setenv(name, url)
    with pytest.raises(Misconfigured, match=f"^{name} is not a PostgreSQL URL; it must look like postgresql://") as told:
        from_environment()
    assert "secret" not in str(told.value)


@pytest.mark.parametrize("pool", ["0", "-1", "two", "1000", "1.5"])
def test_a_pool_of_another_size_is_refused(monkeypatch: pytest.MonkeyPatch, pool: str) -> None:
    monkeypatch.setenv("DATABASE_POOL", pool)
    with pytest.raises(Misconfigured, match="number of connections from 1 to 32"):
        from_environment()


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        ("postgresql://ada:secret@a,b:5433/shop", "postgresql://ada@a,b:5433/shop"),
        ("postgresql://ada:se%40cret@h/shop?password=secret&x=1", "postgresql://ada@h/shop?x=1"),
        ("postgresql:///shop?host=/run/pg&password=secret", "postgresql:///shop?host=/run/pg"),
        ("postgresql://ada:secret@[h/shop", "postgresql://…"),
    ],
)
def test_a_url_is_shown_without_its_password(url: str, seen: str) -> None:
    assert redact_url(url) == seen
