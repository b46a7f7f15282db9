"""The server speaks TLS itself: both versions of HTTP, and a certificate that is replaced while it runs."""

import json
import os
import pty
import shutil
import signal
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from publisher import HOST, write_certificate
from server import BINARY, DEADLINE_SECONDS, POLL_SECONDS, Server

CALL = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "hello", "arguments": {"name": "TLS"}}}


class TlsServer(Server):
    """A server with a certificate of its own, good for 127.0.0.1."""

    def __init__(self, directory: Path) -> None:
        self.certificate, self.key = directory / "certificate.pem", directory / "key.pem"
        write_certificate(self.certificate, self.key)
        super().__init__(
            directory, tls_certificate_file=str(self.certificate), tls_key_file=str(self.key)
        )

    def url(self, path: str, host: str = HOST) -> str:
        return f"https://{host}:{self.port}{path}"

    def shown(self) -> bytes:
        """The certificate of the next connection."""
        return ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate((HOST, self.port)))

    def read_again(self, expected: str) -> None:
        """Asks for the files to be read again, until the log says what came of it."""
        before = self.log.stat().st_size
        assert self._process is not None
        self._process.send_signal(signal.SIGHUP)
        wait_until(lambda: expected in self.log.read_text(errors="replace")[before:])

    def curl(self, *arguments: str) -> str:
        curl = shutil.which("curl")
        assert curl, "curl is missing: the suite has no other client of HTTP/2"
        command = [curl, "--silent", "--show-error", "--noproxy", "*", "--cacert", str(self.certificate)]
        done = subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=DEADLINE_SECONDS)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _answers(self, http: httpx2.Client) -> bool:
        try:
            self.shown()
        except OSError:
            return False
        return True


def wait_until(happened) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(POLL_SECONDS)


@pytest.fixture
def tls_server(tmp_path: Path, logs: list[Path]) -> Iterator[TlsServer]:
    server = TlsServer(tmp_path)
    logs.append(server.log)
    server.start()
    try:
        yield server
    finally:
        if server.is_running:
            server.stop()


@pytest.mark.parametrize(("flag", "version"), [("--http1.1", "1.1"), ("--http2", "2")])
def test_a_tool_is_called_over_tls(tls_server: TlsServer, flag: str, version: str) -> None:
    token = json.loads(tls_server.curl(flag, tls_server.url("/dev/token")))["access_token"]
    answer = tls_server.curl(
        flag,
        *("--header", f"Authorization: Bearer {token}"),
        *("--json", json.dumps(CALL)),
        *("--write-out", "\n%{http_version} %{response_code}"),
        tls_server.url("/mcp"),
    )
    body, line = answer.rsplit("\n", 1)
    assert line == f"{version} 200"
    assert "TLS" in json.loads(body)["result"]["content"][0]["text"]


def test_addresses_are_https_with_tls(tls_server: TlsServer) -> None:
    answer = tls_server.curl("--include", tls_server.url("/.well-known/oauth-authorization-server"))
    head, body = answer.split("\n\n", 1)
    assert json.loads(body)["issuer"] == f"https://localhost:{tls_server.port}"
    assert "strict-transport-security:" in head.lower()


def test_a_renewed_certificate_is_shown_after_sighup_and_a_broken_one_is_not(tls_server: TlsServer) -> None:
    old = tls_server.shown()
    write_certificate(tls_server.certificate, tls_server.key)
    tls_server.read_again("the TLS certificate was read again")
    new = tls_server.shown()
    assert new != old
    assert new == ssl.PEM_cert_to_DER_cert(tls_server.certificate.read_text())
    tls_server.key.write_text("no key")
    tls_server.read_again("the one before stays in use")
    assert str(tls_server.key) in tls_server.log.read_text(errors="replace")
    assert tls_server.shown() == new
    assert "200" in tls_server.curl("--include", tls_server.url("/mcp/health")).splitlines()[0]


def test_sighup_alone_ends_nothing_and_the_end_of_the_terminal_does(tmp_path: Path) -> None:
    settings = ["--port", "0", "--store", "memory"]
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(tmp_path)
        os.execve(BINARY, [str(BINARY), *settings], {"PATH": os.environ["PATH"]})
    try:
        printed = b""
        while b"npx" not in printed:
            printed += os.read(terminal, 4096)
        os.kill(process, signal.SIGHUP)
        while b"SIGHUP: reading again" not in printed:
            printed += os.read(terminal, 4096)
        os.close(terminal)
        wait_until(lambda: os.waitid(os.P_PID, process, os.WEXITED | os.WNOHANG | os.WNOWAIT))
    finally:
        os.kill(process, signal.SIGKILL)
        _, status = os.waitpid(process, 0)
    assert os.waitstatus_to_exitcode(status) == 0
