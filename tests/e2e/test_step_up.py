"""Tools that need more than a client has: it is told what, gets it and goes on (MCP authorization, scope
challenge handling)."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from mcp import MCPError

from application import Application
from conftest import running_server
from server import Server
from ways import ONE_OF_EACH_PROTOCOL, Way

CONFIGURATION = """
list_everything = true
scope_includes = { "mcp:admin" = ["numbers:add"] }

[scopes]
"mcp:tools" = "Use the tools of this server on your behalf"
"numbers:add" = "Add numbers"
"mcp:admin" = "Everything"

[[access_rules]]
tools = ["add_*"]
scopes = ["numbers:add"]
"""

GROUPS = """
[[access_rules]]
tools = ["add_*"]
groups = ["mathematicians"]
"""


@pytest.fixture
def ruled(tmp_path: Path, logs: list[Path]) -> Iterator[Server]:
    with running_server(tmp_path, logs, configuration=CONFIGURATION) as server:
        yield server


@pytest.mark.parametrize("way", ONE_OF_EACH_PROTOCOL.values(), ids=ONE_OF_EACH_PROTOCOL.keys())
async def test_rs_13_a_client_steps_up_when_a_tool_needs_more(
    way: Way, ruled: Server, application: Application
) -> None:
    async with way.connect(application, ruled) as client:
        greeting = await client.call_tool("hello", {"name": "World"})
        assert not greeting.is_error
        assert application.sign_ins == 1
        assert granted(application) == {"mcp:tools"}

        listed = {tool.name for tool in (await client.list_tools()).tools}
        assert listed == {"hello", "add_numbers"}
        added = await client.call_tool("add_numbers", {"a": 2, "b": 40})
        assert added.content[0].text == "42"
        assert application.sign_ins == 2
        assert granted(application) == {"mcp:tools", "numbers:add"}

        await client.call_tool("add_numbers", {"a": 1, "b": 1})
        assert application.sign_ins == 2


async def test_rs_10_nobody_signs_in_again_for_a_group_that_signing_in_does_not_give(
    tmp_path: Path, logs: list[Path], application: Application
) -> None:
    with running_server(tmp_path, logs, configuration=GROUPS) as server:
        async with application.over_streamable_http(server.url("/mcp")) as client:
            assert [tool.name for tool in (await client.list_tools()).tools] == ["hello"]
            with pytest.raises(MCPError):
                await client.call_tool("add_numbers", {"a": 1, "b": 1})
    assert application.sign_ins == 1
    assert "one of the groups or roles mathematicians" in server.log.read_text()


def granted(application: Application) -> set[str]:
    """What the token allows, the permission to refresh aside."""
    assert application.disk.tokens is not None
    return set(str(application.disk.tokens.scope).split()) - {"offline_access"}
