"""Changes of groups, templates, phone numbers and accounts."""

from app.web.examples.changes import AT, BUSINESS, PHONE, USER_ID, Changes, group, of_account

_TEMPLATE = {
    "message_template_id": 7211685322,
    "message_template_name": "order_sent",
    "message_template_language": "de",
}

BUSINESSES: Changes = {
    "group.lifecycle": group(
        "group_lifecycle_update", "group_create", subject="Tulips", invite_link="https://x.test"
    ),
    "group.participants": group(
        "group_participants_update",
        "group_participants_add",
        added_participants=[{"wa_id": PHONE, "user_id": USER_ID}],
        reason="invite",
    ),
    "group.settings": group("group_settings_update", "group_settings_update", group_subject={"text": "Roses"}),
    "group.status": group("group_status_update", "group_suspend"),
    "template.status": of_account("message_template_status_update", event="APPROVED", reason="NONE", **_TEMPLATE),
    "template.quality": of_account(
        "message_template_quality_update", previous_quality_score="GREEN", new_quality_score="YELLOW", **_TEMPLATE
    ),
    "template.components": of_account(
        "message_template_components_update", message_template_element="On its way: {{1}}", **_TEMPLATE
    ),
    "template.category": of_account(
        "template_category_update", previous_category="UTILITY", new_category="MARKETING", **_TEMPLATE
    ),
    "account.update": of_account(
        "account_update",
        event="ACCOUNT_VIOLATION",
        phone_number=BUSINESS,
        violation_info={"violation_type": "ADULT"},
    ),
    "account.alert": of_account("account_alerts", entity_type="PHONE_NUMBER", alert_severity="WARNING"),
    "account.review": of_account("account_review_update", decision="APPROVED"),
    "account.settings": of_account(
        "account_settings_update", messaging_product="whatsapp", type="phone_number_settings", timestamp=AT
    ),
    "business.capability": of_account(
        "business_capability_update", max_daily_conversation_per_phone=1000, max_phone_numbers_per_business=2
    ),
    "business.status": of_account("business_status_update", business_id="17", event="VERIFIED"),
    "business.username": of_account(
        "business_username_updates", display_phone_number=BUSINESS, username="tulips", status="approved"
    ),
    "phone_number.name": of_account(
        "phone_number_name_update",
        display_phone_number=BUSINESS,
        decision="APPROVED",
        requested_verified_name="Tulips",
    ),
    "phone_number.quality": of_account(
        "phone_number_quality_update", display_phone_number=BUSINESS, event="FLAGGED", current_limit="TIER_1K"
    ),
    "phone_number.security": of_account(
        "security", display_phone_number=BUSINESS, event="PIN_CHANGED", requester="100001"
    ),
    "flow.flow_status_change": of_account(
        "flows", event="FLOW_STATUS_CHANGE", flow_id="33", old_status="DRAFT", new_status="PUBLISHED"
    ),
    "partner.solution": of_account(
        "partner_solutions", event="SOLUTION_CREATED", solution_id="9", solution_status="A"
    ),
    "payment.configuration": of_account(
        "payment_configuration_update", configuration_name="shop", provider_name="pay", status="ACTIVE"
    ),
}
