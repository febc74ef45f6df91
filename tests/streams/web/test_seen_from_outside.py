"""Figures, access log and traces of a real server: by route, and without a personal value."""

from __future__ import annotations

import json
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from infra.embedded.kafka import free_ports
from tests.journey.regulars import Regulars
from tests.streams.web.client import Served

Seen = tuple[str, list[dict[str, Any]], list[Span]]
TRACE = "0af7651916cd43dd8448eb211c80319c"
PERSONAL = ("ada-4711", "Lovelace", "lovelace@example.com", "secret-query")


class Collector:
    """What a server of OpenTelemetry would be sent."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        spans = self.spans

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                told = ExportTraceServiceRequest.FromString(self.rfile.read(int(self.headers["content-length"])))
                spans.extend(one for some in told.resource_spans for scope in some.scope_spans for one in scope.spans)
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"


def value(one: Span, name: str) -> Any:
    found = next(attribute.value for attribute in one.attributes if attribute.key == name)
    return getattr(found, str(found.WhichOneof("value")))


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """The figures, the lines of the access log and the spans of a server that was asked a few things."""
    folder, collector = tmp_path_factory.mktemp("seen"), Collector()
    server = Served(folder / "home", free_ports()[0], {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url})
    server.errors = folder / "errors"
    server.start()
    shop = server.client()
    body = {"member": "ada-4711", "name": "Lovelace", "email": "lovelace@example.com"}
    made = shop.post("/v1/members", body, traceparent=f"00-{TRACE}-b7ad6b7169203331-01", X_Request_Id="lovelace@example.com")
    assert made.status == 201
    assert shop.get(f"/v1/members/ada-4711/card?wait_for={made.json['position']}&wait_ms=10000").status == 200
    shop.post("/v1/members", {**body, "name": "Byron"})
    shop.get("/v1/products?name=secret-query")
    shop.get("/nowhere/ada-4711", traceparent="00-zz-malformed-01")
    shop.ask("BREW/lovelace@example.com".partition("/")[0], "/v1/popular")
    figures = shop.get("/metrics").raw.decode()
    until = time.monotonic() + 20
    while not any(one.name == "fold" for one in collector.spans) and time.monotonic() < until:
        time.sleep(0.1)
    server.stop()
    Regulars(server.home).run("stop")
    collector.server.shutdown()
    collector.server.server_close()
    lines = [json.loads(line) for line in (folder / "errors").read_text().splitlines() if "regulars.access" in line]
    return figures, lines, collector.spans


def test_figures_tell_rate_errors_duration_queue_and_lag_by_route(seen: Seen) -> None:
    figures = seen[0]
    assert 'regulars_http_requests_total{method="POST",route="/v1/members",status="201"} 1.0' in figures
    assert 'regulars_http_requests_total{method="POST",route="/v1/members",status="409"} 1.0' in figures
    assert 'regulars_http_requests_total{method="GET",route="unmatched",status="404"} 1.0' in figures
    assert 'regulars_http_requests_total{method="other",route="/v1/popular",status="405"} 1.0' in figures
    assert 'regulars_http_request_seconds_count{method="GET",route="/v1/members/{member}/card"} 1.0' in figures
    assert "regulars_http_in_flight 1.0" in figures
    assert "regulars_commands_waiting 0.0" in figures
    assert re.search(r'regulars_fold_lag\{fold="card[^"]*"\} 0\.0', figures)


def test_the_access_log_has_a_line_a_request_with_its_route(seen: Seen) -> None:
    lines = [(one["method"], one["route"], one["status"]) for one in seen[1]]
    assert ("POST", "/v1/members", 201) in lines
    assert ("GET", "/v1/members/{member}/card", 200) in lines
    assert ("GET", "unmatched", 404) in lines
    assert all(one["ms"] >= 0 and one["request"] and one["time"] for one in seen[1])


@pytest.mark.parametrize("personal", PERSONAL)
def test_no_personal_value_is_in_figures_log_or_traces(seen: Seen, personal: str) -> None:
    figures, lines, spans = seen
    assert personal not in figures
    assert personal not in json.dumps(lines)
    assert personal not in str(spans)


def test_a_trace_goes_from_the_caller_to_the_append_and_its_position_to_the_fold(seen: Seen) -> None:
    spans = seen[2]
    asked = next(one for one in spans if one.trace_id.hex() == TRACE and one.name == "POST /v1/members")
    appended = next(one for one in spans if one.name == "append" and one.parent_span_id == asked.span_id)
    assert asked.parent_span_id.hex() == "b7ad6b7169203331"
    assert value(asked, "http.response.status_code") == 201
    position = int(value(appended, "regulars.position"))
    folds = [one for one in spans if one.name == "fold"]
    assert any(int(value(one, "regulars.first")) <= position <= int(value(one, "regulars.position")) for one in folds)
