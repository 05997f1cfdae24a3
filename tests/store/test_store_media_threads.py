"""What the native threads of the folder of media may not do: two that import one module at once may wait for ever."""

import subprocess
import sys
from pathlib import Path

from tests.support.serving import ROOT
from tests.support.waiting import DEADLINE_SECONDS

USING_THE_FOLDER = """
from app.gevent_patch import native, patch
patch()
import sys
from pathlib import Path
from app.store.media_folder import MediaFolder

thread_id = native("_thread", "get_ident")
main_thread = thread_id()

def print_import(event, arguments):
    if event == "import" and thread_id() != main_thread:
        print(arguments[0])

folder = MediaFolder(Path(sys.argv[1]), 0, lambda: "0123456789abcdef")
sys.addaudithook(print_import)
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
    using = [sys.executable, "-c", USING_THE_FOLDER, str(tmp_path / "media")]

    ended = subprocess.run(using, cwd=ROOT, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=True)

    assert ended.stdout.split() == []
