"""The names of our own environment variables, each with its type, default and meaning, for the documentation."""

REFERENCE = (
    ("WATS_CONFIG", "path", "", "The config file; else `wats.config.yaml`, else `config/wats.config.yaml`."),
    ("WATS_PROFILE", "name", "", "The profile; else the file's `defaultProfile`."),
    ("WATS_MODE", "`dry-run` or `live`", "", "The mode where no flag tells it. Live also needs the second yes."),
    ("WATS_YES_LIVE", "`1`", "", "The second yes."),
    ("WATS_PAAS", "`1`", "", "As `--paas`: port from `$PORT`, host `0.0.0.0`."),
    ("PORT", "1..65535", "", "The platform's port; read in PaaS mode only."),
    ("WATS_ENV_FILE", "path", "", "As `--env-file`: one more source of the secrets that the profile names."),
    ("WATS_HOST", "host or address", "", "As `--host`."),
    ("WATS_PORT", "1..65535", "", "As `--port`. What Kubernetes sets for a Service named `wats` is passed over."),
    ("WEB_CONCURRENCY", "1..64", "2", "As `--workers`: web processes."),
    ("WATS_THREADS", "1..64", "", "As `--threads`: the worker's threads."),
    ("WATS_GRACE_SECONDS", "1..3600", "25", "How long a stop may take. Cloud Run wants 8."),
    ("WATS_DATA_DIR", "path", "./data", "Where SQLite files live."),
    ("WATS_DRY_RUN_DATABASE_URL", "URL", "", "The dry-run's database; else `$WATS_DATA_DIR/dry-run.sqlite3`."),
    ("WATS_DRY_RUN_PUSH", "`1`", "", "As `--push`: a dry-run also pushes beyond loopback."),
    ("WATS_DRY_RUN_APP_SECRET", "secret", "", "The dry-run's app secret."),
    ("WATS_DRY_RUN_VERIFY_TOKEN", "secret", "", "The dry-run's verify token."),
    ("WATS_DRY_RUN_SERVICE_TOKEN", "secret", "", "The dry-run's service token."),
    ("WATS_URL", "URL", "", "Where the commands that speak to a running service find it."),
)
"""Name, type, default and meaning."""

CONTROL_VARIABLES = frozenset({*(name for name, *_ in REFERENCE), "WATS_SUPERVISED"})
"""Names that a config cannot use for a secret of its own."""
