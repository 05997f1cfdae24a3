"""docs/configure.md: its examples run, and its tables hold every key and variable."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from app.config import Flags, check_config
from app.config.errors import ConfigError
from docs.configure_tables import configure_tables, key_rows, variable_rows
from tests.config.documents import P, profiles_of, with_change
from tests.support.waiting import DEADLINE_SECONDS

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "configure.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def test_every_command_of_the_page_works_one_after_the_other(tmp_path: Path):
    script = re.sub(r"^(.* serve (?!.*--print-config).*)$", r"\1 --print-config", "\n".join(blocks("sh")), flags=re.M)
    (tmp_path / "flask").write_text(f'#!/bin/sh\nshift\nexec {sys.executable} -m app.cli "$@"\n')
    (tmp_path / "flask").chmod(0o755)
    folder = tmp_path / "folder"
    folder.mkdir()

    done = subprocess.run(
        ["sh", "-eu", "-c", script],
        cwd=folder,
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)},
        check=False,
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
    )

    assert (done.returncode, done.stderr.replace("\n", " ")[:9]) == (0, "next: fla")
    assert "from-the-dashboard" not in done.stdout


@pytest.mark.parametrize("text", blocks("yaml"))
def test_every_config_of_the_page_is_good(text: str, tmp_path: Path):
    (tmp_path / "wats.config.yaml").write_text(text)
    if text.startswith("version:"):
        check_config(Flags(config=tmp_path / "wats.config.yaml"), {})
        return
    config = with_change(f"{P}.sending", {})
    for section, keys in yaml.safe_load(text).items():
        config["profiles"]["p"].setdefault(section, {}).update(keys)
    assert profiles_of(config)


def test_the_problem_on_the_page_is_what_a_start_prints():
    (line,) = blocks("text")

    with pytest.raises(ConfigError) as caught:
        profiles_of(with_change(f"{P}.webhook.path", "/a/../b"))

    assert str(caught.value) in line.replace("profiles.prod", P)


def test_the_tables_of_the_page_are_fresh():
    for name, table in configure_tables().items():
        assert f"<!-- generated: {name} -->\n{table}\n<!-- /generated -->" in PAGE


def test_every_key_and_variable_has_a_type_and_a_meaning():
    for name, *_, value_type, _default, meaning in (*key_rows(), *variable_rows()):
        assert name
        assert value_type
        assert meaning.endswith((".", "`", ")"))


def test_the_example_config_is_good():
    assert check_config(Flags(config=ROOT / "config" / "wats.config.yaml"), {}).profiles
