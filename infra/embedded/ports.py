"""Loopback ports for servers that we start: which are free, and whether somebody answers at one."""

from __future__ import annotations

import contextlib
import random
import socket

from infra.errors import Unreachable

PORTS = range(20_000, 32_000)  # below those that systems lend to outgoing connections


def answers(port: int) -> bool:
    with socket.socket() as tried:
        tried.settimeout(1)
        return tried.connect_ex(("127.0.0.1", port)) == 0


def free_ports() -> tuple[int, int]:
    """Two that nobody listens on."""
    found: list[int] = []
    for port in random.SystemRandom().sample(PORTS, len(PORTS)):
        with socket.socket() as tried, contextlib.suppress(OSError):
            tried.bind(("127.0.0.1", port))
            found.append(port)
        if len(found) == 2:
            return found[0], found[1]
    raise Unreachable("No two loopback ports are free for the embedded Kafka.")
