"""How the log names a customer."""

from app.log.contact_label import ContactLabel

SECRET = "app-secret-0d9c5a1be2f34c77a9"


def test_a_phone_number_has_one_hash_however_it_is_written_and_in_every_process() -> None:
    label, of_another_process = ContactLabel("hashed", SECRET), ContactLabel("hashed", SECRET)

    assert label("+4915112345678") == of_another_process("4915112345678")
    assert label("4915112345678") != label("4915112345679")
    assert len(label("4915112345678") or "") == 16
    assert "49151" not in (label("4915112345678") or "")


def test_another_secret_gives_another_hash() -> None:
    assert ContactLabel("hashed", SECRET)("4915112345678") != ContactLabel("hashed", "other")("4915112345678")


def test_the_setting_asks_for_the_name_itself_or_for_nothing() -> None:
    assert ContactLabel("plain", SECRET)("+4915112345678") == "4915112345678"
    assert ContactLabel("none", SECRET)("+4915112345678") is None
    assert ContactLabel("hashed", SECRET)(None) is None
