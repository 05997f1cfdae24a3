"""The state of the gateway, for platforms and operators: liveness, readiness, status, metrics, diagnostics."""
