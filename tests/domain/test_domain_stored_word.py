"""A word that only newer code knows is read as it stands."""

import pytest

from app.domain.message import MessageStatus, later_status


def test_a_word_of_newer_code_is_kept_and_is_none_of_ours() -> None:
    newer = MessageStatus("pondering")

    assert (newer, newer.value, newer.is_known) == ("pondering", "pondering", False)
    assert newer not in list(MessageStatus)
    assert MessageStatus.SENT.is_known
    assert later_status(newer, MessageStatus.QUEUED) is MessageStatus.QUEUED


def test_what_is_no_word_is_refused() -> None:
    with pytest.raises(ValueError, match="7"):
        MessageStatus(7)
