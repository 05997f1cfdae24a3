"""A live profile, with a value for each of its secrets."""

from pathlib import Path

PROFILE = """
version: 1
defaultProfile: test
profiles:
  test:
    whatsapp: { wabaId: "1234567890", phoneNumberId: "9876543210" }
    auth: { accessToken: { env: TEST_ACCESS_TOKEN } }
    webhook:
      verifyToken: { env: TEST_VERIFY_TOKEN }
      appSecret: { env: TEST_APP_SECRET, previous: { env: TEST_OLD_APP_SECRET } }
      maxBodyBytes: 4194304
    service:
      bearerToken: { env: TEST_SERVICE_TOKEN }
      tokens:
        - { name: reader, token: { env: TEST_READER_TOKEN }, scopes: [read] }
"""
CONFIG = PROFILE.replace("    auth:", '    graph: { baseUrl: "http://127.0.0.1:9" }\n    auth:')
"""With a Meta that refuses every connection: a worker asks it about the access token."""

LIVE_ENVIRONMENT = {
    "TEST_ACCESS_TOKEN": "access-token-4b1f0c2f9a7d4e55",
    "TEST_VERIFY_TOKEN": "verify-token-7c0e41d3b8a94f10",
    "TEST_APP_SECRET": "app-secret-0d9c5a1be2f34c77a9",
    "TEST_OLD_APP_SECRET": "old-app-secret-6f1f4a8be29c4d",
    "TEST_SERVICE_TOKEN": "service-token-e17f3ac05b6d4c2",
    "TEST_READER_TOKEN": "reader-token-a8412c9df07b4e3a",
}


def write_config(folder: Path, text: str = CONFIG) -> Path:
    """Write the config to a file in this folder; return its path."""
    path = folder / "wats.config.yaml"
    path.write_text(text)
    return path
