"""Addresses and URLs: what is called, what is never called, and in which spellings."""

from pathlib import Path

import pytest

from app.config.errors import InvalidValue
from app.config.hosts import is_host, is_loopback
from app.config.schema.databases import STORAGE_URL, database_url, is_same_database, path_in, sqlite_url
from app.config.schema.urls import BASE_URL, DESTINATION_URL, is_loopback_url
from app.store.engine.sqlite import path_of

FORBIDDEN = [
    *("169.254.169.254", "169.254.169.254.", "2852039166", "0xa9fea9fe", "0XA9FEA9FE", "025177524776"),
    *("169.254.43518", "0xa9.0xfe.0xa9.0xfe", "0251.0376.0251.0376", "169.16689662"),
    *("[::ffff:169.254.169.254]", "[::ffff:a9fe:a9fe]", "[::169.254.169.254]", "[64:ff9b::a9fe:a9fe]"),
    *("[2002:a9fe:a9fe::1]", "[fe80::1]", "[fe80::1%25eth0]", "0.0.0.0", "0", "[::]", "0.1.2.3"),
    *("224.0.0.1", "[ff02::1]", "255.255.255.255", "240.0.0.1", "[fd00:ec2::254]", "[fd20:ce::254]"),
    *("100.100.100.200", "192.0.0.192", "168.63.129.16", "0x646464c8"),
    *("metadata.google.internal", "Metadata.Google.Internal.", "metadata.goog"),
]


@pytest.mark.parametrize("host", FORBIDDEN)
def test_an_address_that_is_never_connected_is_refused_in_every_spelling(host: str):
    with pytest.raises(InvalidValue) as caught:
        DESTINATION_URL.read(f"http://{host}:8080/hook")

    assert caught.value.code == "forbidden_address"


CALLED = [
    *(
        "http://crm:8080/hooks",
        "https://hooks.example.com/a?key=1",
        "http://127.0.0.1:9",
        "http://[::1]:80/",
        "http://10.0.0.7",
    ),
    *("http://my_service/", "http://xn--bcher-kva.example", "https://crm.example.com./x", "http://[fd00::7]/"),
]


@pytest.mark.parametrize("url", CALLED)
def test_an_ordinary_destination_is_accepted_unchanged(url: str):
    assert DESTINATION_URL.read(url) == url


STRANGE = [
    *(
        "http://a b/",
        "http:///x",
        "http://crm:0/",
        "http://crm:99999/",
        "http://crm/#x",
        "http://crm/#",
        "http://crm\\x/",
    ),
    *("http://b\u00fccher.example/", "http://\uff11\uff16\uff19.254.169.254/", "http://%31%36%39.254.169.254/"),
    *("http://2130706433/", "http://127.1/", "http://-a/", "http://a..b/", "ws://crm/", "crm", ""),
]


@pytest.mark.parametrize("url", STRANGE)
def test_a_strange_destination_is_refused(url: str):
    with pytest.raises(InvalidValue):
        DESTINATION_URL.read(url)


def test_a_base_url_may_have_a_path_and_loses_its_last_slash():
    assert BASE_URL.read("https://proxy.example.com/graph/") == "https://proxy.example.com/graph"
    assert BASE_URL.read("http://127.0.0.1:9999") == "http://127.0.0.1:9999"


@pytest.mark.parametrize("host", ["localhost", "::1", "0.0.0.0", "gateway", "a-b.example.com", "xn--a", "my_host"])
def test_a_host_is_a_name_or_an_address(host: str):
    assert is_host(host)


def test_loopback_is_only_what_never_leaves_this_machine():
    assert all(is_loopback(host) for host in ("127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost", "crm.localhost"))
    assert not any(
        is_loopback(host) for host in ("0.0.0.0", "10.0.0.1", "localhost.example.com", "127.0.0.1.nip.io", "::")
    )
    assert is_loopback_url("http://[::1]:9/x")
    assert not is_loopback_url("http://127.0.0.1@crm/")


@pytest.mark.parametrize(
    "url", ["sqlite:///x.db", "sqlite:////abs/x.db", "postgres://h/db", "postgresql://u@h:5432/db"]
)
def test_a_database_url_without_a_password_is_accepted_in_the_config(url: str):
    assert STORAGE_URL.read(url) == url


def test_a_database_url_is_returned_in_sqlalchemys_form():
    assert database_url("postgres://u:p@h/db") == "postgresql+psycopg://u:p@h/db"
    assert database_url("SQLite:///x.db") == f"sqlite:///{Path('x.db').absolute()}"
    with pytest.raises(InvalidValue):
        database_url("postgres://u:p@h/db\n")


@pytest.mark.parametrize("folder", ["what?", "100%", "a%3Fb", "a%20b", "a#b", "a b", "a@b:c", "%s%(x)s", "ü"])
def test_a_path_is_the_same_in_a_url_and_in_the_store(folder: str):
    path = Path("/srv") / folder / "wats.sqlite3"

    url = sqlite_url(path)

    assert path_in(url) == path_of(url) == path
    assert database_url(url) == url


def test_a_literal_url_quotes_what_means_something_in_a_url():
    assert path_in(database_url("sqlite:////srv/a%3Fb/100%25/x%20y.db")) == Path("/srv/a?b/100%/x y.db")


SAME = [
    ("sqlite:////srv/a%20b", "sqlite:////srv/a b", True),
    ("sqlite:////srv/a%3Fb/x", "sqlite:////srv/a%3Fc/x", False),
    ("postgres://u:p@H/db", "postgresql://v@h:5432/db?sslmode=require", True),
    ("postgres://h/db", "postgres:///?host=h&dbname=db", True),
    ("postgres://h/db", "postgres://h/other", False),
    ("postgres://h/db", "postgres://h:6432/db", False),
    ("sqlite:///a/../x.db", "sqlite:///x.db", True),
    ("sqlite:///x.db", "sqlite:///y.db", False),
    ("sqlite:///x.db", "postgres://h/x.db", False),
]


@pytest.mark.parametrize(("one", "other", "is_same"), SAME)
def test_the_same_database_is_recognised_whatever_the_user(one: str, other: str, is_same: bool):
    assert is_same_database(database_url(one), database_url(other)) == is_same
