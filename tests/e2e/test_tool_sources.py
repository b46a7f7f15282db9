"""Tools that come from elsewhere: an MCP server behind this one, an OpenAPI document, and both exchanged while
clients are connected."""

import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import anyio
import pytest
from mcp import Client

from application import Application
from server import Server, free_port
from ways import ONE_OF_EACH_PROTOCOL, Way

TOOL_SERVER = [sys.executable, str(Path(__file__).parent / "tool_server.py")]
SECRET = "a-secret-of-the-service"

# Ends a wait for what must come; no test measures it.
DEADLINE_SECONDS = 60.0


class Service(BaseHTTPRequestHandler):
    """A service that tells what it was asked, and how."""

    def do_GET(self) -> None:
        asked = {"path": self.path, "headers": {name.lower(): value for name, value in self.headers.items()}}
        body = json.dumps(asked).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def service() -> Iterator[str]:
    http = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    threading.Thread(target=http.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{http.server_port}"
    http.shutdown()
    http.server_close()


class Installation:
    """A server whose configuration changes while it runs."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.server = Server(directory, configuration="")

    def configure(self, *tables: str) -> None:
        (self.directory / "server.toml").write_text("demo_tools = false\n" + "\n".join(tables))

    def reload(self) -> None:
        self.server.tell(signal.SIGHUP)


@pytest.fixture
def installation(tmp_path: Path, logs: list[Path]) -> Iterator[Installation]:
    installation = Installation(tmp_path)
    yield installation
    if installation.server.is_running:
        installation.server.stop()
    if installation.server.log.exists():
        logs.append(installation.server.log)


def behind(name: str, *settings: str) -> str:
    command = json.dumps([*TOOL_SERVER, name])
    return "\n".join([f"[tools.{name}]", f"command = {command}", *settings])


def pets(directory: Path, service: str, *settings: str) -> str:
    name = {"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}
    operation = {"operationId": "findPet", "parameters": [name], "responses": {"200": {"description": "A pet"}}}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "Pets", "version": "1"},
        "servers": [{"url": f"{service}/v1"}],
        "paths": {"/pets/{name}": {"get": operation}},
    }
    (directory / "pets.json").write_text(json.dumps(document))
    return "\n".join(["[tools.pets]", f'openapi = "{directory / "pets.json"}"', *settings])


async def names(client: Client) -> set[str]:
    return {tool.name for tool in (await client.list_tools()).tools}


async def text(client: Client, tool: str, arguments: dict | None = None) -> str:
    answer = await client.call_tool(tool, arguments or {})
    assert not answer.is_error, answer
    return answer.content[0].text


async def until_named(client: Client, wanted: set[str]) -> None:
    with anyio.fail_after(DEADLINE_SECONDS):
        while await names(client) != wanted:
            await anyio.sleep(0.05)


@pytest.mark.parametrize("way", ONE_OF_EACH_PROTOCOL.values(), ids=ONE_OF_EACH_PROTOCOL.keys())
async def test_tools_of_several_sources_are_used_like_our_own(
    way: Way, installation: Installation, application: Application, service: str
) -> None:
    key = f'headers = {{ X-Api-Key = "{SECRET}" }}'
    document = pets(installation.directory, service, 'prefix = "pets_"', key, 'caller_header = "X-Caller"')
    installation.configure(behind("side", 'prefix = "side_"', 'pass_caller = "meta"'), document)
    installation.server.start()
    async with way.connect(application, installation.server) as client:
        side = {"side_echo", "side_environment", "side_process", "side_who_calls"}
        assert await names(client) == side | {"pets_findPet"}
        assert await text(client, "side_echo", {"text": "Grüezi"}) == "Grüezi"
        told = await text(client, "side_who_calls")
        assert '"alice"' in told or "'alice'" in told, told

        asked = json.loads(await text(client, "pets_findPet", {"name": "a/b?x=1"}))
        assert asked["path"] == "/v1/pets/a%2Fb%3Fx%3D1"
        assert asked["headers"]["x-api-key"] == SECRET
        assert asked["headers"]["x-caller"] == "alice"
        assert "authorization" not in asked["headers"] and "cookie" not in asked["headers"]

        climbing = await client.call_tool("pets_findPet", {"name": "../../admin"})
        assert climbing.is_error and "argument `name`" in climbing.content[0].text
        missing = await client.call_tool("pets_findPet", {})
        assert missing.is_error and '"name" is a required property' in missing.content[0].text
    assert SECRET not in installation.server.log.read_text()


async def test_the_tool_server_sees_nothing_of_our_environment(
    installation: Installation, application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation.configure(behind("side", 'environment = { GIVEN = "yes" }'))
    installation.server.start()
    async with application.over_streamable_http(installation.server.url("/mcp")) as client:
        variables = set((await text(client, "environment")).split())
    assert "GIVEN" in variables
    assert not {name for name in variables if name.startswith("MCP_OAUTH_")}, variables


async def test_sources_are_exchanged_while_clients_are_connected(
    installation: Installation, application: Application, service: str
) -> None:
    installation.configure(behind("side", 'prefix = "side_"'))
    installation.server.start()
    side = {"side_echo", "side_environment", "side_process", "side_who_calls"}
    async with application.over_streamable_http(installation.server.url("/mcp")) as client:
        assert await names(client) == side
        process = await text(client, "side_process")

        installation.configure(
            behind("side", 'prefix = "side_"'), pets(installation.directory, service, 'prefix = "pets_"')
        )
        installation.reload()
        await until_named(client, side | {"pets_findPet"})
        assert await text(client, "side_process") == process, "an MCP server whose table is as it was was restarted"

        installation.configure("[tools.side]", "comand = []")
        installation.reload()
        await until_logged(installation.server, "nothing has changed")
        assert await names(client) == side | {"pets_findPet"}

        installation.configure('scopes = { "mcp:tools" = "Use tools", "mcp:admin" = "Everything" }')
        installation.reload()
        await until_logged(installation.server, "not as they were at the start")
        assert await names(client) == side | {"pets_findPet"}

        rule = '[[access_rules]]\ntools = ["*"]\ngroups = ["nobody"]'
        installation.configure(rule, pets(installation.directory, service, 'prefix = "pets_"'))
        installation.reload()
        await until_named(client, set())
    await until_gone(int(process))


async def test_a_tool_server_that_is_down_takes_no_other_with_it(
    installation: Installation, application: Application
) -> None:
    nobody = f'[tools.nobody]\nurl = "http://127.0.0.1:{free_port()}/mcp"'
    absent = '[tools.absent]\ncommand = ["/nonexistent/tool-server"]'
    installation.configure(behind("side"), nobody, absent)
    installation.server.start()
    async with application.over_streamable_http(installation.server.url("/mcp")) as client:
        assert await text(client, "echo", {"text": "here"}) == "here"
    log = installation.server.log.read_text()
    assert "absent" in log and "/nonexistent/tool-server" in log and "nobody" in log


async def test_a_tool_server_that_is_killed_is_started_again(
    installation: Installation, application: Application
) -> None:
    installation.configure(behind("side"))
    installation.server.start()
    async with application.over_streamable_http(installation.server.url("/mcp")) as client:
        process = int(await text(client, "process"))
        os.kill(process, signal.SIGKILL)
        with anyio.fail_after(DEADLINE_SECONDS):
            while True:
                answer = await client.call_tool("process", {})
                if not answer.is_error:
                    break
                await anyio.sleep(0.05)
        next_process = int(answer.content[0].text)
        assert next_process != process
    installation.server.stop()
    await until_gone(next_process)


@pytest.mark.parametrize(
    ("tables", "told"),
    [
        ([behind("a"), behind("b")], "[tools.a] and [tools.b] both have the tool"),
        (["[tools.a]"], "it does not say where the tools come from"),
        (['[tools.a]\ncommand = []\nurl = "http://127.0.0.1:1"'], "it has both command and url"),
        (['[tools.a]\nurl = "nowhere"'], "tools.a.url"),
        (['[tools.a]\nopenapi = "missing.json"'], "missing.json"),
        (['[tools.a]\ncommand = ["x"]\nprefx = "a"'], "Did you mean prefix?"),
        (['[tools.a]\ncommand = ["x"]\nheaders = {}'], "it means nothing with a command"),
        (['[tools.a]\ncommand = ["x"]\nscopes = ["other"]'], '"other" is not among the scopes'),
        (['[tools.a]\nopenapi = "x"\ncredentials = { kind = "magic" }'], '"magic" is not supported'),
        (['[tools.a]\nopenapi = "x"\ncredentials = { kind = "basic" }'], "tools.a.credentials.username"),
    ],
    ids=["clash", "nothing", "both", "address", "document", "key", "misplaced", "scope", "kind", "missing"],
)
def test_what_is_wrong_with_a_source_is_told_at_the_start(
    tables: list[str], told: str, installation: Installation
) -> None:
    installation.configure(*tables)
    ended = installation.server.run()
    assert ended.returncode != 0
    assert told in ended.stderr, ended.stderr


async def until_logged(server: Server, what: str) -> None:
    with anyio.fail_after(DEADLINE_SECONDS):
        while what not in server.log.read_text():
            await anyio.sleep(0.05)


async def until_gone(process: int) -> None:
    with anyio.fail_after(DEADLINE_SECONDS):
        while Path(f"/proc/{process}").exists():
            await anyio.sleep(0.05)
