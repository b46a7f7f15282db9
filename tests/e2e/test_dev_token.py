"""`/dev/token` gives a developer a token without a browser, and no more than what was asked for."""

from typing import Any

import httpx2
import jwt
import pytest
from mcp import Client
from mcp.client.auth.utils import extract_field_from_www_auth
from mcp.client.streamable_http import streamable_http_client

from builtin_tools import assert_tools_work
from developer_token import bearer, developer_token
from http_client import observed_client
from seen_secrets import SeenSecrets
from server import Server

FOREIGN_AUDIENCE = "https://elsewhere.example/mcp"


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_the_token_opens_the_tools(method: str, server: Server, seen: SeenSecrets) -> None:
    answer = await developer_token(server, seen, method)

    assert answer["token_type"] == "Bearer"
    async with (
        observed_client(seen, headers=bearer(answer)) as http,
        Client(streamable_http_client(server.url("/mcp"), http_client=http)) as client,
    ):
        await assert_tools_work(client)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_audience_scope_and_lifetime_are_the_ones_asked_for(
    method: str, server: Server, seen: SeenSecrets
) -> None:
    answer = await developer_token(
        server, seen, method, audience=FOREIGN_AUDIENCE, scope="openid mcp:tools", expires_in="123"
    )

    claims = await verified_claims(answer, server, seen, FOREIGN_AUDIENCE)
    assert answer["expires_in"] == 123
    assert claims["exp"] - claims["iat"] == 123
    assert set(answer["scope"].split()) == set(claims["scope"].split()) == {"openid", "mcp:tools"}


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_rs_18_a_token_for_another_audience_is_challenged(
    method: str, server: Server, seen: SeenSecrets
) -> None:
    answer = await developer_token(server, seen, method, audience=FOREIGN_AUDIENCE)

    refusal = await call_hello(answer, server, seen)

    assert refusal.status_code == 401
    assert extract_field_from_www_auth(refusal, "error") == "invalid_token"
    assert extract_field_from_www_auth(refusal, "resource_metadata")


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_rs_10_a_token_without_the_scope_is_told_which_is_missing(
    method: str, server: Server, seen: SeenSecrets
) -> None:
    answer = await developer_token(server, seen, method, scope="openid")

    refusal = await call_hello(answer, server, seen)

    assert refusal.status_code == 403
    assert extract_field_from_www_auth(refusal, "error") == "insufficient_scope"
    assert extract_field_from_www_auth(refusal, "scope") == "mcp:tools"
    assert extract_field_from_www_auth(refusal, "resource_metadata")


async def verified_claims(
    answer: dict[str, Any], server: Server, seen: SeenSecrets, audience: str
) -> dict[str, Any]:
    async with observed_client(seen) as http:
        published = jwt.PyJWKSet.from_dict((await http.get(server.url("/.well-known/jwks.json"))).json())
    token = answer["access_token"]
    key = published[jwt.get_unverified_header(token)["kid"]]
    return jwt.decode(token, key, algorithms=["RS256"], audience=audience)


async def call_hello(answer: dict[str, Any], server: Server, seen: SeenSecrets) -> httpx2.Response:
    headers = {**bearer(answer), "Accept": "application/json, text/event-stream"}
    async with observed_client(seen, headers=headers) as http:
        call = {"name": "hello", "arguments": {"name": "Ada"}}
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
        return await http.post(server.url("/mcp"), json=message)
