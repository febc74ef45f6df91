"""Holds the leases of a rebuild while it works."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from infra.errors import Fault
from infra.redis.generations import LEASE_MS, Generations


@contextmanager
def leased(generations: Generations, folds: Sequence[str]) -> Iterator[None]:
    """Hold the leases of these folds, and renew them until the block ends. Raises :class:`RebuildRuns`."""
    generations.take(folds)
    ended = threading.Event()
    renewing = threading.Thread(target=renew, args=(generations, folds, ended), name="leases", daemon=True)
    renewing.start()
    try:
        yield
    finally:
        ended.set()
        renewing.join()
        generations.release(folds)


def renew(generations: Generations, folds: Sequence[str], ended: threading.Event) -> None:
    """Renew the leases. Each step looks at them itself, so one that was lost ends the rebuild there."""
    while not ended.wait(LEASE_MS / 3000):
        try:
            generations.take(folds)
        except Fault:
            return
        except Exception:  # noqa: BLE001, S112 - Redis does not answer: the steps say so
            continue
