"""Where a PostgreSQL is: its URL, read once, and shown without its password."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict

from infra.errors import Misconfigured
from infra.postgres.errors import told

SCHEMES = ("postgresql://", "postgres://")
SECRET = {"password", "sslpassword"}
CONNECT_TIMEOUT = 10  # seconds
LOCK_TIMEOUT = 30  # seconds another process may hold a lock, the log's writer's above all
IDLE_TIMEOUT = 60  # seconds a transaction may wait for its process, which may be gone
APPLICATION = "regulars"


def checked(url: str, setting: str) -> str:
    """The URL of a setting. Raises :class:`Misconfigured` if it cannot be understood; says nothing of what it holds."""
    try:
        understood = url.startswith(SCHEMES) and bool(conninfo_to_dict(url))
    except (psycopg.Error, ValueError):
        understood = False
    if not understood:
        raise Misconfigured(f"{setting} cannot be understood; it must look like postgresql://user@host:5432/database.")
    return url


def shown(url: str) -> str:
    """The URL without its passwords, for people and logs.

    >>> shown("postgresql://ada:secret@db.example:5432/shop?sslmode=verify-full&sslpassword=other")
    'postgresql://ada@db.example:5432/shop?sslmode=verify-full'
    """
    try:
        parts = urlsplit(url)
        who, at, where = parts.netloc.rpartition("@")
        kept = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name not in SECRET]
    except ValueError:
        return "postgresql://…"
    told = urlencode(kept, quote_via=quote, safe="/")
    return f"{parts.scheme}://{who.partition(':')[0]}{at}{where}{parts.path}{'?' if told else ''}{told}"


def connect(url: str) -> psycopg.Connection[tuple[object, ...]]:
    """A connection of one's own, in autocommit mode. Raises :class:`Unreachable` with what to do."""
    try:
        return psycopg.connect(url, autocommit=True, **options(url))  # type: ignore[arg-type]
    except psycopg.Error as fault:
        raise told(fault, shown(url)) from fault


def impatient(connection: psycopg.Connection[Any]) -> None:
    """Let it neither wait for ever nor keep others waiting: for short transactions."""
    connection.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}s'")
    connection.execute(f"SET idle_in_transaction_session_timeout = '{IDLE_TIMEOUT}s'")


def options(url: str) -> dict[str, object]:
    """What every connection has, unless the URL says otherwise; a silent network is noticed after half a minute."""
    usual: dict[str, object] = {
        "connect_timeout": CONNECT_TIMEOUT,
        "application_name": APPLICATION,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 4,
        "tcp_user_timeout": 30_000,
    }
    named = conninfo_to_dict(url)
    return {name: value for name, value in usual.items() if name not in named} | {"client_encoding": "utf8"}
