"""Whether spans are exported to an OpenTelemetry collector, and whether that can work."""

from app.config.errors import Problems, shortened
from app.config.start.values import StartValues
from app.config.start_options import (
    OTEL_DISABLED,
    OTLP,
    OTLP_PROTOCOL,
    OTLP_TRACES_PROTOCOL,
    SPANS_TO,
    SPOKEN_PROTOCOL,
)


def exports_spans(values: StartValues) -> bool:
    """Return whether the variables ask for an export."""
    return values[SPANS_TO] == OTLP and values[OTEL_DISABLED].lower() != "true"


def refuse_unusable_export(values: StartValues, problems: Problems) -> None:
    """Add a problem if the packages are missing, or if the variables ask for a protocol that wats does not speak."""
    from app.tracing.installed import OTEL_IS_MISSING, can_export  # only where it is asked for

    if not can_export():
        problems.named(SPANS_TO.variable).add("not_installed", OTEL_IS_MISSING)
    asked = OTLP_TRACES_PROTOCOL if values[OTLP_TRACES_PROTOCOL].strip() else OTLP_PROTOCOL
    if (protocol := values[asked].strip()) not in ("", SPOKEN_PROTOCOL):
        problems.named(asked.variable).add(
            "not_supported",
            f"wats exports spans by {SPOKEN_PROTOCOL} only, not by {shortened(protocol)}; set it to {SPOKEN_PROTOCOL}"
            " and OTEL_EXPORTER_OTLP_ENDPOINT to the collector's address for HTTP (usually port 4318; 4317 is for"
            f" grpc), or set {SPANS_TO.variable} to none",
        )
