"""The files that `init` writes: a config that works in dry-run, and an example of the env file for live mode."""

from app.config.start_options import DATA_DIR

CONFIG_NAME = "wats.config.yaml"
ENV_EXAMPLE_NAME = ".env.example"

_CONFIG = """\
# docs/configure.md describes every key. A secret is never in this file: `env` names the variable that holds it.
version: 1
defaultProfile: "{profile}"

profiles:
  {profile}:
    graph: {{ apiVersion: v25.0 }}
    whatsapp:
      wabaId: {{ env: WATS_WABA_ID }}
      phoneNumberId: {{ env: WATS_PHONE_NUMBER_ID }}
    auth: {{ accessToken: {{ env: WATS_ACCESS_TOKEN }} }}
    webhook:
      path: /webhooks/whatsapp
      verifyToken: {{ env: WATS_VERIFY_TOKEN }}
      appSecret: {{ env: WATS_APP_SECRET }}
    service:
      host: 127.0.0.1
      port: 3000
      bearerToken: {{ env: WATS_SERVICE_TOKEN }}
    # By default the database is a SQLite file in ${data_dir}. For PostgreSQL:
    # storage: {{ url: {{ env: WATS_DATABASE_URL }} }}
    # A destination receives events as HTTP POST requests:
    # destinations:
    #   - {{ name: crm, url: "http://crm:8080/hooks", secret: {{ env: WATS_CRM_SECRET }} }}
"""

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
    """Return the texts of the files of a new folder, by name."""
    return {CONFIG_NAME: _CONFIG.format(profile=profile, data_dir=DATA_DIR.variable), ENV_EXAMPLE_NAME: ENV_EXAMPLE}
