"""Two processes of one server: the same public address, the same store, each its own port."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from server import Server

Replicas = tuple[Server, Server]


# Not even for the two seconds of the default may the other go on accepting what was revoked.
SETTINGS = {"revocation_seconds": "0"}


@contextmanager
def running_replicas(directory: Path, store: str) -> Iterator[Replicas]:
    one = Server(made(directory / "one"), store, **SETTINGS)
    # Both are named by the address of a balancer in front; here `one` stands where that would.
    other = Server(made(directory / "other"), store, base_url=one.url(""), **SETTINGS)
    try:
        with ThreadPoolExecutor() as at_once:
            list(at_once.map(Server.start, (one, other)))
        yield one, other
    finally:
        for server in (one, other):
            if server.is_running:
                server.stop()


def made(directory: Path) -> Path:
    directory.mkdir()
    return directory
