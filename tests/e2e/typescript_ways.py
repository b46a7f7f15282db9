"""The ways in which a client of the TypeScript SDKs can talk to the server."""

from dataclasses import dataclass
from typing import Any

from server import Server


@dataclass(frozen=True)
class TypescriptWay:
    sdk: int
    """1 is `@modelcontextprotocol/sdk`, 2 is `@modelcontextprotocol/client`."""
    transport: str = "http"
    mode: str = "legacy"
    """`legacy` shakes hands, `auto` asks first."""

    @property
    def is_modern(self) -> bool:
        return self.mode == "auto"

    def to(self, server: Server) -> dict[str, Any]:
        path = "/mcp/sse" if self.transport == "sse" else "/mcp"
        return {"sdk": self.sdk, "transport": self.transport, "mode": self.mode, "url": server.url(path)}


WAYS = {
    "client_2_auto": TypescriptWay(2, mode="auto"),
    "client_2_legacy": TypescriptWay(2),
    "client_2_sse": TypescriptWay(2, transport="sse"),
    "sdk_1_http": TypescriptWay(1),
    "sdk_1_sse": TypescriptWay(1, transport="sse"),
}
