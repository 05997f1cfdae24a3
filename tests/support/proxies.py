"""nginx and Caddy, run with the files of deploy/ingress: only addresses, ports and paths are changed."""

import contextlib
import http.client
import os
import shutil
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import trustme

from tests.support.serving import ROOT, free_port
from tests.support.waiting import DEADLINE_SECONDS, wait_for

NAME = "wats.example.com"
INGRESS = ROOT / "deploy" / "ingress"
REFUSED = 0
"""The status of a request that ends in the TLS handshake."""

NGINX_MAIN = """
daemon off;
master_process off;
pid {folder}/pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxied;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/wats.conf;
}}
"""
CADDY_OPTIONS = """{{
	admin off
	auto_https disable_redirects
	https_port {port}
	storage file_system {folder}/storage
	default_bind 127.0.0.1
}}
"""


def program(name: str) -> str | None:
    """Return where a program is: in the virtual environment, or on the PATH of an administrator."""
    return shutil.which(name, path=f"{Path(sys.executable).parent}:{os.environ['PATH']}:/usr/sbin")


@dataclass
class Proxy:
    """A running proxy. `authority` has issued its certificate."""

    process: subprocess.Popen[bytes]
    port: int
    authority: trustme.CA

    def ask(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        certificate: trustme.LeafCert | None = None,
    ) -> tuple[int, bytes]:
        """Send one request, with or without a client certificate; return the status and the body of the response."""
        context = ssl.create_default_context()
        self.authority.configure_trust(context)
        if certificate is not None:
            certificate.configure_cert(context)
        try:
            with (
                socket.create_connection(("127.0.0.1", self.port), DEADLINE_SECONDS) as plain,
                context.wrap_socket(plain, server_hostname=NAME) as secure,
                contextlib.closing(http.client.HTTPConnection(NAME)) as connection,
            ):
                connection.sock = secure
                connection.request(method, path, body, dict(headers or {}))
                answer = connection.getresponse()
                return answer.status, answer.read()
        except (ssl.SSLError, ConnectionError, http.client.RemoteDisconnected):
            return REFUSED, b""


Start = Callable[[Path, int, int], list[str]]
"""Write a proxy's files into a folder, for a port of its own and that of its upstream; return its command."""


def nginx(file: str) -> Start:
    """Return how nginx is started with this file of deploy/ingress/nginx."""

    def start(folder: Path, port: int, upstream: int) -> list[str]:
        text = (INGRESS / "nginx" / file).read_text()
        text = _replaced(text, "    listen [::]:443 ssl;\n", "")
        text = _replaced(text, "listen 443 ssl", f"listen 127.0.0.1:{port} ssl")
        text = _replaced(text, "127.0.0.1:3000", f"127.0.0.1:{upstream}")
        (folder / "wats.conf").write_text(_replaced(text, "/etc/ssl/wats", str(folder)))
        (folder / "nginx.conf").write_text(NGINX_MAIN.format(folder=folder))
        return ["nginx", "-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf")]

    return start


def nginx_of_compose(folder: Path, port: int, upstream: int) -> list[str]:
    """Start nginx with the file that compose.yaml mounts; it speaks http, and one gateway stands for all replicas."""
    text = _replaced((ROOT / "deploy" / "compose" / "nginx.conf").read_text(), "/tmp/", f"{folder}/")
    text = _replaced(text, "listen 8080", f"listen 127.0.0.1:{port}")
    (folder / "nginx.conf").write_text(_replaced(text, "http://web:3000", f"http://127.0.0.1:{upstream}"))
    return ["nginx", "-g", "daemon off; master_process off;", "-p", str(folder), "-c", str(folder / "nginx.conf")]


def caddy(file: str) -> Start:
    """Return how Caddy is started with this file of deploy/ingress/caddy, and a certificate instead of ACME."""

    def start(folder: Path, port: int, upstream: int) -> list[str]:
        text = _replaced((INGRESS / "caddy" / file).read_text(), "127.0.0.1:3000", f"127.0.0.1:{upstream}")
        pair = f"tls {folder}/fullchain.pem {folder}/key.pem"
        if "\ttls {" in text:
            text = _replaced(text, "/etc/ssl/wats", str(folder)).replace("\ttls {", f"\t{pair} {{")
        else:
            text = text.replace(f"{NAME} {{\n", f"{NAME} {{\n\t{pair}\n")
        (folder / "Caddyfile").write_text(CADDY_OPTIONS.format(folder=folder, port=port) + text)
        return ["caddy", "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]

    return start


def _replaced(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new)


@contextlib.contextmanager
def proxying(folder: Path, start: Start, upstream: int, client_root: trustme.CA) -> Iterator[Proxy]:
    """Run a proxy in front of an upstream while the block runs; `client_root`: the root of client certificates."""
    authority = trustme.CA()
    served = authority.issue_cert(NAME)
    (folder / "fullchain.pem").write_bytes(b"".join(pem.bytes() for pem in served.cert_chain_pems))
    served.private_key_pem.write_to_path(str(folder / "key.pem"))
    client_root.cert_pem.write_to_path(str(folder / "client-root.pem"))
    port = free_port()
    command = start(folder, port, upstream)
    path = program(command[0])
    assert path is not None
    environ = {"HOME": str(folder), "PATH": os.environ["PATH"]}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([path, *command[1:]], env=environ, stdout=log, stderr=log)
    try:
        wait_for(lambda: process.poll() is not None or _listens(port))
        assert process.poll() is None, (folder / "log").read_text()
        yield Proxy(process, port, authority)
    finally:
        process.terminate()
        process.wait(DEADLINE_SECONDS)


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False
