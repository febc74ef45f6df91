"""Connections to PostgreSQL: URLs without their passwords, options, errors in sentences, retries."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict

from infra.errors import ConnectionLost, Misconfigured, Unreachable

A = TypeVar("A")

PAUSES = (0.05, 0.2, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds before each retry."""

FINAL_ERRORS = (
    errors.LockNotAvailable,
    errors.QueryCanceled,
    errors.DiskFull,
    errors.InvalidPassword,
    errors.InvalidAuthorizationSpecification,
)
"""Errors that a retry would not mend."""

CONNECTION_ERRORS = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    errors.ReadOnlySqlTransaction,  # the server is no longer the primary
    errors.IdleInTransactionSessionTimeout,
)

for logger in ("psycopg", "psycopg.pool"):  # a lost connection is reported once, as an error
    logging.getLogger(logger).addHandler(logging.NullHandler())


def translated(fault: psycopg.Error, where: str) -> Exception:
    """Return the error to raise instead, or the same one if neither connection nor rights caused it. ``where``: no password."""
    what = " ".join(str(fault).split())
    if isinstance(fault, errors.LockNotAvailable):
        return Unreachable(f"Another process has held the lock of {where} for too long: find out which, and try again.")
    if isinstance(fault, FINAL_ERRORS):
        return Unreachable(f"PostgreSQL at {where} refuses ({what}).")
    if isinstance(fault, errors.InsufficientPrivilege):
        return Misconfigured(f"This user may not do that at {where} ({what}): grant it, or run the command as the owner.")
    if isinstance(fault, CONNECTION_ERRORS):
        return ConnectionLost(f"PostgreSQL does not answer at {where} ({what}): start it, or correct the URL; then try again.")
    return fault


@contextmanager
def translate_postgres_errors(where: str) -> Iterator[None]:
    """Raise psycopg's errors as ours, with a sentence that says what to do."""
    try:
        yield
    except psycopg.Error as fault:
        raise translated(fault, where) from fault


def retry(call: Callable[[], A]) -> A:
    """Call a function, and again for some sixteen seconds plus the calls' own time while the connection is lost.

    Raises the last :class:`ConnectionLost` if it stays lost.
    """
    for pause in PAUSES:
        try:
            return call()
        except ConnectionLost:
            time.sleep(pause)
    return call()


SCHEMES = ("postgresql://", "postgres://")
SECRET = {"password", "sslpassword"}
CONNECT_TIMEOUT = 10  # seconds
LOCK_TIMEOUT = 30  # seconds to wait for another process that holds a lock, usually the log's writer
IDLE_TIMEOUT = 60  # seconds a transaction may be idle; its process may be gone
APPLICATION = "regulars"


def check_url(url: str, setting: str) -> str:
    """Return the URL of a setting. Raises :class:`Misconfigured`, without showing it, if it cannot be parsed."""
    try:
        understood = url.startswith(SCHEMES) and bool(conninfo_to_dict(url))
    except (psycopg.Error, ValueError):
        understood = False
    if not understood:
        raise Misconfigured(f"{setting} is not a PostgreSQL URL; it must look like postgresql://user@host:5432/database.")
    return url


def redact_url(url: str) -> str:
    """Return the URL without its passwords, for messages and logs.

    >>> redact_url("postgresql://ada:secret@db.example:5432/shop?sslmode=verify-full&sslpassword=other")
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
    """Open a connection in autocommit mode. Raises :class:`Unreachable` with what to do."""
    try:
        return psycopg.connect(url, autocommit=True, **connection_options(url))  # type: ignore[arg-type]
    except psycopg.Error as fault:
        raise translated(fault, redact_url(url)) from fault


def set_timeouts(connection: psycopg.Connection[Any]) -> None:
    """Limit how long a connection waits for locks, and how long it may hold them while idle."""
    connection.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}s'")
    connection.execute(f"SET idle_in_transaction_session_timeout = '{IDLE_TIMEOUT}s'")


def connection_options(url: str) -> dict[str, object]:
    """Return the options of every connection that the URL does not set. A dead network is noticed after half a minute."""
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
