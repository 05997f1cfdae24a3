"""Tracing does not stop the tests: on CPython 3.11 it would, now and then, when two traced threads end at once."""

import sys
import threading
import weakref

import pytest
from greenlet import getcurrent, greenlet

from tests.support.child.main_greenlets import keep_main_greenlets
from tests.support.tracing import untraced
from tests.support.waiting import wait_for


def main_greenlet_of_a_thread() -> "weakref.ref[greenlet]":
    """Run a thread to its end, and what is left to do then, and return its main greenlet."""
    found = []
    thread = threading.Thread(target=lambda: found.append(weakref.ref(getcurrent())))
    thread.start()
    thread.join()
    later = threading.Thread(target=getcurrent)
    later.start()
    later.join()
    return found[0]


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="only CPython 3.11 loops")
def test_the_main_greenlet_of_a_traced_thread_is_not_freed_in_a_pending_call() -> None:
    with untraced():
        wait_for(lambda: main_greenlet_of_a_thread()() is None)
        threading.settrace(lambda *_: None)
        keep_main_greenlets()

        kept = [main_greenlet_of_a_thread() for _ in range(20)]

    assert all(greenlet() for greenlet in kept)
