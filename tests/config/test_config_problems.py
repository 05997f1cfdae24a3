"""Config problems: each has a stable code and names its place."""

import copy
from pathlib import Path

import pytest

from app.config import Flags, check_config, load_settings
from app.config.errors import ConfigError
from app.config.file.document import read_document
from tests.config.cases import CASES
from tests.config.documents import GOOD, P, crm, problems_of, profiles_of, with_change, write


@pytest.mark.parametrize(("at", "value", "code", "path"), CASES)
def test_a_problem_has_its_code_and_its_path(at: str, value: object, code: str, path: str, tmp_path: Path):
    config = with_change(f"{P}.{at}", value)

    found = problems_of(config, tmp_path)

    assert (code, f"{P}.{path}") in found


@pytest.mark.parametrize("at", ["graph", "sending", "storage", "destinations", "service.tokens"])
def test_an_empty_section_is_accepted_as_its_keys_have_defaults(at: str, tmp_path: Path):
    config = with_change(f"{P}.{at}", None)

    assert profiles_of(read_document(write(config, tmp_path))).profiles["p"].destinations == []


def test_an_idempotency_key_must_not_outlive_its_message(tmp_path: Path):
    path = f"{P}.sending.idempotencyDays"
    longer, as_long, wrong = (with_change(path, days) for days in (31, 30, "x"))

    assert problems_of(longer, tmp_path) == {("conflict", path)}
    assert problems_of(wrong, tmp_path) == {("wrong_type", path)}
    assert profiles_of(as_long).default == "p"


def test_the_config_that_these_tests_change_has_no_problem():
    assert profiles_of(copy.deepcopy(GOOD)).default == "p"


def test_all_problems_are_reported_at_once(tmp_path: Path):
    config = with_change(f"{P}.service.port", 0)
    config["profiles"]["p"]["webhook"]["path"] = "nowhere"
    config["profiles"]["q"] = {"servce": {}}

    found = problems_of(config, tmp_path)

    assert {("out_of_range", f"{P}.service.port"), ("bad_form", f"{P}.webhook.path")} <= found
    assert ("unknown_key", "profiles.q.servce") in found


def test_a_missing_key_and_a_missing_version_say_what_is_needed():
    config = with_change(f"{P}.webhook", {"verifyToken": {"env": "VERIFY_TOKEN"}})
    del config["version"]

    with pytest.raises(ConfigError) as caught:
        profiles_of(config)

    version, secret = map(str, caught.value.problems)
    assert version == "version: 1 is needed, the version of this format [bad_version]"
    needed = "this key is needed: { env: NAME }. The key of Meta's webhook signatures."
    assert secret == f"{P}.webhook.appSecret: {needed} [missing]"


def test_a_problem_names_its_file(tmp_path: Path):
    path = write(with_change(f"{P}.service.port", 0), tmp_path)

    with pytest.raises(ConfigError) as caught:
        check_config(Flags(config=path), {})

    assert str(caught.value).startswith(f"{path}: {P}.service.port: ")


def test_no_message_repeats_a_secret_that_the_config_contains(tmp_path: Path):
    config = with_change(f"{P}.auth.accessToken", "planted-access")
    profile = config["profiles"]["p"]
    profile["webhook"]["appSecret"] = {"env": "A", "previous": "planted-previous"}
    profile["storage"] = {"url": "postgres://u:planted-database@h/db"}
    profile["destinations"] = crm(secret="planted-destination", url="http://u:planted-url@crm")

    with pytest.raises(ConfigError) as caught:
        profiles_of(read_document(write(config, tmp_path)))

    assert "planted" not in str(caught.value) + repr(caught.value)


@pytest.mark.parametrize("name", ["a\nb", "a\x1b[31m", "a\u2028b", "\ud800", "x" * 5000])
def test_a_strange_key_cannot_add_lines_to_the_message(name: str):
    config = copy.deepcopy(GOOD)
    config["profiles"][name] = {name: {}}

    with pytest.raises(ConfigError) as caught:
        profiles_of(config)

    assert all(line.isprintable() and len(line) < 500 for line in str(caught.value).splitlines())
    assert len(str(caught.value).splitlines()) == len(caught.value.problems)


@pytest.mark.parametrize("at", ["destinations", "service.tokens"])
def test_an_endless_list_is_one_problem(at: str, tmp_path: Path):
    found = problems_of(with_change(f"{P}.{at}", [{}] * 10_000), tmp_path)

    assert found == {("out_of_range", f"{P}.{at}")}


def test_an_endless_number_is_shortened_in_the_message(tmp_path: Path):
    path = write(with_change(f"{P}.whatsapp.wabaId", "HERE"), tmp_path)
    path.write_text(path.read_text().replace("HERE", "0x" + "f" * 5000))

    with pytest.raises(ConfigError) as caught:
        profiles_of(read_document(path))

    assert len(str(caught.value)) < 500


ROOTS = [
    ({"version": True}, ("bad_version", "version")),
    ({"version": 1.0}, ("bad_version", "version")),
    ({"defaultProfile": "q"}, ("unknown_profile", "defaultProfile")),
    ({"defaultProfile": None}, ("unknown_profile", "defaultProfile")),
    ({"profiles": {}}, ("missing", "profiles")),
    ({"profiles": ["p"]}, ("wrong_type", "profiles")),
    ({"profiles": {"a b": {}}}, ("bad_profile_name", "profiles.a b")),
    ({"extra": 1}, ("unknown_key", "extra")),
]


@pytest.mark.parametrize(("change", "problem"), ROOTS)
def test_a_wrong_top_level_key_is_reported(change: dict[str, object], problem: tuple[str, str], tmp_path: Path):
    assert problem in problems_of({**GOOD, **change}, tmp_path)


def test_phone_number_ids_must_include_the_phone_number_id(tmp_path: Path):
    config = with_change(f"{P}.whatsapp.phoneNumberIds", ["1", "2"])

    assert problems_of(config, tmp_path) == {("conflict", f"{P}.whatsapp.phoneNumberId")}


def test_without_a_default_one_of_several_profiles_must_be_named(tmp_path: Path):
    config = copy.deepcopy(GOOD)
    config["profiles"]["q"] = config["profiles"]["p"]
    del config["defaultProfile"]

    with pytest.raises(ConfigError) as caught:
        load_settings(Flags(config=write(config, tmp_path), dry_run=True), {})

    assert "choose one of the file's profiles: p, q" in str(caught.value)
