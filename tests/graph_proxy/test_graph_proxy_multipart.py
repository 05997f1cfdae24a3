"""Multipart bodies of SDKs pass; one in which another reader might find other parts does not."""

import httpx
import pytest
from requests import Request as Requested
from urllib3.filepost import encode_multipart_formdata
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from app.domain.meta.graph_path import GraphPath
from app.graph_proxy.bodies import Body, checked_body
from app.graph_proxy.multipart import Malformed, PartNames
from app.web.errors import ApiError

FILE = ("a.png", b"\x89PNG\r\n--\r\n", "image/png")


def part(disposition: str, more: str = "") -> bytes:
    return f"--b\r\nContent-Disposition: {disposition}\r\n{more}\r\nx\r\n--b--\r\n".encode()


def names_of(body: bytes, boundary: str = "b", size: int = 1) -> list[str]:
    names = PartNames(boundary.encode())
    found = [name for at in range(0, len(body), size) for name in names.feed(body[at : at + size])]
    names.finish()
    return found


def checked(kind: str, body: bytes) -> Body:
    request = Request(EnvironBuilder(method="POST", data=body, content_type=kind).get_environ())
    return checked_body(request, GraphPath("1/media"))


def test_the_names_of_parts_are_found_wherever_the_body_is_cut() -> None:
    data = b"\r\n--\r\n-" * 50
    parts = [part(f'form-data; name="{name}"').replace(b"x\r\n--b--", data) for name in ("a", "b b")]
    body = b"\r\n".join([*parts, b"--b--\r\n"])

    for at in range(len(body)):
        names = PartNames(b"b")
        found = names.feed(body[:at]) + names.feed(body[at:])
        names.finish()
        assert found == ["a", "b b"]


def test_bodies_of_sdks_pass() -> None:
    fields = {"messaging_product": "whatsapp", "type": "image/png"}
    by_httpx = httpx.Request("POST", "http://x", data=fields, files={"file": FILE})
    by_requests = Requested("POST", "http://x", data=fields, files={"file": FILE}).prepare()
    by_urllib3, kind = encode_multipart_formdata({**fields, "file": FILE})

    bodies = [
        (by_httpx.headers["content-type"], by_httpx.read()),
        (by_requests.headers["content-type"], by_requests.body),
        (kind, by_urllib3),
    ]

    for content_type, body in bodies:
        passed = checked(content_type, body)
        assert b"".join(passed.content) == body
        assert (passed.kind, passed.length) == (content_type, len(body))


@pytest.mark.parametrize(
    "boundary",
    ["----formdata-undici-012345678901", "axios-1.7.2-boundary-a_B", "----WebKitFormBoundaryAb1", '"0f1e-4a"'],
)
def test_boundaries_of_sdks_pass(boundary: str) -> None:
    plain = boundary.strip('"')
    body = part('form-data; name="a"').replace(b"--b", f"--{plain}".encode())

    passed = checked(f"multipart/form-data; boundary={boundary}", body)

    assert b"".join(passed.content) == body
    assert passed.kind == f"multipart/form-data; boundary={plain}"


@pytest.mark.parametrize(
    "disposition",
    [
        'form-data; name="a"; filename="x\u00e4 it\'s.png"',
        "form-data; name=a; filename=x.png; filename*=utf-8''x%20.png",
        'form-data; name="a"; filename="x"; filename*=UTF-8\'en\'x',
    ],
)
def test_dispositions_of_sdks_pass(disposition: str) -> None:
    more = "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 1\r\nContent-Transfer-Encoding: binary\r\n"

    assert names_of(part(disposition, more)) == ["a"]
    assert names_of(b"\r\n" + part(disposition)) == ["a"]


@pytest.mark.parametrize(
    "body",
    [
        part("form-data; name='a'"),
        part('form-data; name="a\'b"'),
        part('form-data; name="a\\""'),
        part('form-data; name="a"\rx; name="method"'),
        part('form-data; name="a"\r\rx; name="method"'),
        part('form-data; name="a"\nContent-Type: a/b'),
        part('form-data; name="a"\r\n ; name="method"'),
        part('form-data; name="a"; name="method"'),
        part('form-data; filename="a"; name="method"'),
        part('form-data; name=""'),
        part("form-data"),
        part('attachment; name="a"'),
        part('form-data; name="a"', 'Content-Disposition: form-data; name="b"\r\n'),
        part('form-data; name="a"', "X-Other: 1\r\n"),
        part('form-data; name="a"', "Content-Transfer-Encoding: base64\r\n"),
        part('form-data; name="a"', "x" * 9000),
        part('form-data; name="a"').replace(b"--b\r\n", b"--b \r\n"),
        part('form-data; name="a"').replace(b"x\r\n--b", b"x\n--b"),
        part('form-data; name="a"').replace(b"x\r\n--b", b"x\r--b"),
        part('form-data; name="a"') + b"--b\r\n",
        part('form-data; name="a"').removesuffix(b"--\r\n"),
        b"before" + part('form-data; name="a"'),
        b"x" * 100,
        part('form-data; name="a"').removesuffix(b"--b--\r\n") * 101 + b"--b--",
        b"",
    ],
)
@pytest.mark.parametrize("size", [1, 100_000])
def test_what_another_reader_may_read_otherwise_is_refused(body: bytes, size: int) -> None:
    with pytest.raises(Malformed):
        names_of(body, size=size)


@pytest.mark.parametrize(
    "more", ["boundary=a,b", "boundary='b'", "boundary=b; boundary=c", "x=y; boundary=b", "", "boundary=b; charset=x"]
)
def test_a_content_type_that_may_be_read_in_two_ways_is_refused(more: str) -> None:
    with pytest.raises(ApiError):
        checked(f"multipart/form-data; {more}", part('form-data; name="a"'))
