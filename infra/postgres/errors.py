"""What PostgreSQL says went wrong, as one of our faults."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import psycopg
from psycopg import errors

from infra.errors import Interrupted, Misconfigured, Unreachable

A = TypeVar("A")

PAUSES = (0.05, 0.2, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds before each new attempt."""

NO_HURRY = (
    errors.LockNotAvailable,
    errors.QueryCanceled,
    errors.DiskFull,
    errors.InvalidPassword,
    errors.InvalidAuthorizationSpecification,
)
"""What another attempt would not mend."""

AGAIN = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    errors.ReadOnlySqlTransaction,  # the server is no longer the primary
    errors.IdleInTransactionSessionTimeout,
)

for logger in ("psycopg", "psycopg.pool"):  # a lost connection is told once, as a fault
    logging.getLogger(logger).addHandler(logging.NullHandler())


def told(fault: psycopg.Error, where: str) -> Exception:
    """The fault to raise instead; the same again if it is no fault of the connection or its rights. ``where``: no password."""
    what = " ".join(str(fault).split())
    if isinstance(fault, errors.LockNotAvailable):
        return Unreachable(f"Another process has held the lock of {where} for too long: see who it is, and ask again.")
    if isinstance(fault, NO_HURRY):
        return Unreachable(f"PostgreSQL at {where} refuses ({what}).")
    if isinstance(fault, errors.InsufficientPrivilege):
        return Misconfigured(f"This user may not do that at {where} ({what}): grant it, or run the command as the owner.")
    if isinstance(fault, AGAIN):
        return Interrupted(f"PostgreSQL does not answer at {where} ({what}): start it, or correct the URL; then ask again.")
    return fault


@contextmanager
def faults_told(where: str) -> Iterator[None]:
    try:
        yield
    except psycopg.Error as fault:
        raise told(fault, where) from fault


def persistently(ask: Callable[[], A]) -> A:
    """What is asked, asked again for some sixteen seconds, and the attempts' own time, while the connection is lost.

    Raises the last :class:`Interrupted` if it stays so.
    """
    for pause in PAUSES:
        try:
            return ask()
        except Interrupted:
            time.sleep(pause)
    return ask()
