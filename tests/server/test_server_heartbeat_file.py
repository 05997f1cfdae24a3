"""The sign of life of a web process needs no folder."""

from types import SimpleNamespace

from gunicorn.workers import base

from app.server import gunicorn_worker, process_watch
from app.server.heartbeat_file import HeartbeatFile


def test_a_web_process_gives_its_sign_of_life_without_a_folder() -> None:
    config = SimpleNamespace(uid=0, gid=0, umask=0, worker_tmp_dir="/nowhere")
    file = HeartbeatFile(config)
    made = file.last_update()

    file.notify()

    assert file.last_update() != made
    file.close()


def test_gunicorns_workers_use_it() -> None:
    assert gunicorn_worker.process_watch is process_watch
    assert issubclass(base.WorkerTmp, HeartbeatFile)
