"""A first config and its env file, for whoever begins."""

CONFIG_NAME = "wats.config.yaml"
ENV_EXAMPLE_NAME = ".env.example"

_CONFIG = """\
# docs/configure.md tells every key. Secrets stand in the environment; this file only names their variables.
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
    # The default is a SQLite file in WATS_DATA_DIR; for PostgreSQL:
    # storage: {{ url: {{ env: WATS_DATABASE_URL }} }}
    # Where events are pushed:
    # destinations:
    #   - {{ name: crm, url: "http://crm:8080/hooks", secret: {{ env: WATS_CRM_SECRET }} }}
"""

ENV_EXAMPLE = """\
# What live mode needs. A dry-run needs none of it. Copy this file, fill the copy in, keep it out of version control
# (chmod 600), and name it at the start: flask wats serve --live --yes-live --env-file .env.local
# Each NAME can also be given as NAME_FILE, a path to a file with the value.

# From Meta's dashboard: WhatsApp > API setup
WATS_WABA_ID=
WATS_PHONE_NUMBER_ID=
# A system user's token with whatsapp_business_messaging and whatsapp_business_management
WATS_ACCESS_TOKEN=
# App settings > Basic > App secret
WATS_APP_SECRET=

# Yours to choose; `flask wats webhook token` prints a good one
WATS_VERIFY_TOKEN=
WATS_SERVICE_TOKEN=
"""


def new_files(profile: str) -> dict[str, str]:
    """The files of a new folder, by name."""
    return {CONFIG_NAME: _CONFIG.format(profile=profile), ENV_EXAMPLE_NAME: ENV_EXAMPLE}
