"""The server of the API: granian in this process, the follower beside it in a process of its own."""

from __future__ import annotations

import asyncio
import resource
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server

from infra.api_keys import ApiKeys
from infra.settings import Settings
from streams.running.app import App, log_url, running
from streams.running.processes import ProcessSupervisor
from streams.web.app import Api

WAITING = 16_384
"""Connections that may be open or wait: idle ones count, so a low bound would let 1,024 idle clients stop everybody."""

OTHER_FILES = 1000
"""Files that the process opens beside its connections."""

HEADER_TIMEOUT_MS = 10_000
TENDED_EVERY = 1.0  # seconds between two looks at the follower
SWITCH_INTERVAL = 0.0005
"""Seconds after which a deciding thread gives way to the loop, so that a group of decisions holds no answer back for long."""


@dataclass(frozen=True)
class Address:
    """Where the API listens, and how many requests a client may make in a minute."""

    host: str = "127.0.0.1"
    port: int = 8000
    limit: int = 6000


def allow_connections() -> None:
    """Let this process open as many files as its connections need, as far as the system allows it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WAITING + OTHER_FILES if hard == resource.RLIM_INFINITY else min(hard, WAITING + OTHER_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def api_keys(settings: Settings) -> ApiKeys:
    """Return the table of API keys of this home, or of its PostgreSQL."""
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    return ApiKeys(settings.home / "access.db", settings.keys_database_url or log_url(settings))


async def tend(beside: ProcessSupervisor) -> None:
    """Start the follower again whenever it has died."""
    while True:
        await asyncio.sleep(TENDED_EVERY)
        beside.tend()


async def serve(settings: Settings, address: Address, ready: Callable[[App], None]) -> None:
    """Serve the API until the process is told to stop; what was taken is answered first.

    In the embedded mode a follower runs beside it; with workers there is none to start.
    """
    sys.setswitchinterval(SWITCH_INTERVAL)
    allow_connections()
    with ExitStack() as stack:
        app = stack.enter_context(running(settings))
        if app.feed == "log":
            beside = ProcessSupervisor(settings.home / "logs", {"REGULARS_HOME": str(settings.home)})
            stack.callback(beside.stop)
            beside.start("follow", "follow")
            beside.start("webhook", "webhook", "send")
            tending = asyncio.create_task(tend(beside))
            stack.callback(tending.cancel)
        api = Api(app, api_keys(settings), address.limit)
        server = Server(
            api.asgi(),
            address=address.host,
            port=address.port,
            interface=Interfaces.ASGI,
            http=HTTPModes.http1,
            websockets=False,
            backlog=WAITING,
            backpressure=WAITING,
            http1_settings=HTTP1Settings(header_read_timeout=HEADER_TIMEOUT_MS),
            log_access=False,
            log_enabled=False,
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, server.stop)
        ready(app)
        await server.serve()
