"""What the two built-in tools answer to a client that may call them."""

from mcp import Client
from mcp_types import CallToolResult, TextContent, Tool
from mcp_types.version import is_version_at_least


async def assert_tools_work(client: Client) -> None:
    tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert {"hello", "add_numbers"} <= tools.keys()
    await assert_hello_greets(client)
    await assert_add_numbers_adds(client, tools["add_numbers"])


async def assert_hello_greets(client: Client) -> None:
    greeting = await client.call_tool("hello", {"name": "Ada"})
    assert not greeting.is_error
    assert text_of(greeting) == "Hello, Ada! This is a protected endpoint."


async def assert_add_numbers_adds(client: Client, tool: Tool) -> None:
    total = await client.call_tool("add_numbers", {"a": 40, "b": 2})
    assert not total.is_error
    assert "42" in text_of(total)
    # Structured content is younger than the old transport's own revision.
    if is_version_at_least(client.protocol_version, "2025-06-18"):
        assert tool.output_schema is not None
        assert total.structured_content == dict.fromkeys(tool.output_schema["properties"], 42)


def text_of(result: CallToolResult) -> str:
    return "\n".join(block.text for block in result.content if isinstance(block, TextContent))
