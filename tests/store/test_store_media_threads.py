"""What the native threads of the folder of media may not do."""

from pathlib import Path

from tests.support.native_threads import imported_in_native_threads

PREPARE = """
from pathlib import Path
from app.store.media_folder import MediaFolder
folder = MediaFolder(Path(sys.argv[1]), 0, lambda: "0123456789abcdef")
"""
USE_THE_FOLDER = """
folder.mark()
folder.put_mark("a mark")
folder.mark()
folder.write("17", [b"a picture"])
folder.has_one_of(["17"])
list(folder.read("17"))
folder.sweep(lambda ids: ids)
folder.delete(["17"])
"""


def test_no_thread_of_the_folder_imports_a_module(tmp_path: Path) -> None:
    """They imported the mark's codec, and Python's locks of imports are gevent's: one thread hung in ten runs."""
    assert imported_in_native_threads(PREPARE, USE_THE_FOLDER, str(tmp_path / "media")) == []
