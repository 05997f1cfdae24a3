"""The files that `init` and `setup` write: a config that works in dry-run, and an env file for live mode."""

from collections.abc import Mapping

from app.config.start_options import DATA_DIR

CONFIG_NAME = "wats.config.yaml"
ENV_EXAMPLE_NAME = ".env.example"
ENV_NAME = ".env.local"

WABA_ID, NUMBER_ID = "WATS_WABA_ID", "WATS_PHONE_NUMBER_ID"
DATABASE_URL, DESTINATION_SECRET = "WATS_DATABASE_URL", "WATS_CRM_SECRET"

_CONFIG = """\
# docs/configure.md describes every key. A secret is never in this file: `env` names the variable that holds it.
version: 1
defaultProfile: "{profile}"

profiles:
  {profile}:
    graph: {{ apiVersion: v25.0 }}
    whatsapp:
      wabaId: {waba_id}
      phoneNumberId: {number_id}
    auth: {{ accessToken: {{ env: WATS_ACCESS_TOKEN }} }}
    webhook:
      path: /webhooks/whatsapp
      verifyToken: {{ env: WATS_VERIFY_TOKEN }}
      appSecret: {{ env: WATS_APP_SECRET }}
    service:
      host: 127.0.0.1
      port: {port}
      bearerToken: {{ env: WATS_SERVICE_TOKEN }}
    # By default the database is a SQLite file in ${data_dir}. For PostgreSQL:
    {storage}
    # A destination receives events as HTTP POST requests:
{destinations}
"""
_STORAGE = f"storage: {{ url: {{ env: {DATABASE_URL} }} }}"
_DESTINATIONS = """\
    destinations:
      - {{ name: crm, url: "{url}", secret: {{ env: WATS_CRM_SECRET }} }}"""

ENV_EXAMPLE = """\
# The ids and secrets for live mode; a dry-run needs none of them. Copy this file to .env.local, fill in the values,
# keep the copy private (chmod 600, never in version control), and start with:
#   flask wats serve --live --yes-live --env-file .env.local
# Each NAME can also be given as NAME_FILE, the path of a file that holds the value.

# Meta's dashboard: WhatsApp > API setup
WATS_WABA_ID=
WATS_PHONE_NUMBER_ID=
# The token of a system user with whatsapp_business_messaging and whatsapp_business_management
WATS_ACCESS_TOKEN=
# Meta's dashboard: App settings > Basic > App secret
WATS_APP_SECRET=

# Random tokens of your own; `flask wats webhook token` generates one
WATS_VERIFY_TOKEN=
WATS_SERVICE_TOKEN=
"""


def new_files(profile: str) -> dict[str, str]:
    """Return the texts of the files of a new folder, by name. The ids are read from the environment."""
    config = new_config(profile, waba_id=f"{{ env: {WABA_ID} }}", number_id=f"{{ env: {NUMBER_ID} }}")
    return {CONFIG_NAME: config, ENV_EXAMPLE_NAME: ENV_EXAMPLE}


def new_config(
    profile: str, *, waba_id: str, number_id: str, port: int = 3000, is_postgres: bool = False, url: str | None = None
) -> str:
    """Return a config. `url`: that of its destination. Sections that it lacks are there as comments."""
    destinations = _DESTINATIONS.format(url=url or "http://crm:8080/hooks")
    return _CONFIG.format(
        profile=profile,
        waba_id=waba_id,
        number_id=number_id,
        port=port,
        data_dir=DATA_DIR.variable,
        storage=_STORAGE if is_postgres else f"# {_STORAGE}",
        destinations=destinations if url else destinations.replace("    ", "    # ", 1).replace("\n    ", "\n    # "),
    )


def new_env_file(secrets: Mapping[str, str]) -> str:
    """Return the text of an env file with these secrets."""
    lines = [f"{name}={_quoted(value)}" for name, value in secrets.items()]
    return "\n".join(["# Private: what is in here opens the account. Never in version control.", *lines, ""])


def _quoted(value: str) -> str:
    quote = "'" if '"' in value else '"'
    return f"{quote}{value}{quote}"
