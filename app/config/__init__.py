"""The configuration: config file, flags, environment and secrets, read once into frozen settings.

The only package that reads the environment or YAML. It never prints a secret's value.
"""

from app.config.api_access import MODE_HEADER, ApiAccess, Token, api_access, listen_secret
from app.config.errors import ConfigError, ConfigProblem
from app.config.explain import Explained
from app.config.load import (
    Checked,
    check_config,
    child_environment,
    client_settings,
    dry_run_settings,
    explain_config,
    explain_settings,
    load_settings,
    secret_variables,
    webhook_signing,
)
from app.config.owner import owner_of
from app.config.schema.urls import without_query
from app.config.settings import Destination, Mode, Scope, Secret, ServiceToken, Settings, WebhookSigning
from app.config.start.environment import start_environment
from app.config.start.values import Flags

__all__ = [
    "MODE_HEADER",
    "ApiAccess",
    "Checked",
    "ConfigError",
    "ConfigProblem",
    "Destination",
    "Explained",
    "Flags",
    "Mode",
    "Scope",
    "Secret",
    "ServiceToken",
    "Settings",
    "Token",
    "WebhookSigning",
    "api_access",
    "check_config",
    "child_environment",
    "client_settings",
    "dry_run_settings",
    "explain_config",
    "explain_settings",
    "listen_secret",
    "load_settings",
    "owner_of",
    "secret_variables",
    "start_environment",
    "webhook_signing",
    "without_query",
]
