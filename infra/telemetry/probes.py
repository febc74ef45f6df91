"""``/metrics``, ``/healthz`` and ``/readyz`` on a port of their own, from threads of their own: no work waits for them."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TypeAlias

import structlog
from prometheus_client import CollectorRegistry, disable_created_metrics
from prometheus_client.exposition import choose_encoder

from infra.errors import Misconfigured
from infra.telemetry.settings import Observation

log = structlog.get_logger()

PATIENCE = 5.0  # seconds a client may take over its request

Reasons: TypeAlias = Callable[[], list[str]]
"""Sentences on what is not as it should be; none if all is well."""


@contextmanager
def probes(settings: Observation, registry: CollectorRegistry, ailments: Reasons, missing: Reasons) -> Iterator[int | None]:
    """Serve them until the end of the block, and tell the port. ``ailments``: of its health; ``missing``: until it is ready.

    Nothing without a port. Raises :class:`Misconfigured` if the port cannot be had.
    """
    if settings.port is None:
        yield None
        return
    disable_created_metrics()  # type: ignore[no-untyped-call] # a second series for each counter, which nobody asked for
    server = listening(settings, settings.port, answering(registry, ailments, missing))
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


def listening(settings: Observation, port: int, answers: type[BaseHTTPRequestHandler]) -> ThreadingHTTPServer:
    class Server(ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        daemon_threads = True
        block_on_close = False

    try:
        return Server((settings.host, port), answers)
    except OSError as fault:
        raise Misconfigured(
            f"Metrics cannot be served on {settings.host}, port {port} ({fault.strerror}): set REGULARS_METRICS_PORT to one "
            "that is free, or to 0 to have one chosen."
        ) from None


def answering(registry: CollectorRegistry, ailments: Reasons, missing: Reasons) -> type[BaseHTTPRequestHandler]:
    class Answers(BaseHTTPRequestHandler):
        timeout = PATIENCE

        def do_GET(self) -> None:
            match self.path.partition("?")[0]:
                case "/metrics":
                    encode, kind = choose_encoder(self.headers.get("Accept", ""))
                    self._answer(HTTPStatus.OK, kind, encode(registry))
                case "/healthz":
                    self._say("healthy", ailments())
                case "/readyz":
                    self._say("ready", missing())
                case _:
                    self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"/metrics, /healthz, /readyz\n")

        def _say(self, what: str, reasons: list[str]) -> None:
            told = json.dumps({what: not reasons, "reasons": reasons}).encode() + b"\n"
            self._answer(HTTPStatus.SERVICE_UNAVAILABLE if reasons else HTTPStatus.OK, "application/json", told)

        def _answer(self, status: HTTPStatus, kind: str, content: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Nobody needs to know of each look."""

    return Answers
