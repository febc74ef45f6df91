"""Traces for OpenTelemetry, where ``OTEL_EXPORTER_OTLP_ENDPOINT`` says where to send them; otherwise nothing is loaded or done.

A request's trace has the request and its append. What folds write is another process's trace: stored events have no room for
the context of a trace, so the two meet by position (``regulars.position`` of the append, ``regulars.first`` and
``regulars.position`` of the fold). No span holds a personal value: routes are templates, and ids are those of requests.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from infra.errors import NotInstalled
from infra.telemetry.settings import TelemetrySettings

SENT_EVERY_MS = 1000
"""So that little is lost with a process that is killed."""

_TRACER: list[Any] = []
"""The tracer of this process, if it has one."""


def configure_traces(settings: TelemetrySettings, service: str) -> None:
    """Send the spans of this process from now on, if the settings say where to.

    Raises :class:`NotInstalled` if the libraries are not there.
    """
    if settings.traces is None or _TRACER:
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise NotInstalled("OTEL_EXPORTER_OTLP_ENDPOINT is set, but not OpenTelemetry: pip install 'regulars[otel]'.") from None
    provider = TracerProvider(resource=Resource.create({"service.name": f"regulars-{service}"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(), schedule_delay_millis=SENT_EVERY_MS))
    _TRACER.append(provider.get_tracer("regulars"))


def tracing() -> bool:
    """Return whether this process sends spans."""
    return bool(_TRACER)


@contextmanager
def span(name: str, parent: Mapping[str, str] | None = None, **attributes: Any) -> Iterator[Any]:
    """Measure what happens inside; yield the span, None without tracing.

    ``parent``: headers that may hold a ``traceparent``; a malformed one begins a new trace.
    ``attributes``: with ``_`` for dots.
    """
    if not _TRACER:
        yield None
        return
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    context = None if parent is None else TraceContextTextMapPropagator().extract(dict(parent))
    told = {key.replace("_", "."): value for key, value in attributes.items()}
    with _TRACER[0].start_as_current_span(name, context=context, attributes=told) as made:
        yield made
