"""The ways in which a client of the SDK can talk to the server."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from mcp import Client
from mcp_types.version import (
    HANDSHAKE_PROTOCOL_VERSIONS,
    KNOWN_PROTOCOL_VERSIONS,
    LATEST_HANDSHAKE_VERSION,
    LATEST_MODERN_VERSION,
)

from application import Application
from server import Server


@dataclass(frozen=True)
class Way:
    path: str
    mode: str
    """`legacy` shakes hands, a version is taken as given, `auto` asks and falls back to the handshake."""
    speaks: tuple[str, ...]

    def connect(
        self, application: Application, server: Server, host: str = "localhost"
    ) -> AbstractAsyncContextManager[Client]:
        url = server.url(self.path, host)
        if self.path == "/mcp/sse":
            return application.over_sse(url, self.mode)
        return application.over_streamable_http(url, self.mode)


WAYS = {
    "streamable_http_auto": Way("/mcp", "auto", (LATEST_MODERN_VERSION,)),
    "streamable_http_legacy": Way("/mcp", "legacy", (LATEST_HANDSHAKE_VERSION,)),
    "streamable_http_2026_07_28": Way("/mcp", "2026-07-28", ("2026-07-28",)),
    "streamable_http_trailing_slash": Way("/mcp/", "auto", (LATEST_MODERN_VERSION,)),
    "sse_legacy": Way("/mcp/sse", "legacy", HANDSHAKE_PROTOCOL_VERSIONS),
    "sse_auto": Way("/mcp/sse", "auto", KNOWN_PROTOCOL_VERSIONS),
}

ONE_OF_EACH_PROTOCOL = {
    name: WAYS[name] for name in ("streamable_http_auto", "streamable_http_legacy", "sse_legacy")
}
