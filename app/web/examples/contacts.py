"""Changes of a customer, and what the business did on another device."""

from app.web.examples.changes import (
    AT,
    BUSINESS,
    CONTACT,
    METADATA,
    PHONE,
    USER_ID,
    Changes,
    change,
    echo,
    of_account,
    system,
)

_NEW_ID = "DE.90817264518273645109"
_CHUNK = {"metadata": {"phase": 1, "chunk_order": 3, "progress": 55}}
_PAST_MESSAGE = {
    "from": BUSINESS,
    "to": PHONE,
    "to_user_id": USER_ID,
    "id": "wamid.past",
    "timestamp": AT,
    "type": "text",
    "text": {"body": "hi"},
}
_THREAD = {
    "id": PHONE,
    "context": {"wa_id": PHONE, "user_id": USER_ID},
    "messages": [{**_PAST_MESSAGE, "history_context": {"status": "READ"}}],
}
_SYNC_REFUSED = {"code": 2593109, "title": "History sync is turned off", "error_data": {"details": "by the business"}}

CONTACTS: Changes = {
    "contact.number_changed": system(
        "user_changed_number", body="User Ada changed", wa_id="4915187654321", user_id=_NEW_ID
    ),
    "contact.user_id_changed": change(
        "user_id_update",
        contacts=[{"wa_id": PHONE, "user_id": _NEW_ID}],
        user_id_update=[{"wa_id": PHONE, "user_id": {"previous": USER_ID, "current": _NEW_ID}, "timestamp": AT}],
    ),
    "contact.identity_changed": system(
        "customer_identity_changed",
        body="User identity changed",
        identity={"acknowledged": True, "created_timestamp": AT, "hash": "sFSK43lu"},
    ),
    "contact.preference": change(
        "user_preferences",
        contacts=[CONTACT],
        user_preferences=[
            {
                "wa_id": PHONE,
                "user_id": USER_ID,
                "category": "marketing_messages",
                "value": "stop",
                "timestamp": int(AT),
                "detail": "Stop",
            }
        ],
    ),
    "contact.profile": change("consumer_profile", contacts=[CONTACT], profile={"username": "ada"}),
    "echo.text": echo("text", {"body": "Here you are"}),
    "echo.edit": echo(
        "edit", {"original_message_id": "wamid.echo.text", "message": {"type": "text", "text": {"body": "Here"}}}
    ),
    "echo.revoke": echo("revoke", {"original_message_id": "wamid.echo.text"}),
    "history.message": change("history", history=[{**_CHUNK, "threads": [_THREAD]}]),
    "history.status": change("history", history=[{"metadata": {"phase": 2, "chunk_order": 9, "progress": 100}}]),
    "history.error": change("history", history=[{"errors": [_SYNC_REFUSED]}]),
    "app_state.contact": change(
        "smb_app_state_sync",
        state_sync=[
            {
                "type": "contact",
                "contact": {
                    "full_name": "Ada Lovelace",
                    "first_name": "Ada",
                    "phone_number": PHONE,
                    "user_id": USER_ID,
                },
                "action": "add",
                "metadata": {"timestamp": AT},
            }
        ],
    ),
    "conversation.handover": of_account(
        "messaging_handovers",
        messaging_product="whatsapp",
        recipient=METADATA,
        sender={"phone_number": PHONE, "user_id": USER_ID},
        timestamp=AT,
        control_passed={"metadata": "to a human"},
    ),
}
