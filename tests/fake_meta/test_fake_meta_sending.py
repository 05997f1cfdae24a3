"""What the fake Meta answers to a send, and which statuses follow."""

import json

import pytest

from app.graph.fake.ids import INCOMING, OUTGOING, marker_of, wamid
from app.graph.fake.scripts import set_script
from app.graph.fake.switches import Switches
from app.graph.fake.webhooks import shaped
from app.graph.fake.wire import Answer
from tests.support.envelopes import NUMBER
from tests.support.fake_meta import CalledMeta, error_of, message

META_S_SAMPLE = "wamid.HBgLMTY1MDUwNzY1MjAVAgARGBI5QTNDQTVCM0Q0Q0Q2RTY3RTcA"


def id_of(answer: Answer) -> str:
    return str(json.loads(answer.body)["messages"][0]["id"])


def names(meta: CalledMeta) -> list[str]:
    return [status["status"] for _, status in meta.statuses]


def test_a_wamid_is_made_as_metas_own_sample_is() -> None:
    assert wamid("16505076520", "9A3CA5B3D4CD6E67E7", marker=OUTGOING) == META_S_SAMPLE


def test_a_wamid_says_which_way_its_message_went() -> None:
    assert marker_of(META_S_SAMPLE) == OUTGOING
    assert marker_of(wamid("16505076520", "3A7B589F650C2F9F24F6", marker=INCOMING)) == INCOMING
    assert marker_of("wamid.x") is None


def test_a_text_is_accepted_sent_delivered_and_read(meta: CalledMeta) -> None:
    answer = meta.send("+1 (650) 555-1234", biz_opaque_callback_data="wats1.x.1")

    [contact] = json.loads(answer.body)["contacts"]
    assert answer.status == 200
    assert contact == {"input": "+1 (650) 555-1234", "wa_id": "16505551234"}
    assert [after for after, _ in meta.statuses] == [0.2, 0.7, 1.7]
    assert names(meta) == ["sent", "delivered", "read"]
    assert {(status["id"], status["biz_opaque_callback_data"]) for _, status in meta.statuses} == {
        (id_of(answer), "wats1.x.1")
    }


def test_the_same_calls_get_the_same_ids() -> None:
    first, second = CalledMeta(), CalledMeta()

    assert [id_of(first.send()), id_of(first.send())] == [id_of(second.send()), id_of(second.send())]


def test_the_price_stands_with_sent_and_with_the_first_of_delivered_and_read(meta: CalledMeta) -> None:
    meta.send()
    meta.send("+9990000003")

    assert [status["status"] for _, status in meta.statuses if "pricing" in status] == [
        "sent",
        "delivered",
        "sent",
        "read",
    ]


def test_the_first_thousand_service_messages_of_a_month_are_free(meta: CalledMeta) -> None:
    meta.switch(number_rate=None, pair_limit=False)
    for _ in range(1001):
        meta.send()

    prices = [status["pricing"] for _, status in meta.statuses if status["status"] == "sent"]
    free = {"billable": False, "pricing_model": "PMP", "type": "free_customer_service", "category": "service"}
    assert prices[999] == free
    assert prices[1000] == {**free, "billable": True, "type": "regular"}


def test_without_a_payment_method_a_service_message_fails_once_the_free_ones_are_used(meta: CalledMeta) -> None:
    meta.switch(number_rate=None, pair_limit=False, no_payment=True)
    for _ in range(1001):
        meta.send()

    _, last = meta.statuses[-1]
    assert (last["status"], last["errors"][0]["code"]) == ("failed", 131042)
    assert "pricing" not in last


@pytest.mark.parametrize(
    ("name", "category"),
    [("hello_world", "utility"), ("big_promo", "marketing"), ("otp_code", "authentication")],
)
def test_a_template_is_priced_by_its_category(meta: CalledMeta, name: str, category: str) -> None:
    answer = meta.send(type="template", template={"name": name, "language": {"code": "en_US"}})

    assert json.loads(answer.body)["messages"][0]["message_status"] == "accepted"
    assert meta.statuses[0][1]["pricing"] == {
        "billable": True,
        "pricing_model": "PMP",
        "type": "regular",
        "category": category,
    }


def test_a_reaction_is_sent_and_nothing_more(meta: CalledMeta) -> None:
    meta.send(type="reaction", reaction={"message_id": META_S_SAMPLE, "emoji": "👍"})

    assert names(meta) == ["sent"]
    assert "pricing" not in meta.statuses[0][1]


def test_a_voice_note_is_played(meta: CalledMeta) -> None:
    meta.send(type="audio", audio={"link": "https://example.com/a.ogg", "voice": True})

    assert names(meta) == ["sent", "delivered", "played", "read"]


def test_a_group_message_has_a_status_for_each_participant(meta: CalledMeta) -> None:
    group = "Y2FwaV9ncm91cDoxMjM0NTY3ODkw"

    answer = meta.send(group, recipient_type="group")

    data = json.loads(answer.body)
    assert data["contacts"] == [{"input": group, "wa_id": group}]
    assert data["messages"][0]["group_id"] == group
    assert [len(change.value["statuses"]) for _, change in meta.outlet.planned] == [1, 2, 2]
    [sent], delivered, _ = (change.value["statuses"] for _, change in meta.outlet.planned)
    assert (sent["recipient_id"], sent["recipient_type"], "recipient_participant_id" in sent) == (
        group,
        "group",
        False,
    )
    assert [status["recipient_participant_id"] for status in delivered] == ["9990000000", "9990000001"]
    assert sent["pricing"]["type"] == "free_group_customer_service"


def test_a_recipient_by_user_id_has_the_user_id_in_its_answer_and_its_statuses(meta: CalledMeta) -> None:
    user_id = "US.13491208655302741918"

    answer = meta.send(None, recipient=user_id)

    assert json.loads(answer.body)["contacts"] == [{"input": user_id, "user_id": user_id}]
    assert "recipient_id" not in meta.statuses[0][1]
    assert meta.statuses[0][1]["recipient_user_id"] == user_id


def test_direct_send_is_reported_with_a_template_id(meta: CalledMeta) -> None:
    meta.send(category="utility")

    _, sent = meta.statuses[0]
    assert sent["template_id"].isdigit()
    assert (sent["pricing"]["category"], sent["pricing"]["type"]) == ("utility", "regular")


def test_outside_the_window_a_text_fails_and_a_template_does_not(meta: CalledMeta) -> None:
    meta.switch(windows="strict")
    meta.send()
    meta.send(type="template", template={"name": "hello_world", "language": {"code": "en_US"}})

    assert names(meta) == ["failed", "sent", "delivered", "read"]
    assert meta.statuses[0][1]["errors"][0]["code"] == 131047


def test_marketing_messages_takes_templates_only(meta: CalledMeta) -> None:
    template = message(
        type="template", template={"name": "promo", "language": {"code": "en"}}, product_policy="STRICT"
    )

    taken = meta.ask("POST", f"{NUMBER}/marketing_messages", template)
    refused = meta.ask("POST", f"{NUMBER}/marketing_messages", message())

    assert json.loads(taken.body)["messages"][0]["message_status"] == "accepted"
    assert meta.statuses[0][1]["pricing"]["category"] == "marketing_lite"
    assert error_of(refused)["error_data"]["details"] == "Message must be a template message."


def test_a_received_message_can_be_marked_as_read_and_another_not(meta: CalledMeta) -> None:
    received = wamid("16505076520", "3A7B589F650C2F9F24F6", marker=INCOMING)
    receipt = {"messaging_product": "whatsapp", "status": "read", "typing_indicator": {"type": "text"}}

    known = meta.ask("POST", f"{NUMBER}/messages", {**receipt, "message_id": received})
    unknown = meta.ask("POST", f"{NUMBER}/messages", {**receipt, "message_id": META_S_SAMPLE})

    assert json.loads(known.body) == {"success": True}
    assert error_of(unknown)["code"] == 131009
    assert meta.statuses == []


def test_a_script_is_played_step_by_step_and_then_forgotten(meta: CalledMeta) -> None:
    refusal = {"status": 400, "code": 131048, "message": "(#131048) Spam rate limit hit"}
    set_script(meta.meta, "+4915112345678", [{"refusal": refusal}, {"like": "4001"}])

    first, second, third = meta.send(), meta.send(), meta.send()

    assert error_of(first)["code"] == 131048
    assert (second.line, third.line) == ("cut", "whole")
    assert len(meta.meta.state.items("message")) == 2


def test_a_script_may_go_round_for_any_recipient(meta: CalledMeta) -> None:
    set_script(meta.meta, "*", [{"like": "4001"}, {}, {}], is_repeated=True)

    lines = [meta.send(f"+4915112345{n:03}").line for n in range(6)]

    assert lines == ["cut", "whole", "whole"] * 2


@pytest.mark.parametrize(
    "step", [{"like": "9999"}, {"colour": "red"}, {"refusal": "no such"}, {"refusal": {"status": 400, "shade": 1}}]
)
def test_a_step_that_is_none_is_refused(meta: CalledMeta, step: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"no such|has no field|a refusal has"):
        set_script(meta.meta, "*", [step])


def test_switches_change_the_shape_of_a_failed_status(meta: CalledMeta) -> None:
    meta.send("+9990001026", biz_opaque_callback_data="wats1.x.1")
    [(_, change)] = meta.outlet.planned

    harsh = Switches(failed_without_tracker=True, failed_without_contacts=True, numbers_as_strings=True)
    [failed] = shaped(change, harsh).value["statuses"]

    assert "contacts" not in shaped(change, harsh).value
    assert "biz_opaque_callback_data" not in failed
    assert failed["errors"][0]["code"] == "131026"
    assert change.value["statuses"][0]["biz_opaque_callback_data"] == "wats1.x.1"


def test_statuses_may_lack_contacts_and_have_fields_that_nobody_knows(meta: CalledMeta) -> None:
    meta.send()
    _, change = meta.outlet.planned[0]

    odd = shaped(change, Switches(without_contacts=True, unknown_fields=True)).value

    assert "contacts" not in odd
    assert ("x_new_field" in odd, "x_new_field" in odd["statuses"][0]) == (True, True)


def test_another_version_may_answer_than_the_one_that_was_asked(meta: CalledMeta) -> None:
    meta.switch(answered_version="v23.0")

    assert meta.send().headers["facebook-api-version"] == "v23.0"


def test_the_old_pricing_is_that_of_a_conversation(meta: CalledMeta) -> None:
    meta.send()
    _, change = meta.outlet.planned[0]

    [sent] = shaped(change, Switches(old_pricing=True)).value["statuses"]

    assert sent["pricing"] == {"billable": True, "pricing_model": "CBP", "category": "service"}
    assert sent["conversation"]["origin"] == {"type": "service"}
