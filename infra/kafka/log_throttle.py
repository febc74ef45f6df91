"""An outage is said, not sung: each message of the Kafka clients comes through once in a while, with how often it came."""

from __future__ import annotations

import logging

INTERVAL = 10.0  # seconds
CLIENTS = {"aiokafka": logging.WARNING, "kafka": logging.CRITICAL}  # whatever fails in the second is raised as well


class Seldom(logging.Handler):
    """Hands a record on to the root's handlers unless the same place in the code spoke within the interval."""

    def __init__(self, interval: float = INTERVAL) -> None:
        super().__init__(logging.WARNING)
        self._interval = interval
        self._heard: dict[tuple[str, int], tuple[float, int]] = {}  # when it was let through last, and how often not since

    def emit(self, record: logging.LogRecord) -> None:
        place = record.pathname, record.lineno
        last, unsaid = self._heard.get(place, (-self._interval, 0))
        if record.created - last < self._interval:
            self._heard[place] = last, unsaid + 1
            return
        self._heard[place] = record.created, 0
        if unsaid:
            record.msg, record.args = f"{record.getMessage()} ({unsaid} more like this)", None
        logging.getLogger().handle(record)


def hush_clients() -> None:
    """Let the client libraries speak seldom, from now on and in the whole process."""
    for name, level in CLIENTS.items():
        logger = logging.getLogger(name)
        logger.propagate = False
        logger.setLevel(level)
        logger.handlers[:] = [Seldom()]
