"""What the code logs is printed, and docs/monitor.md names the lines that an operator should know."""

import ast
import json
import logging
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.log import FIELDS, JsonFormatter
from app.store import StoreUnavailable

ROOT = Path(__file__).parent.parent.parent
LOGS = (ROOT / "docs" / "monitor.md").read_text().partition("## Logs\n")[2].partition("\n## ")[0]
METHODS = {"debug", "info", "warning", "error", "exception", "critical", "log"}
ODD = METHODS - {"debug", "info"}
WITHOUT_RECORD = {
    "http.request",
    "worker.stalled",
    "worker.stop_overdue",
}  # the access log and the watchdog write them


def modules() -> list[tuple[str, ast.Module]]:
    files = [*sorted((ROOT / "app").rglob("*.py")), ROOT / "gunicorn.conf.py", ROOT / "wsgi.py"]
    return [(str(file.relative_to(ROOT)), ast.parse(file.read_text())) for file in files]


def log_calls(tree: ast.AST) -> Iterator[tuple[ast.AST, ast.Call]]:
    """Every call of a method of `log`, with the function that it stands in."""
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    for function in functions:
        for node in ast.walk(function):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name(id="log"), attr=method)) if method in METHODS:
                    yield function, node


def event_of(call: ast.Call) -> str:
    [event] = [each.value for each in call.args if isinstance(each, ast.Constant)]
    assert isinstance(event, str)
    return event


def keys_of(extra: ast.expr, function: ast.AST) -> Iterator[str]:
    """The keys of a dict display, also of one that the function has given a name."""
    if isinstance(extra, ast.Name):
        [extra] = [
            node.value
            for node in ast.walk(function)
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == extra.id
        ]
    assert isinstance(extra, ast.Dict), f"line {extra.lineno}: give the log a dict whose keys can be read here"
    for key, value in zip(extra.keys, extra.values, strict=True):
        if key is None:
            yield from keys_of(value, function)
        else:
            yield ast.literal_eval(key)


Logged = list[tuple[str, ast.AST, ast.Call]]


@pytest.fixture(scope="module")
def logged() -> Logged:
    """Every call of a log, with its place and its function."""
    return [
        (f"{file}:{call.lineno}", function, call) for file, tree in modules() for function, call in log_calls(tree)
    ]


def test_every_key_that_is_logged_is_printed(logged: Logged) -> None:
    given = {
        key: place
        for place, function, call in logged
        for keyword in call.keywords
        if keyword.arg == "extra"
        for key in keys_of(keyword.value, function)
    }

    assert {key: place for key, place in given.items() if key not in FIELDS} == {}
    assert [field for field in FIELDS if field not in given] == []


def test_no_field_has_a_name_that_a_record_needs_itself() -> None:
    record = logging.LogRecord("app", logging.INFO, __file__, 1, "event", None, None)

    assert set(FIELDS) & {*vars(record), "message", "asctime"} == set()


def test_every_event_in_the_operators_guide_is_logged(logged: Logged) -> None:
    events = {event_of(call) for _, _, call in logged}
    families = "|".join({event.partition(".")[0] for event in events})

    named = set(re.findall(rf"`((?:{families})\.[a-z_]+)`", LOGS))

    assert named - events == WITHOUT_RECORD


def test_every_warning_and_error_stands_in_the_operators_guide(logged: Logged) -> None:
    missing = {
        event_of(call): place
        for place, _, call in logged
        if isinstance(call.func, ast.Attribute) and call.func.attr in ODD and f"`{event_of(call)}`" not in LOGS
    }

    assert missing == {}


def test_a_state_change_is_logged_after_its_commit(logged: Logged) -> None:
    """A function that gets a connection runs inside a transaction, which may still be rolled back or run again."""
    inside = [
        place
        for place, function, _ in logged
        if isinstance(function, ast.FunctionDef) and "connection" in [argument.arg for argument in function.args.args]
    ]

    assert inside == []


def line_of(secrets: list[str], text: str, **extra: object) -> dict[str, object]:
    try:
        raise StoreUnavailable(text)
    except StoreUnavailable:
        record = logging.getLogger("app.test").makeRecord(
            "app.test", logging.ERROR, __file__, 1, "test.failed", (), sys.exc_info(), extra=extra
        )
    line: dict[str, object] = json.loads(JsonFormatter(secrets).format(record))
    return line


def test_a_line_has_its_fields_in_camel_case_and_no_others() -> None:
    line = line_of([], "odd", delivery_id="dlv_1", last_error="HTTP 500", unlisted="x", job_id=None)

    assert (line["event"], line["deliveryId"], line["lastError"]) == ("test.failed", "dlv_1", "HTTP 500")
    assert set(line) == {"time", "level", "logger", "event", "deliveryId", "lastError", "trace"}


@pytest.mark.parametrize("text", ["it is s3cr3t-token", "GET /hooks?hub.verify_token=s3cr3t-token HTTP/1.1"])
def test_a_line_and_its_trace_hold_no_secret(text: str) -> None:
    line = line_of(["s3cr3t-token"], text, reason=text)

    assert "s3cr3t" not in json.dumps(line)
