"""Each way in which PostgreSQL refuses or is not reached has its reason, which names neither host nor role."""

import pytest

from app.store.engine.postgres_errors import (
    MAY_NOT_CONNECT,
    NO_ANSWER,
    NO_DATABASE,
    NO_ENTRY,
    NO_SLOT,
    NO_TLS,
    NOTHING_LISTENS,
    PASSWORD_MISSING,
    REFUSES,
    REFUSES_ROLE,
    STARTING,
    UNKNOWN,
    UNKNOWN_HOST,
    reason_of,
)

AT = 'connection failed: connection to server at "10.0.0.1", port 5432 failed: '


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (AT + 'FATAL:  database "wats" does not exist', NO_DATABASE),
        (AT + 'FATAL:  role "wats" does not exist', REFUSES_ROLE),
        (AT + 'FATAL:  role "wats" is not permitted to log in', REFUSES_ROLE),
        (AT + 'FATAL:  password authentication failed for user "wats"', REFUSES_ROLE),
        (AT + 'FATAL:  no pg_hba.conf entry for host "10.0.0.2", user "wats", database "wats"', NO_ENTRY),
        (AT + "fe_sendauth: no password supplied", PASSWORD_MISSING),
        (AT + 'FATAL:  permission denied for database "wats"', MAY_NOT_CONNECT),
        (AT + "server does not support SSL, but SSL was required", NO_TLS),
        (AT + "SSL error: certificate verify failed", NO_TLS),
        ('root certificate file "/root/.postgresql/root.crt" does not exist', NO_TLS),
        (AT + "FATAL:  sorry, too many clients already", NO_SLOT),
        (AT + "FATAL:  the database system is starting up", STARTING),
        (AT + "FATAL:  Passwort-Authentifizierung fehlgeschlagen", REFUSES),
        (AT + "Connection refused\n\tIs the server running on that host?", NOTHING_LISTENS),
        ('connection to server on socket "/run/.s.PGSQL.5432" failed: No such file or directory', NOTHING_LISTENS),
        ("failed to resolve host 'db': [Errno -2] Name or service not known", UNKNOWN_HOST),
        ("connection timeout expired", NO_ANSWER),
        (AT + 'Connection refused\n… failed: FATAL:  role "wats" does not exist', REFUSES_ROLE),
        ("something else", UNKNOWN),
    ],
)
def test_a_text_of_the_driver_has_its_reason(text: str, reason: str) -> None:
    assert reason_of(Exception(text)) == reason


def test_an_error_of_a_statement_goes_by_its_code() -> None:
    class DiskFull(Exception):
        sqlstate = "53100"

    assert reason_of(DiskFull('FATAL:  role "x"')) == "the disk of the database server is full"
