"""The fake Meta, called in process."""

import pytest

from tests.support.fake_meta import CalledMeta


@pytest.fixture
def meta() -> CalledMeta:
    return CalledMeta()
