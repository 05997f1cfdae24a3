"""Node's packages are those of the lock, which names no registry."""

import json

from tests.support.node import PACKAGES, run_node

LOCK = json.loads((PACKAGES / "package-lock.json").read_text())["packages"]
VERSIONS = """
import { readFileSync } from "node:fs";
const versions = process.argv.slice(2).map((folder) => JSON.parse(readFileSync(`${folder}/package.json`)).version);
console.log(JSON.stringify(versions));
"""


def test_what_is_installed_has_the_versions_of_the_lock() -> None:
    folders = [folder for folder in LOCK if folder]

    done = run_node(VERSIONS, *folders)

    assert json.loads(done.stdout) == [LOCK[folder]["version"] for folder in folders], done.stderr


def test_the_lock_names_no_host() -> None:
    assert [folder for folder, package in LOCK.items() if "resolved" in package] == []
