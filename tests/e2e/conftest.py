"""What every test of the suite is given."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from application import Application
from postgres import empty_schema
from publisher import Publisher, running_publisher
from replicas import Replicas, running_replicas
from seen_secrets import SeenSecrets
from server import Server


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def seen() -> SeenSecrets:
    return SeenSecrets()


@pytest.fixture(scope="session")
def logs() -> list[Path]:
    """The log of every server of the run."""
    return []


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, logs: list[Path]) -> Iterator[Server]:
    """The server that tests share which leave it as they found it."""
    with running_server(tmp_path_factory.mktemp("shared"), logs) as server:
        yield server


@pytest.fixture
def restartable_server(tmp_path: Path, logs: list[Path]) -> Iterator[Server]:
    with running_server(tmp_path, logs) as server:
        yield server


@pytest.fixture(scope="session")
def publisher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Publisher]:
    """Where clients publish what they are."""
    with running_publisher(tmp_path_factory.mktemp("publisher")) as publisher:
        yield publisher


@pytest.fixture(scope="session")
def documents_server(
    tmp_path_factory: pytest.TempPathFactory, logs: list[Path], publisher: Publisher
) -> Iterator[Server]:
    """A server that reads documents of this machine."""
    authority = str(publisher.authority)
    directory = tmp_path_factory.mktemp("documents")
    with running_server(directory, logs, client_documents_test_ca_file=authority) as server:
        yield server


@pytest.fixture
def replicas(tmp_path: Path, logs: list[Path]) -> Iterator[Replicas]:
    """Two servers that were started at once on one empty database."""
    with empty_schema() as store, running_replicas(tmp_path, store) as replicas:
        logs += [server.log for server in replicas]
        yield replicas


@contextmanager
def running_server(directory: Path, logs: list[Path], **settings: str) -> Iterator[Server]:
    server = Server(directory, **settings)
    logs.append(server.log)
    server.start()
    try:
        yield server
    finally:
        if server.is_running:
            server.stop()


@pytest.fixture
def application(seen: SeenSecrets) -> Application:
    """A client that this server has never met."""
    return Application(seen)


@pytest.fixture(scope="session")
def signed_in_application(seen: SeenSecrets) -> Application:
    """A client shared by tests to which signing in is beside the point: its first connection does it."""
    return Application(seen)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The search of the log comes last, when the log is complete."""
    items.sort(key=lambda item: item.path.name == "test_log.py")
