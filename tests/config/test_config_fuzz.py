"""Whatever a file holds, what comes out is a config or a refusal, never anything else."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.config.errors import ConfigError, InvalidValue
from app.config.file.document import read_document
from app.config.schema.databases import STORAGE_URL
from app.config.schema.keys import DESTINATION, SECTIONS, TOKEN
from app.config.schema.urls import BASE_URL, DESTINATION_URL
from app.config.start.env_file import read_env_file
from tests.config.documents import P, profiles_of, with_change

KEYS = st.sampled_from(
    [
        *("version", "defaultProfile", "profiles", "p", "destinations", "env", "previous"),
        *SECTIONS,
        *(key for keys in (*SECTIONS.values(), DESTINATION, TOKEN) for key in keys),
    ]
) | st.text(max_size=5)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.dates()
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=30,
)


@given(tree=TREES)
def test_any_document_is_read_or_refused_with_a_config_error(tree: object):
    with suppress(ConfigError):
        profiles_of(tree)


@given(section=st.sampled_from([*SECTIONS, "destinations"]), tree=TREES)
def test_any_section_is_read_or_refused_with_a_config_error(section: str, tree: object):
    with suppress(ConfigError):
        profiles_of(with_change(f"{P}.{section}", tree))


@given(text=st.text(alphabet="ab1:-?[]{},&*!|>'\"%@`#~=< \n\t\\xuU0", max_size=60))
@pytest.mark.parametrize("extension", ["yaml", "json"])
def test_any_text_is_read_or_refused(extension: str, text: str, tmp_path_factory: pytest.TempPathFactory):
    path = tmp_path_factory.getbasetemp() / f"fuzz.{extension}"
    path.write_text(text)

    with suppress(InvalidValue):
        read_document(path)


@given(text=st.text(max_size=200))
def test_any_env_file_is_read_or_refused(text: str, tmp_path_factory: pytest.TempPathFactory):
    path = tmp_path_factory.getbasetemp() / "fuzz.env"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))

    with suppress(InvalidValue):
        read_env_file(path)


@given(text=st.text(max_size=60) | st.from_regex(r"https?://[0-9a-fx:.\[\]]{1,30}/"))
def test_any_url_is_read_or_refused(text: str):
    for kind in (BASE_URL, DESTINATION_URL, STORAGE_URL):
        with suppress(InvalidValue):
            kind.read(text)
