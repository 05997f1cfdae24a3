"""A collector of OpenTelemetry for tests: takes spans by OTLP over HTTP, and remembers them."""

import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class Collector(ThreadingHTTPServer):
    """`spans`: those that have come, as OTLP has them; `services`: the names of the services that have sent them.

    `answers`: while it is not set, the collector takes connections and says nothing.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answering)
        self.spans: list[Any] = []
        self.services: set[str] = set()
        self.answers = threading.Event()
        self.answers.set()

    def take(self, path: str, body: bytes) -> None:
        """Remember the spans of one request."""
        assert path == "/v1/traces"
        for of_resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            attributes = of_resource.resource.attributes
            self.services |= {one.value.string_value for one in attributes if one.key == "service.name"}
            self.spans += [span for of_scope in of_resource.scope_spans for span in of_scope.spans]

    def of_trace(self, trace_id: str) -> dict[str, Any]:
        """Return the spans of a trace by their names."""
        return {span.name: span for span in list(self.spans) if span.trace_id.hex() == trace_id}


def attributes_of(span: Any) -> dict[str, object]:
    """Return a span's attributes as plain values."""
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in span.attributes}


class _Answering(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        self.server.answers.wait()
        self.server.take(self.path, self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing to say."""


@contextlib.contextmanager
def collecting() -> Iterator[Collector]:
    """A collector that listens while the block runs, or until it is closed."""
    collector = Collector()
    thread = threading.Thread(target=collector.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield collector
    finally:
        collector.answers.set()
        collector.shutdown()
        thread.join()
        collector.server_close()
