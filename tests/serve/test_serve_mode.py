"""Mode, port and usage errors of the real command: its exit code and its messages."""

import socket
from pathlib import Path

import pytest

from tests.support.live import LIVE_ENVIRONMENT, write_config
from tests.support.serving import GUNICORN, ROOT, environment, free_port, run, serving

pytestmark = pytest.mark.usefixtures("unmeasured")

NO_SECRETS = dict.fromkeys(LIVE_ENVIRONMENT, "")


@pytest.mark.parametrize(
    ("arguments", "more", "message"),
    [
        ((), {}, "mode: none is given: --dry-run or WATS_MODE=dry-run is a dry-run; live needs two yeses: "),
        (("--live",), {}, "yes_live_missing"),
        ((), {"WATS_MODE": "live"}, "yes_live_missing"),
        (("--yes-live",), {}, "mode_missing"),
        ((), {"WATS_YES_LIVE": "1"}, "mode_missing"),
        (("--dry-run", "--live"), {}, "conflicting_flags"),
        (("--dry-run", "--yes-live"), {}, "conflicting_flags"),
        (("--dry-run", "--env-file", "/dev/null"), {}, "conflicting_flags"),
        ((), {"WATS_MODE": "LIVE"}, "bad_mode"),
        (("--live",), {"WATS_YES_LIVE": "yes"}, "bad_variable"),
        (("--live", "--yes-live"), NO_SECRETS, "secret_missing"),
        (("--live", "--yes-live", "--env-file", "/nowhere"), {}, "file_missing"),
        (("--live", "--yes-live", "--profile", "nope"), {}, "unknown_profile"),
    ],
)
def test_a_wrong_mode_or_secret_is_explained_with_exit_code_78(
    tmp_path: Path, arguments: tuple[str, ...], more: dict[str, str], message: str
) -> None:
    config = str(write_config(tmp_path))

    ended = run("serve", "--config", config, *arguments, environ=environment(tmp_path, **more))

    assert (ended.returncode, message in ended.stderr) == (78, True), ended.stderr
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "data").exists()


def test_all_missing_secrets_are_named_together(tmp_path: Path) -> None:
    config = str(write_config(tmp_path))

    ended = run("serve", "--config", config, "--live", "--yes-live", environ=environment(tmp_path, **NO_SECRETS))

    assert [name for name in LIVE_ENVIRONMENT if name not in ended.stderr] == []


BAD_PORTS = ["", "0", "65536", "99999", "-1", "+80", "080", "80.0", "0x50", " 80", "8_0", "٨٠", "http", "1e3"]


@pytest.mark.parametrize("port", BAD_PORTS)
def test_a_bad_platform_port_is_refused_in_paas_mode(tmp_path: Path, port: str) -> None:
    config = str(write_config(tmp_path))

    ended = run("serve", "--config", config, "--dry-run", "--paas", environ=environment(tmp_path, PORT=port))

    assert (ended.returncode, "bad_port" in ended.stderr) == (78, True), ended.stderr


def test_a_missing_platform_port_is_refused_in_paas_mode(tmp_path: Path) -> None:
    config = str(write_config(tmp_path))

    ended = run("serve", "--config", config, "--dry-run", environ=environment(tmp_path, WATS_PAAS="1"))

    assert (ended.returncode, "bad_port" in ended.stderr) == (78, True)


@pytest.mark.parametrize("arguments", [("--dry-run",), ("--dry-run", "--paas", "--port", "4567")])
def test_an_unneeded_platform_port_is_ignored(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    config = str(write_config(tmp_path))
    environ = environment(tmp_path, PORT="nonsense")

    shown = run("serve", "--config", config, *arguments, "--print-config", environ=environ)

    assert shown.returncode == 0, shown.stderr


def test_with_a_platform_port_serve_listens_on_every_address(tmp_path: Path) -> None:
    port = free_port()
    environ = environment(tmp_path, PORT=str(port), WATS_PORT="", WATS_CONFIG=str(write_config(tmp_path)))

    shown = run("serve", "--dry-run", "--paas", "--print-config", environ=environ)

    assert "listen.host" in shown.stdout
    assert "0.0.0.0" in shown.stdout
    assert str(port) in shown.stdout


@pytest.mark.parametrize(
    "more", [{}, {"WATS_MODE": "dry-run", "WATS_PAAS": "1", "PORT": "x", "WATS_PORT": ""}, {"WATS_MODE": "live"}]
)
def test_gunicorn_alone_exits_with_78_and_without_a_boot_loop(tmp_path: Path, more: dict[str, str]) -> None:
    environ = environment(tmp_path, WATS_CONFIG=str(write_config(tmp_path)), **more)

    with serving(tmp_path, "wsgi:app", command=(GUNICORN,), environ=environ, ready=False) as running:
        code = running.wait()

    assert code == 78
    assert "Booting worker" not in running.err
    assert "Traceback" not in running.err


def test_a_stray_env_file_supplies_no_mode_and_no_secret(tmp_path: Path) -> None:
    stray = [*(f"{name}={value}" for name, value in LIVE_ENVIRONMENT.items()), "WATS_MODE=live", "WATS_YES_LIVE=1"]
    (tmp_path / ".env").write_text("\n".join(stray))
    (tmp_path / "wsgi.py").write_text(
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\nfrom app.cli.host import command_app\napp = command_app()"
    )
    config = str(write_config(tmp_path))
    bare = environment(tmp_path, **NO_SECRETS)
    for name in NO_SECRETS:
        del bare[name]

    without_flags = run("serve", "--config", config, environ=bare, folder=tmp_path)
    with_flags = run("serve", "--config", config, "--live", "--yes-live", environ=bare, folder=tmp_path)

    assert (without_flags.returncode, "mode_missing" in without_flags.stderr) == (78, True)
    assert (with_flags.returncode, "secret_missing" in with_flags.stderr) == (78, True)


def test_a_taken_port_gives_exit_code_1_and_one_line(tmp_path: Path) -> None:
    with serving(tmp_path) as running:
        second = run(
            "serve", "--config", str(tmp_path / "wats.config.yaml"), "--live", "--yes-live", environ=running.environ
        )

    assert second.returncode == 1
    assert second.stderr == (
        f"error: cannot listen on 127.0.0.1 port {running.port}: Address already in use;"
        " give another one with --port or WATS_PORT\n"
    )


def test_a_type_that_matches_nothing_is_reported_at_the_start(tmp_path: Path) -> None:
    config = write_config(tmp_path)
    destination = '      - { name: crm, url: "http://127.0.0.1:1/", secret: { env: CRM }, types: [message.txt] }\n'
    config.write_text(f"{config.read_text()}    destinations:\n{destination}")

    with socket.create_server(("127.0.0.1", 0)) as taken:
        environ = environment(tmp_path, WATS_PORT=str(taken.getsockname()[1]))
        ended = run("serve", "--config", str(config), "--dry-run", environ=environ)

    assert "warning: destination crm.types: message.txt matches no type of event that is known" in ended.stderr
    assert "cannot listen on" in ended.stderr


def test_an_unreachable_database_gives_exit_code_1_and_no_secret(tmp_path: Path) -> None:
    storage = "    storage: { url: { env: TEST_DATABASE_URL } }\n"
    config = write_config(tmp_path)
    config.write_text(config.read_text() + storage)
    url = f"postgres://someone:hunter2-hunter2@127.0.0.1:{free_port()}/wats"
    environ = environment(tmp_path, TEST_DATABASE_URL=url, WATS_PORT=str(free_port()))

    ended = run("serve", "--config", str(config), "--live", "--yes-live", environ=environ)

    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1), ended.stderr
    assert "hunter2" not in ended.stderr
    assert "127.0.0.1" not in ended.stderr


def test_print_routes_needs_no_mode_and_names_each_guard() -> None:
    shown = run("serve", "--print-routes", environ={"PATH": "/usr/bin"})

    assert shown.returncode == 0, shown.stderr
    rows = [line.split() for line in shown.stdout.splitlines()]
    assert ["/healthz", "GET", "HEAD", "open"] in rows
    assert ["/webhooks/whatsapp", "POST", "meta-signature"] in rows
    assert not [row for row in rows if row[-1] == "none"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--port", "70000"), "Invalid value for '--port': 70000 is not in the range"),
        (("--workers", "x"), "Invalid value for '--workers'"),
        (("--dry-runn",), "--dry-run"),
    ],
)
def test_a_usage_error_names_its_option(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    ended = run("serve", *arguments, environ=environment(tmp_path))

    assert (ended.returncode, message in ended.stderr) == (2, True), ended.stderr


def test_an_unknown_host_gives_exit_code_1_and_a_reason(tmp_path: Path) -> None:
    arguments = ("--config", str(write_config(tmp_path)), "--live", "--yes-live", "--host", "nowhere.invalid")

    ended = run("serve", *arguments, environ=environment(tmp_path, WATS_PORT=str(free_port())))

    assert ended.returncode == 1
    assert ended.stderr.startswith("error: cannot listen on nowhere.invalid port ")
    assert ended.stderr.endswith("; give another one with --host or WATS_HOST\n")
    assert "Unknown error" not in ended.stderr


def test_typed_values_are_not_echoed_because_they_may_be_secrets(tmp_path: Path) -> None:
    secret = "EAAGm0PX4ZCpsBAKZCsecret"

    for arguments in ((secret,), ("serve", secret), ("serve", f"--token={secret}"), ("serve", "--port", secret)):
        ended = run(*arguments, environ=environment(tmp_path))
        assert ended.returncode == 2
        assert secret not in ended.stdout + ended.stderr
