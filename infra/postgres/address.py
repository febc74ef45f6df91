"""Where a PostgreSQL is: its URL, read once, and shown without its password."""

from __future__ import annotations

from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict

from infra.faults import Misconfigured
from infra.postgres.faults import told

SCHEMES = ("postgresql://", "postgres://")
SECRET = {"password", "sslpassword"}
CONNECT_TIMEOUT = 10  # seconds
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
    place = who.partition(":")[0] + at + where
    return parts._replace(netloc=place, query=urlencode(kept, quote_via=quote, safe="/")).geturl()


def connect(url: str) -> psycopg.Connection[tuple[object, ...]]:
    """A connection of one's own, in autocommit mode. Raises :class:`Unreachable` with what to do."""
    try:
        return psycopg.connect(url, autocommit=True, **options(url))  # type: ignore[arg-type]
    except psycopg.Error as fault:
        raise told(fault, shown(url)) from fault


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
