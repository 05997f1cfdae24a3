"""The commands that look at a config, begin one, or make a token for one."""

import json
import os
import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from app.cli import wats
from app.cli.config import config_group
from app.cli.init import init_command
from app.cli.scaffold.new_files import write_new_files
from app.cli.webhook import webhook_group
from app.config import Flags, check_config, load_settings
from app.config.start.env_file import read_env_file
from tests.config.starts import config_in
from tests.support.live import CONFIG, write_config

NAMES = {".env.example", "wats.config.yaml"}


def run(*args: object) -> Result:
    return CliRunner().invoke(wats, [str(arg) for arg in args])


def test_a_good_config_is_valid(tmp_path: Path):
    path = config_in(tmp_path)

    result = run("config", "validate", "--config", path)

    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == f"{path} is valid; profiles: main\n"


def test_every_problem_of_a_config_is_printed_with_file_and_path(tmp_path: Path):
    path = config_in(tmp_path, "version: 2\nprofiles: { p: { servce: {}, auth: { accessToken: planted } } }")

    result = run("config", "validate", "--config", path)

    assert result.exit_code == 78
    assert result.stdout == ""
    for where in ("version", "profiles.p.servce", "profiles.p.auth.accessToken", "profiles.p.whatsapp.wabaId"):
        assert f"{path}: {where}: " in result.stderr
    assert "planted" not in result.output


def test_a_config_is_checked_with_json_output_too(tmp_path: Path):
    good, bad = tmp_path / "good", tmp_path / "bad"
    good.mkdir()
    bad.mkdir()

    fine = run("config", "validate", "--json", "--config", config_in(good))
    wrong = run("config", "validate", "--json", "--config", config_in(bad, "version: 2"))

    assert json.loads(fine.stdout)["valid"] is True
    assert wrong.exit_code == 78
    assert {"bad_version", "missing"} == {problem["code"] for problem in json.loads(wrong.stdout)["problems"]}


def test_a_config_is_shown_without_its_secrets(tmp_path: Path):
    path = config_in(tmp_path)

    table = run("config", "show", "--config", path)
    rows = json.loads(run("config", "show", "--config", path, "--profile", "main", "--json").stdout)

    shown = {row["path"]: (row["value"], row["source"]) for row in rows}
    assert shown["profiles.main.service.port"] == ("3000", "default")
    assert shown["profiles.main.service.tokens"] == ("reader, sender", "config")
    assert shown["profiles.main.storage.url"] == ("unset", "environment DATABASE_URL")
    assert shown["profiles.main.webhook.appSecret.previous"] == ("unset", "environment OLD_APP_SECRET")
    assert shown["profiles.main.destinations[0].url"] == ("http://crm:8080/hooks?…", "config")
    assert shown["profiles.main.destinations[0].headers"] == ("Authorization, X-Kind", "config")
    assert shown["profiles.main.whatsapp.phoneNumberIds"] == ("$FIRST_NUMBER, 9876543210", "config")
    assert len(table.stdout.splitlines()) == len(rows) + 1
    assert "planted" not in table.output


def test_a_database_is_shown_without_its_address(tmp_path: Path):
    path = config_in(tmp_path)
    path.write_text(path.read_text().replace("{ env: DATABASE_URL }", "postgres://me@planted.example/db"))

    assert "planted.example" not in run("config", "show", "--config", path).stdout


def test_an_unknown_profile_cannot_be_shown(tmp_path: Path):
    result = run("config", "show", "--config", config_in(tmp_path), "--profile", "nobody")

    assert result.exit_code == 78
    assert "there are: main" in result.stderr


DESTINATIONS = """
    destinations:
      - { name: crm, url: "http://h/", secret: { env: A }, types: [message.txt, "wats.*", "call.*"] }
      - { name: bot, url: "http://h/", secret: { env: B }, phoneNumberIds: ["9876543210", "42"] }
"""


def test_what_a_destination_selects_and_never_gets_is_reported(tmp_path: Path):
    config = str(write_config(tmp_path, CONFIG + DESTINATIONS))

    told, as_json = (run("config", "validate", "--config", config, *more) for more in ([], ["--json"]))

    warnings = json.loads(as_json.stdout)["warnings"]
    assert (told.exit_code, as_json.exit_code) == (0, 0)
    assert [warning.partition(" matches")[0] for warning in warnings] == [
        "profiles.test.destinations[0].types: message.txt",
        "profiles.test.destinations[0].types: wats.*",
        "profiles.test.destinations[1].phoneNumberIds: 42 is no number of the profile, and",
    ]
    assert all(f"warning: {warning}" in told.stderr for warning in warnings)


def test_a_new_folder_begins_with_a_config_that_works(tmp_path: Path):
    folder = tmp_path / "a" / "new"

    result = run("init", folder, "--profile", "shop")

    assert result.exit_code == 0
    assert {path.name for path in folder.iterdir()} == NAMES
    assert check_config(Flags(config=folder / "wats.config.yaml")).profiles.keys() == {"shop"}
    assert load_settings(Flags(config=folder / "wats.config.yaml", dry_run=True), {}).profile == "shop"


def test_the_new_env_file_names_exactly_what_live_needs(tmp_path: Path):
    run("init", tmp_path)
    text = (tmp_path / "wats.config.yaml").read_text()
    needed = re.findall(r"^(?! *#).*?env: ([A-Z_]+)", text, re.MULTILINE)

    variables, _ = read_env_file(tmp_path / ".env.example")

    assert set(variables) == set(needed)
    assert set(variables.values()) == {""}


def test_a_preview_writes_nothing(tmp_path: Path):
    folder = tmp_path / "new"

    result = run("init", folder, "--dry-run")

    assert result.exit_code == 0
    assert f"# would write {folder}/wats.config.yaml\n" in result.stdout
    assert not folder.exists()


@pytest.mark.parametrize("taken", sorted(NAMES))
@pytest.mark.parametrize("as_link", [False, True])
def test_nothing_is_overwritten_and_then_nothing_is_written(taken: str, as_link: bool, tmp_path: Path):
    if as_link:
        (tmp_path / taken).symlink_to(tmp_path / "nowhere")
    else:
        (tmp_path / taken).write_text("mine")

    result = run("init", tmp_path)

    assert result.exit_code == 1
    assert str(tmp_path / taken) in result.stderr
    assert os.listdir(tmp_path) == [taken]  # noqa: PTH208 - a dangling link counts too


def test_a_failure_between_two_files_leaves_nothing_behind(tmp_path: Path):
    folder = tmp_path / "new" / "folder"

    with pytest.raises(OSError, match="No such file"):
        write_new_files(folder, {"one": "1", "no/such/folder": "2"})

    assert list(tmp_path.iterdir()) == []


def test_a_file_that_appears_meanwhile_is_kept_and_the_others_are_removed(tmp_path: Path):
    (tmp_path / "two").write_text("mine")

    with pytest.raises(FileExistsError):
        write_new_files(tmp_path, {"one": "1", "two": "2"})

    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"two": "mine"}


def test_a_folder_that_cannot_be_made_is_reported_in_a_message(tmp_path: Path):
    (tmp_path / "file").write_text("")

    result = run("init", tmp_path / "file" / "folder")

    assert result.exit_code == 1
    assert "nothing written" in result.stderr


@pytest.mark.parametrize("name", ["a b", "", "x" * 65, "a\nb", "a:"])
def test_a_profiles_name_is_restricted(name: str, tmp_path: Path):
    result = run("init", tmp_path, "--profile", name)

    assert result.exit_code == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["1234", "true", "null", "1e5", "on"])
def test_a_profiles_name_may_look_like_another_yaml_type(name: str, tmp_path: Path):
    run("init", tmp_path, "--profile", name)

    assert check_config(Flags(config=tmp_path / "wats.config.yaml")).default == name


def test_a_token_is_new_each_time():
    first, second = (run("webhook", "token").stdout for _ in range(2))

    assert re.fullmatch(r"wats_wh_[A-Za-z0-9_-]{43}\n", first)
    assert first != second


def commands(command: click.Command) -> list[click.Command]:
    below = command.commands.values() if isinstance(command, click.Group) else ()
    return [command, *(each for child in below for each in commands(child))]


@pytest.mark.parametrize("command", [config_group, init_command, webhook_group], ids=lambda each: each.name)
def test_every_command_and_option_has_help(command: click.Command):
    for each in commands(command):
        assert each.help
        assert all(option.help for option in each.params if isinstance(option, click.Option))
