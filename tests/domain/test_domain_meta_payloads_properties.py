"""Properties of every body, also of hostile ones: no exception, short reasons, JSON that can be stored."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.meta.payloads.check import MAX_PROBLEMS, Payload, PayloadProblem, check_payload
from tests.support.payload_samples import DIRECT_SENDS, SAMPLES
from tests.support.payloads import problems_of, text

EVERY_SAMPLE = [*SAMPLES.values(), *DIRECT_SENDS.values()]
KEYS = sorted({key for sample in EVERY_SAMPLE for key in json.dumps(sample).split('"')[1::2] if key.isidentifier()})

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=10**39, max_value=10**5000)
    | st.floats()
    | st.text(st.characters(codec=None, exclude_categories=()), max_size=6)
    | st.sampled_from(KEYS)
)
json_values = st.recursive(
    scalars,
    lambda inside: (
        st.lists(inside, max_size=3) | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=3), inside)
    ),
    max_leaves=10,
)


def places_in(node: Any) -> list[tuple[Any, Any]]:
    """Return every container with each of its keys."""
    found = []
    for key, inside in list(node.items() if isinstance(node, dict) else enumerate(node)):
        found.append((node, key))
        if isinstance(inside, dict | list):
            found += places_in(inside)
    return found


@st.composite
def mutated_samples(draw: st.DrawFn) -> Any:
    """Draw a sample with some members exchanged, removed, renamed or doubled."""
    body = json.loads(json.dumps(draw(st.sampled_from(EVERY_SAMPLE))))
    for _ in range(draw(st.integers(0, 4))):
        places = places_in(body)
        if not places:
            break
        node, key = draw(st.sampled_from(places))
        match draw(st.sampled_from(["exchange", "remove", "rename", "double"])):
            case "exchange":
                node[key] = draw(json_values)
            case "remove":
                del node[key]
            case "rename" if isinstance(node, dict):
                node[draw(st.sampled_from(KEYS))] = node.pop(key)
            case "double" if isinstance(node, list):
                node.append(node[key])
    return body


def is_storable(body: Any) -> bool:
    written = json.dumps(body, allow_nan=False, ensure_ascii=False)
    return "\\u0000" not in written and bool(written.encode("utf-8"))


@given(mutated_samples() | json_values, st.sampled_from(["messages", "marketing_messages"]), st.booleans())
def test_every_body_is_accepted_or_refused_with_reasons(body: Any, endpoint: Any, as_sent_to_meta: bool) -> None:
    checked = check_payload(body, endpoint=endpoint, as_sent_to_meta=as_sent_to_meta)

    if isinstance(checked, Payload):
        assert is_storable([checked.body, checked.to, checked.recipient, checked.kind, checked.tracker])
        assert all(warning.isprintable() for warning in checked.warnings)
    else:
        assert 0 < len(checked) <= MAX_PROBLEMS
        assert all(is_readable(problem) for problem in checked)


def is_readable(problem: PayloadProblem) -> bool:
    told = f"{problem.pointer} {problem.message} {problem.hint}"
    return told.isprintable() and len(told) < 4000 and (not problem.pointer or problem.pointer.startswith("/"))


def nested(depth: int, inner: Any = 1) -> Any:
    for _ in range(depth):
        inner = {"a": [inner]}
    return inner


@pytest.mark.parametrize("as_sent_to_meta", [True, False])
@pytest.mark.parametrize(
    "hostile",
    [
        pytest.param(lambda: nested(40_000), id="deep"),
        pytest.param(lambda: [{}] * 300_000, id="long"),
        pytest.param(lambda: {f"key{number}": {} for number in range(100_000)}, id="wide"),
        pytest.param(lambda: "x" * 1_000_000, id="long text"),
        pytest.param(lambda: 10**5000, id="huge number"),
        pytest.param(lambda: {"x" * 1_000_000: 1}, id="long key"),
    ],
)
@pytest.mark.parametrize("sample", ["text", "interactive carousel", "template media cards", "contacts"])
def test_a_hostile_value_in_any_place_is_refused(
    sample: str, hostile: Callable[[], Any], as_sent_to_meta: bool
) -> None:
    body, value = SAMPLES[sample], hostile()
    kind = body["type"]

    for hostile_body in ({**body, kind: value}, {**body, "type": value}, {**body, "to": value}):
        assert all(is_readable(problem) for problem in problems_of(hostile_body, as_sent_to_meta=as_sent_to_meta))


@pytest.mark.parametrize(
    ("value", "pointer"),
    [
        ({"body": "a\x00b"}, "/text/body"),
        ({"body": "a\ud800b"}, "/text/body"),
        ({"body": "hi", "a": [{"b": ["\udfff"]}]}, "/text/a/0/b/0"),
        ({"body": "hi", "a": float("nan")}, "/text/a"),
        ({"body": "hi", "a": [float("-inf")]}, "/text/a/0"),
        ({"body": "hi", "a\x00": 1}, "/text/a\\x00"),
        ({"body": "hi", "a": 10**40}, "/text/a"),
        ({"body": "hi", "a": nested(16)}, "/text/a" + "/a/0" * 15),
    ],
)
def test_what_cannot_be_stored_is_refused_wherever_it_stands(value: Any, pointer: str) -> None:
    problems = problems_of({**text(), "text": value}, as_sent_to_meta=True)

    assert [problem.pointer for problem in problems] == [pointer]


def test_what_can_be_stored_is_left_to_meta() -> None:
    value = {"body": "hi", "a": [nested(14), 10**39, "\u2028"]}

    assert isinstance(check_payload({**text(), "text": value}, as_sent_to_meta=True), Payload)
