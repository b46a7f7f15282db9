"""A session of the SDK goes on when the server is restarted, and at another replica."""

from collections.abc import Callable

import httpx2
import pytest
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, is_version_at_least

from application import Application
from builtin_tools import assert_hello_greets, assert_tools_work
from http_client import observed_client
from replicas import Replicas
from seen_secrets import SeenSecrets
from server import Server

ENDS = {"stopped": Server.stop, "killed": Server.kill}
SESSION_ID = "mcp-session-id"


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS.keys())
async def test_a_session_outlives_the_process(
    end: Callable[[Server], None], restartable_server: Server, application: Application
) -> None:
    async with application.over_streamable_http(restartable_server.url("/mcp"), "legacy") as client:
        await assert_tools_work(client)
        end(restartable_server)
        restartable_server.start()
        # The same client object, which shakes hands only once.
        await assert_tools_work(client)
    assert application.sign_ins == 1


class Session:
    """A session in plain requests, which go to the replica they are told."""

    def __init__(self, seen: SeenSecrets, token: str, version: str) -> None:
        self._seen = seen
        self._headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/json, text/event-stream",
        }
        self._version = version

    async def open(self, server: Server) -> None:
        params = {
            "protocolVersion": self._version,
            "capabilities": {},
            "clientInfo": {"name": "e2e", "version": "1"},
        }
        answer = await self._post(server, {"id": 0, "method": "initialize", "params": params})
        assert answer.status_code == 200, answer.text
        self._headers[SESSION_ID] = answer.headers[SESSION_ID]
        if is_version_at_least(self._version, "2025-06-18"):
            self._headers["MCP-Protocol-Version"] = self._version
        assert (await self._post(server, {"method": "notifications/initialized"})).status_code == 202

    async def is_there(self, server: Server) -> bool:
        call = {"name": "hello", "arguments": {"name": "Ada"}}
        answer = await self._post(server, {"id": 1, "method": "tools/call", "params": call})
        assert answer.status_code in (200, 404), answer.text
        assert answer.status_code == 404 or "Hello, Ada!" in answer.text
        return answer.status_code == 200

    async def end(self, server: Server) -> int:
        async with observed_client(self._seen) as http:
            return (await http.delete(server.url("/mcp"), headers=self._headers)).status_code

    async def _post(self, server: Server, message: dict) -> httpx2.Response:
        async with observed_client(self._seen) as http:
            return await http.post(
                server.url("/mcp"), headers=self._headers, json={"jsonrpc": "2.0", **message}
            )


@pytest.mark.parametrize("version", [v for v in HANDSHAKE_PROTOCOL_VERSIONS if v >= "2025"])
async def test_a_session_is_one_at_all_replicas(
    version: str, replicas: Replicas, seen: SeenSecrets, application: Application
) -> None:
    one, other = replicas
    async with application.over_streamable_http(one.url("/mcp"), "legacy") as client:
        await assert_hello_greets(client)
    assert application.disk.tokens is not None
    session = Session(seen, application.disk.tokens.access_token, version)
    await session.open(one)
    assert await session.is_there(other)
    assert await session.is_there(one)
    one.kill()
    assert await session.is_there(other)
    one.start()
    assert await session.is_there(one)
    assert await session.end(other) == 202
    assert not await session.is_there(other)
    assert await session.end(one) == 404
