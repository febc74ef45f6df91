"""Health of a process, and ``/metrics``, ``/healthz`` and ``/readyz`` on a separate port, served by separate threads."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TypeAlias

import structlog
from prometheus_client import CollectorRegistry, disable_created_metrics
from prometheus_client.exposition import choose_encoder

from infra.errors import Misconfigured
from infra.telemetry.settings import TelemetrySettings

TICK = 1.0  # seconds between two beats of an event loop


class Heartbeat:
    """When something that a process depends on was last alive, such as its event loop. Created, it counts as alive."""

    def __init__(self, what: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.what = what
        self._clock = clock
        self._last = clock()
        self.up = False

    def record(self) -> None:
        """Note that it is alive."""
        self._last, self.up = self._clock(), True

    def record_failure(self) -> None:
        """Note that it did not answer."""
        self.up = False

    @property
    def silent(self) -> float:
        """Seconds since it was last alive."""
        return self._clock() - self._last

    def health_problems(self, patience: float) -> list[str]:
        """Return a sentence if it has been silent for too long.

        >>> Heartbeat("Redis", iter([0.0, 31.2, 31.2]).__next__).health_problems(30)
        ['Redis has been silent for 31 s.']
        """
        return [f"{self.what} has been silent for {self.silent:.0f} s."] if self.silent > patience else []


def keep_beating(loop: asyncio.AbstractEventLoop, heartbeat: Heartbeat) -> None:
    """Record a heartbeat every second for as long as an event loop runs."""
    heartbeat.record()
    loop.call_later(TICK, keep_beating, loop, heartbeat)


log = structlog.get_logger()

PATIENCE = 5.0  # seconds a client may take over its request

Reasons: TypeAlias = Callable[[], list[str]]
"""Return sentences on what is wrong; none if all is well."""


@contextmanager
def serve_probes(
    settings: TelemetrySettings, registry: CollectorRegistry, health_problems: Reasons, not_ready_reasons: Reasons
) -> Iterator[int | None]:
    """Serve the probes until the end of the block, and yield the port; None, and nothing is served, if none is set.

    ``health_problems``: why it is unhealthy. ``not_ready_reasons``: why it is not ready yet.
    Raises :class:`Misconfigured` if the port cannot be used.
    """
    if settings.port is None:
        yield None
        return
    disable_created_metrics()  # type: ignore[no-untyped-call] # they would be a second series for each counter
    server = start_server(settings, settings.port, request_handler(registry, health_problems, not_ready_reasons))
    thread = threading.Thread(target=server.serve_forever, name="probes", daemon=True)
    thread.start()
    port = int(server.server_address[1])
    log.info("metrics_served", host=settings.host, port=port)
    try:
        yield port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def start_server(settings: TelemetrySettings, port: int, answers: type[BaseHTTPRequestHandler]) -> ThreadingHTTPServer:
    class Server(ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        daemon_threads = True
        block_on_close = False

    try:
        return Server((settings.host, port), answers)
    except OSError as fault:
        raise Misconfigured(
            f"Metrics cannot be served on {settings.host}, port {port} ({fault.strerror}): set REGULARS_METRICS_PORT to a "
            "free one, or to 0 to have one chosen."
        ) from None


def request_handler(
    registry: CollectorRegistry, health_problems: Reasons, not_ready_reasons: Reasons
) -> type[BaseHTTPRequestHandler]:
    class Answers(BaseHTTPRequestHandler):
        timeout = PATIENCE

        def do_GET(self) -> None:
            match self.path.partition("?")[0]:
                case "/metrics":
                    encode, kind = choose_encoder(self.headers.get("Accept", ""))
                    self._answer(HTTPStatus.OK, kind, encode(registry))
                case "/healthz":
                    self._report("healthy", health_problems())
                case "/readyz":
                    self._report("ready", not_ready_reasons())
                case _:
                    self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"/metrics, /healthz, /readyz\n")

        def _report(self, what: str, reasons: list[str]) -> None:
            body = json.dumps({what: not reasons, "reasons": reasons}).encode() + b"\n"
            self._answer(HTTPStatus.SERVICE_UNAVAILABLE if reasons else HTTPStatus.OK, "application/json", body)

        def _answer(self, status: HTTPStatus, kind: str, content: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Log nothing: probes come every few seconds."""

    return Answers
