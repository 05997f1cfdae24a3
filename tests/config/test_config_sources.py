"""Files and variables that secrets come from: read with care, refused without being shown."""

import os
import stat
from pathlib import Path

import pytest

from app.config.errors import InvalidValue, Problems
from app.config.schema.references import SecretRef
from app.config.secrets.dry_run import placeholder_of_destination
from app.config.secrets.lookup import Sources, check_standard_webhooks_secret
from app.config.settings import Secret
from app.config.start.env_file import read_env_file

BAD_LINES = [
    *("PLANTED", "=planted", "A B=planted", "1A=planted", "A=planted\nA=planted", "\u00c4=planted"),
    *(
        "A=pl\x00anted",
        "A=pl\x1banted",
        "A=pl\tanted",
        "\tA=planted",
        "A=pl\u0085anted",
        "A=pl\u2028anted",
        "A=planted\rB=1",
    ),
    *('A="planted', "A='planted", 'A=planted"', "A=\"planted'", 'A="planted" # note', 'A="pl"anted"', 'A="'),
]


@pytest.mark.parametrize("text", BAD_LINES)
def test_a_line_of_an_env_file_that_is_no_pair_is_refused_without_being_shown(text: str, tmp_path: Path):
    path = tmp_path / "env"
    path.write_bytes(text.encode())

    with pytest.raises(InvalidValue) as caught:
        read_env_file(path)

    assert "planted" not in str(caught.value).lower()


def test_an_env_file_takes_comments_exports_quotes_and_expands_nothing(tmp_path: Path):
    path = tmp_path / "env"
    path.write_bytes(b"\xef\xbb\xbf# note\r\n\r\nexport A=1\r\nB='two words'\nC=\"$HOME\"\nD=a=b#c\nE=\n")

    assert read_env_file(path)[0] == {"A": "1", "B": "two words", "C": "$HOME", "D": "a=b#c", "E": ""}


def strange_files(folder: Path) -> dict[str, Path]:
    os.mkfifo(folder / "pipe")
    (folder / "large").write_bytes(b"A=" + b"x" * 64 * 1024)
    (folder / "binary").write_bytes(b"A=\xff")
    return {
        "a directory": folder,
        "a pipe": folder / "pipe",
        "a device": Path("/dev/zero"),
        "large": folder / "large",
        "missing": folder / "none",
        "binary": folder / "binary",
        "NUL in its name": Path("a\0b"),
        "long": Path("x" * 5000),
    }


STRANGE = ["a directory", "a pipe", "a device", "large", "missing", "binary", "NUL in its name", "long"]


@pytest.mark.parametrize("sort", STRANGE)
def test_a_strange_env_file_is_refused(sort: str, tmp_path: Path):
    path = strange_files(tmp_path)[sort]

    with pytest.raises(InvalidValue):
        read_env_file(path)


def test_refusing_a_directory_leaves_no_descriptor_open(tmp_path: Path):
    descriptors = Path("/proc/self/fd")
    before = len(list(descriptors.iterdir()))

    for _ in range(3):
        with pytest.raises(InvalidValue, match="not a directory"):
            read_env_file(tmp_path)

    assert len(list(descriptors.iterdir())) == before


@pytest.mark.parametrize("sort", STRANGE)
def test_a_strange_secret_file_is_a_problem(sort: str, tmp_path: Path):
    sources = Sources({"A_FILE": str(strange_files(tmp_path)[sort])})
    problems = Problems("somewhere")

    sources.secret(SecretRef("A"), problems)

    assert [problem.path for problem in problems.found] == ["somewhere"]
    assert "A_FILE" in problems.found[0].message


def test_a_symbolic_link_to_an_env_file_is_accepted_and_open_permissions_are_a_warning(tmp_path: Path):
    path, link = tmp_path / "env", tmp_path / "link"
    path.write_text("A=1\n")
    path.chmod(stat.S_IRUSR | stat.S_IROTH)
    link.symlink_to(path)

    values, warnings = read_env_file(link)

    assert values == {"A": "1"}
    assert len(warnings) == 1


FILES = [
    *(("secret-from-a-file", True), ("secret-from-a-file\n", True), ("secret-from-a-file\r\n", True)),
    *(("secret\n\n", False), (" secret", False), ("sec ret", False), ("", False), ("\n", False)),
]


@pytest.mark.parametrize(("content", "value"), FILES)
def test_exactly_one_newline_at_the_end_of_a_secret_file_is_removed(content: str, value: bool, tmp_path: Path):
    (tmp_path / "s").write_text(content, newline="")
    sources = Sources({"A_FILE": str(tmp_path / "s")})
    problems = Problems("somewhere")

    secret = sources.secret(SecretRef("A"), problems)

    assert secret.current == ("secret-from-a-file" if value else "")
    assert bool(problems.found) != value


def test_a_variable_and_its_file_together_are_refused(tmp_path: Path):
    sources = Sources({"A": "direct-secret-value", "A_FILE": str(tmp_path / "s")})
    problems = Problems("somewhere")

    sources.secret(SecretRef("A"), problems)

    assert [problem.code for problem in problems.found] == ["both_set"]


def test_the_environment_wins_over_the_env_file():
    sources = Sources({"A": "from-the-environment"}, {"A": "from-the-env-file", "B": "also-from-the-env-file"})

    assert sources.secret(SecretRef("A", "B"), Problems()) == Secret(
        "A", "from-the-environment", "also-from-the-env-file"
    )
    assert sources.origins == {"A": "environment A", "B": "env file B"}


@pytest.mark.parametrize("secret", ["dry-run-app-secret", placeholder_of_destination("crm")])
def test_a_placeholder_of_the_dry_run_is_no_secret_for_live(secret: str):
    sources = Sources({"A": secret})
    problems = Problems("x")

    sources.secret(SecretRef("A"), problems)

    assert [problem.code for problem in problems.found] == ["placeholder_secret"]


def test_a_short_secret_is_a_warning():
    sources = Sources({"A": "short"})
    problems = Problems("x")

    sources.secret(SecretRef("A"), problems)

    assert sources.warnings == ["A is shorter than 16 characters"]


@pytest.mark.parametrize(
    ("value", "is_fine"), [("Bearer abc", True), ("a\nb", False), (" a", False), ("\u00e4", False)]
)
def test_a_headers_value_may_hold_blanks_but_stays_one_line(value: str, is_fine: bool):
    sources = Sources({"A": value})

    problems = Problems()

    assert (sources.header(SecretRef("A"), problems) == value) == is_fine
    assert bool(problems.found) != is_fine


WHSEC = [("whsec_" + "YWFh" * 8, True), ("anything-else", True), ("whsec_YWFh", False), ("whsec_" + "!" * 32, False)]


@pytest.mark.parametrize(("value", "is_fine"), WHSEC)
def test_a_standard_webhooks_secret_is_base64_of_enough_bytes(value: str, is_fine: bool):
    problems = Problems()

    check_standard_webhooks_secret(Secret("A", value), problems)

    assert (problems.found == []) == is_fine
