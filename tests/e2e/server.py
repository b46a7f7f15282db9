"""The server under test as a process: started, stopped, killed and started again on its database."""

import os
import random
import signal
import socket
import subprocess
import time
from pathlib import Path

import httpx2

from http_client import AUTHORITIES

BINARY = Path(
    os.environ.get("MCP_OAUTH_SERVER")
    or Path(__file__).resolve().parents[2] / "target" / "debug" / "mcp-oauth-server"
).resolve()

DEADLINE_SECONDS = 60.0
POLL_SECONDS = 0.05


class Server:
    """One installation: a directory with a database and a log, settings, and at most one running process.

    Several that are given one `store` are replicas of one server, if they agree in their settings.
    """

    def __init__(
        self,
        directory: Path,
        store: str | None = None,
        configuration: str | None = None,
        binary: Path = BINARY,
        **settings: str,
    ) -> None:
        self._binary = binary
        self.port = free_port()
        self.log = directory / "server.log"
        self._directory = directory
        # Not a flag: a password in it would be there for every user of the machine to see.
        self._settings = {"store": store or f"sqlite:{directory / 'store.sqlite'}", **settings}
        self._configuration: Path | None = None
        if configuration is not None:
            self._configuration = directory / "server.toml"
            self._configuration.write_text(configuration)
        self._process: subprocess.Popen | None = None

    def url(self, path: str, host: str = "localhost") -> str:
        return f"http://{host}:{self.port}{path}"

    def start(self) -> None:
        assert self._binary.is_file(), f"{self._binary} is missing: run `cargo build`, or set MCP_OAUTH_SERVER"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command(),
                cwd=self._directory,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            self._wait_until_healthy()
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """Asks the process to end, as a service manager does; it must end well."""
        assert self._end(signal.SIGTERM) == 0, self._complaint("did not end well")

    def kill(self) -> None:
        """Ends the process as a power cut would: nothing is flushed, nothing closed."""
        self._end(signal.SIGKILL)

    def tell(self, number: signal.Signals) -> None:
        """Tells the running process something."""
        assert self._process is not None, "the server is not running"
        self._process.send_signal(number)

    @property
    def is_running(self) -> bool:
        return self._process is not None

    def children(self) -> set[int]:
        """The processes that it started and that run, by their id."""
        assert self._process is not None, "the server is not running"
        threads = Path(f"/proc/{self._process.pid}/task").glob("*/children")
        return {int(child) for children in threads for child in children.read_text().split()}

    def command(self, *arguments: str) -> str:
        """What the program prints when it is run with a command, over the same store."""
        done = self.run(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The program beside the server, with its settings, until it ends as it likes."""
        return subprocess.run(
            [str(self._binary), *self._settings_flags(), *arguments],
            cwd=self._directory,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
        )

    def _environment(self) -> dict[str, str]:
        # The documented names (BASE_URL, ISSUER and so on) may be set where the suite runs.
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self._directory),
            # All these people sign in within seconds and from one address.
            "MCP_OAUTH_LIMITS": "false",
            **{f"MCP_OAUTH_{name.upper()}": value for name, value in self._settings.items()},
        }

    def _command(self) -> list[str]:
        # Debug is what an operator in trouble turns on, so it is the level that must keep secrets.
        return [str(self._binary), *self._settings_flags(), "--log-level", "debug"]

    def _settings_flags(self) -> list[str]:
        file = [] if self._configuration is None else ["--config", str(self._configuration)]
        return [*file, "--port", str(self.port)]

    def _wait_until_healthy(self) -> None:
        deadline = time.monotonic() + DEADLINE_SECONDS
        with httpx2.Client(trust_env=False, verify=AUTHORITIES) as http:
            while not self._answers(http):
                assert self._process is not None and self._process.poll() is None, self._complaint("ended")
                assert time.monotonic() < deadline, self._complaint("is not healthy")
                time.sleep(POLL_SECONDS)

    def _answers(self, http: httpx2.Client) -> bool:
        try:
            return http.get(self.url("/mcp/health")).status_code == 200
        except httpx2.TransportError:
            return False

    def _end(self, how: signal.Signals) -> int:
        assert self._process is not None, "the server is not running"
        process, self._process = self._process, None
        process.send_signal(how)
        try:
            return process.wait(DEADLINE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(self._complaint(f"outlived {how.name}")) from None

    def _complaint(self, what: str) -> str:
        tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-30:])
        return f"{self._binary.name} {what}; its log ends with:\n{tail}"


def is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def has_ipv6_loopback() -> bool:
    return socket.has_ipv6 and is_free("::1", 0)


def free_port() -> int:
    """A port free on both loopback families, from below the range of outgoing connections.

    A port of that range could be taken by some outgoing connection between a stop and a restart.
    """
    hosts = ["127.0.0.1", "::1"] if has_ipv6_loopback() else ["127.0.0.1"]
    for port in random.sample(range(20_000, 32_000), 100):
        if all(is_free(host, port) for host in hosts):
            return port
    raise AssertionError("no free port on loopback")
