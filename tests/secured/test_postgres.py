"""A PostgreSQL that demands TLS, a certificate in the role's name and a password: by libpq's parameters of ``DATABASE_URL``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from click.testing import CliRunner

from infra.errors import Unreachable
from infra.postgres.connection import connect
from infra.settings import Settings, from_environment
from streams.cli.main import regulars as commands
from streams.running.app import running
from tests.parts import program
from tests.secured.authority import Authority, Signed
from tests.secured.servers import postgres_server
from tests.shop import requests

PASSWORD = "s:crt@/?"  # noqa: S105 - of a server that lives for a test
SHOPPINGS = 5


@pytest.fixture(scope="module")
def port(authority: Authority) -> Iterator[int]:
    server = program("postgres", "postgresql", "/usr/lib/postgresql/*/bin/postgres")
    with postgres_server(server, authority, "regulars", PASSWORD) as port:
        yield port


def url(
    port: int,
    authority: Authority,
    client: Signed,
    host: str = "localhost",
    password: str = PASSWORD,
    mode: str = "verify-full",
) -> str:
    files = {"sslrootcert": authority.file, "sslcert": client.certificate, "sslkey": client.key}
    told = "&".join(f"{name}={quote(str(path), safe='')}" for name, path in files.items())
    return f"postgresql://regulars:{quote(password, safe='')}@{host}:{port}/postgres?sslmode={mode}&{told}"


def test_a_log_and_its_keys_live_there(
    port: int, authority: Authority, regulars: Signed, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "DATABASE_URL": url(port, authority, regulars),
        "REDIS_URL": str(settings.redis_url),
        "REGULARS_HOME": str(settings.home),
    }.items():
        monkeypatch.setenv(name, value)
    told = CliRunner().invoke(commands, ["migrate"], catch_exceptions=False).output
    assert "localhost" in told
    assert quote(PASSWORD, safe="") not in told
    with running(from_environment()) as app:
        for request in requests(SHOPPINGS):
            app.handler.handle(request)
        app.follower().catch_up()
        assert app.views.client.get("v1:card:m-3")
        assert app.log.database_info().database.startswith("PostgreSQL")
    assert not settings.log.exists()


@pytest.mark.parametrize("what", ["password", "certificate", "name", "authority", "host", "plain"])
def test_nobody_else_is_let_in_and_no_other_server_trusted(
    port: int, authority: Authority, regulars: Signed, tmp_path: Path, what: str
) -> None:
    other = Authority(tmp_path / "other", "Another")
    tried = {
        "password": url(port, authority, regulars, password="not-this"),  # noqa: S106
        "certificate": url(port, authority, other.sign("regulars")),
        "name": url(port, authority, authority.sign("somebody")),
        "authority": url(port, other, regulars),
        "host": url(port, authority, regulars, host="127.0.0.2"),
        "plain": url(port, authority, regulars, mode="disable"),
    }
    with pytest.raises(Unreachable) as refused:
        connect(tried[what])
    assert "not-this" not in str(refused.value)
