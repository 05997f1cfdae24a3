"""A path below `graph` means one call, or is refused."""

import pytest

from app.domain.meta.graph_path import GraphPath, OddPath, graph_path

SEND = GraphPath("123/messages", None, ("123", "messages"))


@pytest.mark.parametrize(
    ("raw", "path", "version"),
    [
        ("/v25.0/123", "123", "v25.0"),
        ("/123", "123", None),
        ("", "", None),
        ("/v25.0/", "", "v25.0"),
        ("/V19.0//123///media/", "123/media", "v19.0"),
        ("/v25.0/123/%6dedia", "123/media", "v25.0"),
        ("/v25/123", "v25/123", None),
        ("/v25.0/v24.0/123", "v24.0/123", "v25.0"),
        ("/v25.0/123/message_qrdls/A-b_C.d~", "123/message_qrdls/A-b_C.d~", "v25.0"),
        ("/me%3Aa%40b,c=d%7Ce+f", "me:a@b,c=d|e+f", None),
        ("/v25.0/123/message_templates", "123/message_templates", "v25.0"),
    ],
)
def test_a_path_is_brought_into_its_plain_form(raw: str, path: str, version: str | None) -> None:
    assert graph_path(raw) == GraphPath(path, version)


@pytest.mark.parametrize(
    "raw", ["/123/messages", "/123//messages/", "/123/Messages", "/%3123/%6DESSAGES", "//123/messages"]
)
def test_a_message_is_recognised_in_every_spelling_that_means_it(raw: str) -> None:
    assert graph_path(raw) == SEND


def test_a_marketing_message_is_recognised_with_its_version() -> None:
    expected = GraphPath("123/marketing_messages", "v25.0", ("123", "marketing_messages"))
    assert graph_path("/v25.0/123/marketing_messages") == expected


@pytest.mark.parametrize(
    "raw",
    [
        "/v25.0/123/./messages",
        "/v25.0/123/../456/messages",
        "/v25.0/123/%2e%2e/messages",
        "/v25.0/123/%2E/media",
        "/v25.0/123/...",
        "/v25.0/123%2Fmessages",
        "/v25.0/123%2fmessages",
        "/v25.0/123%5Cmessages",
        "/v25.0/123\\messages",
        "/v25.0/123/messages;a=b",
        "/v25.0/123/messages%3Ba=b",
        "/v25.0/123/messages%00",
        "/v25.0/123/messages%20",
        "/v25.0/123/messages%3F",
        "/v25.0/123/messages%23",
        "/v25.0/123/messages#",
        "/v25.0/123/%256dessages",
        "/v25.0/123/messages%C2%A0",
        "/v25.0/123/m\u00e9ssages",
        "/v25.0/123/%u006dessages",
        "/v25.0/123/messages%0A",
        "/v25.0/v25.0/123/messages",
        "/v25.0/messages",
        "/v25.0/me/messages",
        "/v25.0/123/messages/456",
        "/v25.0/123/456/messages",
        "/v25.0/123/messages_encrypted",
        "/v25.0/123/Messages_Encrypted/",
        "/v25.0/act_1/async_batch_requests",
        "/v25.0/messages/messages",
        "/v25.0/123/messages.json",
        "/v25.0/123/messages~",
        "/v25.0/123.messages",
        "/v25.0/123/messages_encrypted.json",
    ],
)
def test_no_message_slips_by_under_another_spelling(raw: str) -> None:
    assert isinstance(graph_path(raw), OddPath)


@pytest.mark.parametrize("raw", ["/upload:MTph%2Bb==", "/v25.0/upload:MTph/b-_", "/Upload:MTph"])
def test_a_session_of_an_upload_stays_as_it_is_written(raw: str) -> None:
    found = graph_path(raw)

    assert isinstance(found, GraphPath)
    assert found.path == raw.removeprefix("/v25.0").removeprefix("/")


def test_a_session_whose_colon_is_escaped_is_one() -> None:
    assert graph_path("/upload%3AMTph") == GraphPath("upload:MTph")


@pytest.mark.parametrize(
    "raw",
    [
        "/upload:a/../123/messages",
        "/upload:a%2F..%2F123",
        "/upload:a%252F..%252F123",
        "/upload:a/messages",
        "/upload:a%5Cmessages_encrypted",
        "/upload:a%00",
        "/upload:a#b",
        "/upload:a;method=delete",
        "/upload:a%3Fmethod=delete",
        "/upload:",
        "/upload:a\u00e9",
    ],
)
def test_nothing_hides_in_a_session_of_an_upload(raw: str) -> None:
    assert isinstance(graph_path(raw), OddPath)
