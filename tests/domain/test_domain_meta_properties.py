"""Properties of every webhook, also of invented ones: no exception, no loss, stable ids, valid JSON."""

import json
import random
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.event import NewEvent
from app.domain.meta.envelope import meta_envelope
from app.domain.meta.parse import Unreadable
from app.web.examples import CHANGES
from tests.support.envelopes import RECEIVED_AT, change, contact, envelope, events_of, inbound_text, status

TYPE = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+){0,2}", re.ASCII)

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
words = st.sampled_from(
    ["messages", "statuses", "history", "threads", "errors", "contacts", "id", "type", "value", "a"]
)
json_values = st.recursive(
    scalars,
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(words | st.text(max_size=3), inside, max_size=4),
    max_leaves=12,
)
real_changes = st.sampled_from(list(CHANGES.values()))


def places_in(node: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every container with each of its keys."""
    for key, inside in list(node.items() if isinstance(node, dict) else enumerate(node)):
        yield node, key
        if isinstance(inside, dict | list):
            yield from places_in(inside)


@st.composite
def mutated_envelopes(draw: st.DrawFn) -> dict[str, Any]:
    """Draw real changes in one envelope, with some members exchanged, renamed, doubled or removed."""
    body = deepcopy(envelope(*draw(st.lists(real_changes, min_size=1, max_size=4)), time=1764000000))
    for _ in range(draw(st.integers(0, 5))):
        places = list(places_in(body))
        if not places:
            break
        node, key = draw(st.sampled_from(places))
        match draw(st.sampled_from(["exchange", "remove", "rename", "double", "wrap"])):
            case "exchange":
                node[key] = draw(json_values)
            case "remove":
                del node[key]
            case "rename" if isinstance(node, dict):
                node[draw(words)] = node.pop(key)
            case "double" if isinstance(node, list):
                node.append(deepcopy(node[key]))
            case _:
                node[key] = [node[key]]
    return body


def is_fit_for_the_store(event: NewEvent) -> bool:
    columns = (event.waba_id, event.phone_number_id, event.contact.wa_id, event.contact.user_id)
    visible = all(value is None or (re.fullmatch(r"[!-~]{1,200}", value) and value.isascii()) for value in columns)
    json.dumps([event.data, event.raw, vars(event.origin)], allow_nan=False).encode("ascii")
    return visible and bool(TYPE.fullmatch(event.type)) and len(event.type) <= 100


@settings(deadline=None)
@given(st.binary(max_size=200) | json_values.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_split_or_unreadable(body: bytes) -> None:
    with suppress(Unreadable):
        events = events_of(body)
        assert events
        assert all(is_fit_for_the_store(event) for event in events)


@settings(max_examples=400, deadline=None)
@given(mutated_envelopes())
def test_any_envelope_is_split_into_events_fit_for_the_store(body: dict[str, Any]) -> None:
    events = events_of(body)

    assert events
    assert all(is_fit_for_the_store(event) for event in events)


@settings(max_examples=400, deadline=None)
@given(mutated_envelopes())
def test_the_envelope_of_an_event_splits_into_the_same_event(body: dict[str, Any]) -> None:
    for event in events_of(body):
        again = events_of(meta_envelope(event))

        assert len(again) == 1
        [other] = again
        assert (other.type, other.raw, other.data) == (event.type, event.raw, event.data)
        assert (other.contact, other.occurred_at) == (event.contact, event.occurred_at)
        assert (other.waba_id, other.phone_number_id) == (event.waba_id, event.phone_number_id)
        if event.occurred_at != RECEIVED_AT:  # without any time the id depends on the receipt
            assert other.id == event.id


def leaves_of(node: Any) -> Counter[str]:
    """Count every scalar of a tree, as JSON."""
    if isinstance(node, dict | list):
        inside = node.values() if isinstance(node, dict) else node
        return sum((leaves_of(child) for child in inside), Counter())
    return Counter([json.dumps(node)])


def kept_leaves(events: list[NewEvent]) -> Counter[str]:
    return sum((leaves_of([event.raw, vars(event.origin)]) for event in events), Counter())


def items_of(body: dict[str, Any]) -> Any:
    """Return the content of a body that must become events: no contacts, nothing around entries and values."""
    entries = body.get("entry")
    if not isinstance(entries, list) or not entries:
        return body
    return [_values_of(entry) for entry in entries]


def _values_of(entry: Any) -> Any:
    changes = entry.get("changes") if isinstance(entry, dict) else None
    if not isinstance(changes, list) or not changes:
        return entry
    around = {key: value for key, value in entry.items() if key != "changes"}
    return [around, *(_value_of(change) for change in changes)]


def _value_of(changed: Any) -> Any:
    value = changed.get("value", changed) if isinstance(changed, dict) else changed
    return {key: inside for key, inside in value.items() if key != "contacts"} if isinstance(value, dict) else value


@settings(max_examples=400, deadline=None)
@given(mutated_envelopes())
def test_no_content_of_an_envelope_is_lost(body: dict[str, Any]) -> None:
    read = json.loads(json.dumps(body), parse_constant=str)

    assert not leaves_of(items_of(read)) - kept_leaves(events_of(body))


def item_of(rng: random.Random, number: int) -> tuple[str, str, dict[str, Any]]:
    """Return the field, the list and the item of a distinct update."""
    wamid = f"wamid.{number}"
    match rng.randrange(5):
        case 0:
            return "messages", "messages", inbound_text(wamid=wamid)
        case 1:
            return "messages", "statuses", status(rng.choice(["sent", "read"]), wamid=wamid)
        case 2:
            return "messages", "errors", {"code": number}
        case 3:
            preference = {"wa_id": str(49160 + number), "value": "stop", "timestamp": 1764000000 + number}
            return "user_preferences", "user_preferences", preference
        case _:
            return "calls", "calls", {"id": f"wacid.{number}", "event": rng.choice(["connect", "dtmf"])}


def packed(rng: random.Random, items: list[tuple[str, str, dict[str, Any]]]) -> list[NewEvent]:
    """Split the items, grouped into bodies and changes at random."""
    events: list[NewEvent] = []
    shuffled = rng.sample(items, len(items))
    while shuffled:
        size = rng.randint(1, len(shuffled))
        picked, shuffled = shuffled[:size], shuffled[size:]
        lists: dict[str, dict[str, list[Any]]] = {}
        for field, key, item in picked:
            lists.setdefault(field, {}).setdefault(key, []).append(item)
        changes = [change(field, contacts=[contact()], **held) for field, held in lists.items()]
        events += events_of(envelope(*changes, time=1764000000))
    return events


@settings(deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 12))
def test_ids_do_not_depend_on_batches_and_order(rng: random.Random, count: int) -> None:
    items = [item_of(rng, number) for number in range(count)]

    once, again = packed(rng, items), packed(rng, items)

    assert len(once) == count
    assert len({event.id for event in once}) == count
    assert {event.id: event.raw for event in once} == {event.id: event.raw for event in again}
