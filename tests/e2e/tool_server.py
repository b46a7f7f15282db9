"""An MCP server without logins of its own, to stand behind the server under test: `python tool_server.py NAME`."""

import os
import sys

from mcp.server.mcpserver import Context, MCPServer

server = MCPServer(f"behind-{sys.argv[1]}")


@server.tool()
def echo(text: str) -> str:
    """Says it again."""
    return text


@server.tool()
def environment() -> str:
    """The names of the variables this process has."""
    return " ".join(sorted(os.environ))


@server.tool()
def process() -> int:
    """Which process answers."""
    return os.getpid()


@server.tool()
def who_calls(context: Context) -> str:
    """What is told of the caller."""
    return str(context.request_context.meta)


if __name__ == "__main__":
    server.run("stdio")
