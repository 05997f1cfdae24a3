"""Starts for the tests: a profile that uses everything, and an environment that supplies it."""

from pathlib import Path

from app.config import ConfigError, Flags, Settings, load_settings

CONFIG = """
version: 1
profiles:
  main:
    whatsapp: { wabaId: { env: WABA_ID }, phoneNumberIds: [{ env: FIRST_NUMBER }, "9876543210"] }
    auth: { accessToken: { env: ACCESS_TOKEN } }
    webhook:
      verifyToken: { env: VERIFY_TOKEN }
      appSecret: { env: APP_SECRET, previous: { env: OLD_APP_SECRET } }
    service:
      bearerToken: { env: SERVICE_TOKEN }
      tokens:
        - { name: reader, token: { env: READER_TOKEN }, scopes: [read] }
        - { name: sender, token: { env: SENDER_TOKEN }, scopes: [send] }
    storage: { url: { env: DATABASE_URL } }
    destinations:
      - name: crm
        url: "http://crm:8080/hooks?key=planted-query"
        secret: { env: CRM_SECRET, previous: { env: OLD_CRM_SECRET } }
        headers: { Authorization: { env: CRM_HEADER }, X-Kind: plain }
      - { name: here, url: "http://127.0.0.1:9000", secret: { env: HERE_SECRET } }
"""

SECRETS = {
    "WABA_ID": "1234567890",
    "FIRST_NUMBER": "5550001111",
    "ACCESS_TOKEN": "planted-access-token",
    "VERIFY_TOKEN": "planted-verify-token",
    "APP_SECRET": "planted-app-secret-1",
    "OLD_APP_SECRET": "planted-app-secret-0",
    "SERVICE_TOKEN": "planted-service-token",
    "READER_TOKEN": "planted-reader-token",
    "SENDER_TOKEN": "planted-sender-token",
    "DATABASE_URL": "postgres://u:planted@db/wats",
    "CRM_SECRET": "planted-crm-secret-1",
    "OLD_CRM_SECRET": "planted-crm-secret-0",
    "CRM_HEADER": "Bearer planted-crm",
    "HERE_SECRET": "planted-here-secret",
}
LIVE = {"WATS_MODE": "live", "WATS_YES_LIVE": "1"}
DRY_RUN = {"WATS_MODE": "dry-run"}


def config_in(folder: Path, text: str = CONFIG) -> Path:
    """The config as a file in this folder."""
    path = folder / "wats.config.yaml"
    path.write_text(text)
    return path


def start(folder: Path, environ: dict[str, str], **flags: object) -> Settings:
    """The settings of a start with this environment, its data in this folder."""
    return load_settings(
        Flags(config=config_in(folder), **flags),  # type: ignore[arg-type]
        {"WATS_DATA_DIR": str(folder / "data"), **environ},
    )


def refusals(folder: Path, environ: dict[str, str], **flags: object) -> dict[str, str]:
    """What a start is refused for: code by path."""
    try:
        start(folder, environ, **flags)
    except ConfigError as error:
        return {problem.path: problem.code for problem in error.problems}
    return {}
