"""The house tests read files, and start what other tests cover. To measure them takes four times as long."""

import pytest


@pytest.fixture(scope="module", autouse=True)
def not_measured(unmeasured: None) -> None:
    """Run every module without coverage."""
