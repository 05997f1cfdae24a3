"""The config file as plain data: what surprises is refused, and messages show what is written."""

import json
from pathlib import Path

import pytest
import yaml

from app.config.errors import ConfigError, InvalidValue
from app.config.file.document import read_document
from tests.config.documents import P, PlainDumper, profiles_of, with_change

TEXTS = [
    ("a: &x 1", "alias"), ("a: &x [1]\nb: *x", "alias"), ("a: !!str 1", "tag"), ("a: ! x", "tag"),
    ("a: !!python/object/apply:os.system [id]", "tag"), ("a: 1\n---\nb: 2", "documents"), ("<<: {a: 1}", "key"),
    ("? [a]\n: 1", "key"), ("a: .inf", "number"), ("a: .nan", "number"), ("a: 1.0e+999", "number"),
    ("[" * 10_000, "deep"), ("- " * 10_000, "deep"), ("? " * 10_000, "deep"), ("a: " + "[" * 60 + "]" * 60, "deep"),
    ("\n".join(" " * level + "a:" for level in range(400)), "deep"), ("a: [", "yaml"), ("\ta: 1", "yaml"),
    ('a: "\\U00110000"', "yaml"), ("a: " + "1" * 5000, "number"), ("%YAML 1." + "9" * 5000 + "\n---\na: 1", "yaml"),
    ("#" + "x" * 256 * 1024, "large"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "code"), TEXTS)
def test_yaml_that_is_not_plain_data_is_refused(text: str, code: str, tmp_path: Path):
    path = tmp_path / "wats.config.yaml"
    path.write_text(text)

    with pytest.raises(InvalidValue) as caught:
        read_document(path)

    assert code in caught.value.code


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            "a: 1\nb: c: planted",
            "a colon inside a value, which needs quotes, or the indentation does not fit (line 2)",
        ),
        ("a:\n\tb: planted", "a tab in the indentation, or a value that begins with @, % or `"),
        ("a: [1\nb: planted", "a bracket [ is not closed, or a comma is missing"),
        ("a: {b: planted\nc: 1", "a brace { is not closed, or a comma is missing"),
        ("a: 1\nplanted\nb: 2", "a key without its colon, here or in the line before (line 3), begun in line 2"),
        ('a: 1\nb: "planted\nc: 2', "a quote is not closed"),
        ("a:\n  b: planted\n c: 2", "the indentation does not fit to that above (line 3)"),
        ('a: "\\q planted"', "a backslash between double quotes: use single ones (line 1)"),
        ("a: ü\nb: \x01planted", "it contains a control character (line 2)"),
    ],
)
def test_what_is_wrong_with_yaml_is_reported_without_its_values(text: str, reason: str, tmp_path: Path):
    path = tmp_path / "wats.config.yaml"
    path.write_text(text)

    with pytest.raises(InvalidValue, match="not valid YAML: ") as caught:
        read_document(path)

    assert reason in caught.value.message
    assert "planted" not in caught.value.message


BAD_JSON = ['{"a": NaN}', '{"a": -Infinity}', '{"a": 1e400}', "[" * 10_000, "{", "", '{"a": 1} x', "'a'", "1" * 5000]


@pytest.mark.parametrize("text", BAD_JSON)
def test_json_that_is_not_plain_data_is_refused(text: str, tmp_path: Path):
    path = tmp_path / "wats.config.json"
    path.write_text(text)

    with pytest.raises(InvalidValue):
        read_document(path)


@pytest.mark.parametrize("extension", ["yaml", "json"])
def test_both_kinds_of_file_may_be_equally_deep(extension: str, tmp_path: Path):
    deep, too_deep = (tmp_path / f"{name}.{extension}" for name in ("deep", "too_deep"))
    deep.write_text("[" * 20 + "]" * 20)
    too_deep.write_text("[" * 21 + "]" * 21)

    assert read_document(deep) == json.loads(deep.read_text())
    with pytest.raises(InvalidValue, match="deeper than 20"):
        read_document(too_deep)


REPEATED = {
    "yaml": "version: 1\nversion: 1\nprofiles:\n  p: { graph: { apiVersion: v25.0, apiVersion: v24.0 }, "
    "destinations: [{ name: a, name: b }] }\n",
    "json": '{"version": 1, "version": 1, "profiles": {"p": {'
    '"graph": {"apiVersion": "v25.0", "apiVersion": "v24.0"}, "destinations": [{"name": "a", "name": "b"}]}}}',
}


@pytest.mark.parametrize("extension", ["yaml", "json"])
def test_every_repeated_key_is_reported_with_its_path(extension: str, tmp_path: Path):
    path = tmp_path / f"wats.config.{extension}"
    path.write_text(REPEATED[extension])

    with pytest.raises(ConfigError) as caught:
        profiles_of(read_document(path))

    found = {problem.path for problem in caught.value.problems if problem.code == "duplicate_key"}
    assert found == {"version", f"{P}.graph.apiVersion", f"{P}.destinations[0].name"}
    assert ("missing", f"{P}.whatsapp.wabaId") in {(each.code, each.path) for each in caught.value.problems}


@pytest.mark.parametrize("name", ["wats.config.toml", "wats.config", "wats.YAML"])
def test_the_extension_decides_the_format(name: str, tmp_path: Path):
    (tmp_path / name).write_text("version: 1")

    with pytest.raises(InvalidValue, match=r"\.yaml, \.yml or \.json"):
        read_document(tmp_path / name)


def test_a_file_in_another_encoding_is_refused_and_a_byte_order_mark_is_accepted(tmp_path: Path):
    (tmp_path / "latin.yaml").write_bytes("a: ä".encode("latin-1"))
    (tmp_path / "bom.yaml").write_bytes(b"\xef\xbb\xbfa: 1")

    assert read_document(tmp_path / "bom.yaml") == {"a": 1}
    with pytest.raises(InvalidValue, match="UTF-8"):
        read_document(tmp_path / "latin.yaml")


WRITTEN = ["1234567890", "0123", "0x1F", "1_000", "1.0e+5", "1.50", "123456789012345678901"]


@pytest.mark.parametrize("written", WRITTEN)
def test_an_unquoted_id_is_shown_as_it_must_be_written(written: str, tmp_path: Path):
    path = tmp_path / "wats.config.yaml"
    text = yaml.safe_dump(with_change(f"{P}.whatsapp.wabaId", "HERE"))
    path.write_text(text.replace("HERE", written))

    with pytest.raises(ConfigError) as caught:
        profiles_of(read_document(path))

    assert f'"{written}"' in str(caught.value)


def test_the_published_shape_works_unchanged_in_yaml_and_json(tmp_path: Path):
    profile = {
        "graph": {"apiVersion": "v25.0", "baseUrl": "https://graph.facebook.com"},
        "whatsapp": {"wabaId": "000000000000000", "phoneNumberId": "00000000000"},
        "auth": {"accessToken": {"env": "WATS_ACCESS_TOKEN"}},
        "webhook": {
            "path": "/webhooks/whatsapp",
            "verifyToken": {"env": "WATS_VERIFY_TOKEN"},
            "appSecret": {"env": "WATS_APP_SECRET"},
            "maxBodyBytes": 1048576,
        },
        "service": {
            "host": "0.0.0.0",
            "port": 8787,
            "apiPrefix": "/v1",
            "bearerToken": {"env": "WATS_SERVICE_TOKEN"},
        },
    }
    config = {"version": 1, "defaultProfile": "local", "profiles": {"local": profile, "prod": profile}}
    (tmp_path / "a.json").write_text(json.dumps(config))
    (tmp_path / "a.yaml").write_text(yaml.dump(config, Dumper=PlainDumper))

    from_json, from_yaml = (profiles_of(read_document(tmp_path / f"a.{kind}")) for kind in ("json", "yaml"))

    assert from_json == from_yaml
