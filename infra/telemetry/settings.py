"""The settings of metrics, health and logs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from infra.errors import Misconfigured

FORMATS = ("json", "text")
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
HIGHEST_PORT = 65535


@dataclass(frozen=True)
class TelemetrySettings:
    """``port``: for metrics and health; None for none, 0 for any free one. ``patience``: seconds without progress before a
    process counts as unhealthy. ``log_format``: None for text on a terminal and JSON elsewhere. ``traces``: where
    OpenTelemetry's spans go, None for nowhere.
    """

    port: int | None = None
    host: str = "127.0.0.1"
    patience: float = 30.0
    log_format: str | None = None
    log_level: str = "INFO"
    traces: str | None = None


def telemetry_settings(environment: Mapping[str, str]) -> TelemetrySettings:
    """Read the settings from an environment. Raises :class:`Misconfigured` if a value cannot be used."""
    port = environment.get("REGULARS_METRICS_PORT") or None
    if port and not (port.isascii() and port.isdigit() and int(port) <= HIGHEST_PORT):
        raise Misconfigured(f"REGULARS_METRICS_PORT is {port!r}; it must be a port, or 0 for one that is free.")
    patience = environment.get("REGULARS_HEALTH_PATIENCE") or "30"
    if not (patience.isascii() and patience.isdigit() and int(patience) > 0):
        raise Misconfigured(f"REGULARS_HEALTH_PATIENCE is {patience!r}; it must be a number of seconds.")
    log_format = environment.get("REGULARS_LOG") or None
    if log_format and log_format not in FORMATS:
        raise Misconfigured(f"REGULARS_LOG is {log_format!r}; it must be one of {', '.join(FORMATS)}.")
    level = (environment.get("REGULARS_LOG_LEVEL") or "INFO").upper()
    if level not in LEVELS:
        raise Misconfigured(f"REGULARS_LOG_LEVEL is {level!r}; it must be one of {', '.join(LEVELS)}.")
    host = environment.get("REGULARS_METRICS_HOST") or "127.0.0.1"
    traces = environment.get("OTEL_EXPORTER_OTLP_ENDPOINT") or None
    return TelemetrySettings(int(port) if port else None, host, float(patience), log_format, level, traces)
