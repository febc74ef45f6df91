"""The port that tells: what it answers, and what is said if it cannot be had."""

from __future__ import annotations

import http.client
import json
import socket

import pytest
from prometheus_client import CollectorRegistry, Counter

from infra.errors import Misconfigured
from infra.telemetry.probes import serve_probes
from infra.telemetry.settings import TelemetrySettings


def asked(port: int | None, path: str) -> tuple[int, str]:
    assert port
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path)
    response = connection.getresponse()
    told = response.read().decode()
    connection.close()
    return response.status, told


def test_it_tells_metrics_health_and_readiness() -> None:
    registry, health_problems, missing = CollectorRegistry(), list[str](), ["Kafka has not answered."]
    Counter("regulars_tries", "Tries.", registry=registry).inc(3)
    with serve_probes(TelemetrySettings(port=0), registry, lambda: health_problems, lambda: missing) as port:
        status, told = asked(port, "/metrics")
        assert status == 200
        assert "regulars_tries_total 3.0" in told
        assert "_created" not in told
        assert asked(port, "/healthz?verbose") == (200, '{"healthy": true, "reasons": []}\n')
        status, told = asked(port, "/readyz")
        assert (status, json.loads(told)) == (503, {"ready": False, "reasons": missing})
        health_problems.append("The event loop has been silent for 31 s.")
        assert asked(port, "/healthz")[0] == 503
        assert asked(port, "/")[0] == 404
    with pytest.raises(ConnectionRefusedError):
        asked(port, "/healthz")


def test_without_a_port_nothing_listens() -> None:
    with serve_probes(TelemetrySettings(), CollectorRegistry(), list, list) as port:
        assert port is None


def test_a_client_that_says_nothing_keeps_nobody_waiting() -> None:
    with (
        serve_probes(TelemetrySettings(port=0), CollectorRegistry(), list, list) as port,
        socket.create_connection(("127.0.0.1", port or 0)),
    ):
        assert asked(port, "/healthz")[0] == 200


def test_a_port_that_is_taken_is_said_in_a_sentence() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        with (
            pytest.raises(Misconfigured, match=rf"port {taken} .*REGULARS_METRICS_PORT"),
            serve_probes(TelemetrySettings(port=taken), CollectorRegistry(), list, list),
        ):
            pass
