"""Whether this Python has the packages of the extra `otel`, found out without importing them."""

from importlib.util import find_spec

NEEDED = ("opentelemetry.sdk.trace", "opentelemetry.exporter.otlp.proto.http")
OTEL_IS_MISSING = (
    "to export spans, install the packages of the extra `otel`:"
    " pip install --require-hashes --no-deps -r requirements-otel.txt; or set it to none"
)


def can_export() -> bool:
    """Return whether spans can be exported."""
    try:
        return all(find_spec(name) is not None for name in NEEDED)
    except ModuleNotFoundError:  # of a package around them
        return False
