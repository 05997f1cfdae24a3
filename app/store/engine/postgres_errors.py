"""Why PostgreSQL refuses or is not reached, in our own words: the server's texts name hosts, roles and databases.

A failed connection has no SQLSTATE, so that libpq's and the server's texts are looked at. A server whose messages are
not in English gives a more general reason.
"""

NOTHING_LISTENS = "nothing listens on the host and port of the database; start the server, or correct the URL"
UNKNOWN_HOST = "the host name of the database is unknown; correct the URL, or mend the name service"
NO_ANSWER = "the database server does not answer"
STARTING = "the database server is starting or stopping"
REFUSES_ROLE = "the database server refuses the role or its password; correct the URL, or the server's roles"
PASSWORD_MISSING = "the database server wants a password, and the URL has none"  # noqa: S105 - a reason
NO_ENTRY = "no line of the server's pg_hba.conf lets this role in from here, with or without TLS; add one"
MAY_NOT_CONNECT = "the role may not connect to the database; grant it CONNECT, or correct the URL"
NO_TLS = "TLS with the database server fails; compare sslmode in the URL with what the server offers"
NO_DATABASE = "the database server has no database of this name; create it, or correct the URL"
REFUSES = "the database server refuses the connection; its log says why"
LOCKED = "another transaction holds a lock of the database for too long; pg_locks and pg_stat_activity show which"
NO_SLOT = "the database server has no free connection"
UNKNOWN = "the database does not answer or reported an error"

REASONS = {
    "25006": "the database is read-only",
    "42501": "the role lacks a privilege on the database; make it the owner of the schema",
    "53100": "the disk of the database server is full",
    "53300": NO_SLOT,
    "55P03": LOCKED,
}
"""Reasons by SQLSTATE, for statements. Source: PostgreSQL's manual, appendix A."""

REFUSING_CLASSES = ("22", "23", "54")
"""Classes of SQLSTATE for data that is wrong, that breaks a constraint, or that exceeds a limit of PostgreSQL."""

_TEXTS = (
    (NO_DATABASE, ('FATAL:  database "',)),
    (NO_ENTRY, ("no pg_hba.conf entry",)),
    (PASSWORD_MISSING, ("no password",)),
    (MAY_NOT_CONNECT, ("permission denied for database",)),
    (REFUSES_ROLE, ('FATAL:  role "', "authentication failed", "permission denied")),
    (NO_TLS, ("does not support SSL", "certificate verify failed", "SSL error", "root certificate file")),
    (NO_SLOT, ("too many clients", "too many connections", "connection slots are reserved")),
    (STARTING, ("the database system is",)),
    (REFUSES, ("FATAL:",)),
    (NOTHING_LISTENS, ("Connection refused", "No such file or directory")),
    (UNKNOWN_HOST, ("failed to resolve host", "could not translate host name")),
    (NO_ANSWER, ("timeout expired", "timed out", "No route to host", "unreachable", "server closed the connection")),
)
"""Reasons by what a text contains. With several hosts a text has a failure of each: the most specific is first."""

PASSING = frozenset((NOTHING_LISTENS, UNKNOWN_HOST, NO_ANSWER, STARTING))
"""Reasons that pass by themselves when server and gateway are started together."""


def reason_of(error: BaseException | None) -> str:
    """Return the reason of an exception of the driver."""
    sqlstate = getattr(error, "sqlstate", None)
    if sqlstate is not None:
        return REASONS.get(sqlstate, UNKNOWN)
    text = str(error)
    return next((reason for reason, parts in _TEXTS if any(part in text for part in parts)), UNKNOWN)


def is_refusal(error: BaseException | None) -> bool:
    """Return whether PostgreSQL refuses the data of a statement. The driver's class does not always say so."""
    return str(getattr(error, "sqlstate", None)).startswith(REFUSING_CLASSES)
