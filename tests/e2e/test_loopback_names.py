"""`localhost`, `127.0.0.1` and `[::1]` are the same server to every client."""

import httpx2
import pytest
from mcp.client.auth.utils import extract_field_from_www_auth

from application import Application
from builtin_tools import assert_tools_work
from http_client import observed_client
from seen_secrets import SeenSecrets
from server import Server, has_ipv6_loopback
from ways import ONE_OF_EACH_PROTOCOL, Way

HOSTS = [
    "localhost",
    "127.0.0.1",
    pytest.param("[::1]", marks=pytest.mark.skipif(not has_ipv6_loopback(), reason="this machine has no ::1")),
]


@pytest.mark.parametrize("way", ONE_OF_EACH_PROTOCOL.values(), ids=ONE_OF_EACH_PROTOCOL.keys())
@pytest.mark.parametrize("host", HOSTS)
async def test_a_client_signs_in_and_refreshes_at_any_loopback_name(
    host: str, way: Way, server: Server, application: Application
) -> None:
    async with way.connect(application, server, host) as client:
        await assert_tools_work(client)
        application.access_token_expires()
        await assert_tools_work(client)

    async with way.connect(application, server, host) as client:
        # This process has discovered nothing, so it refreshes at the address it was given.
        application.access_token_expires()
        await assert_tools_work(client)

    assert application.sign_ins == 1


@pytest.mark.parametrize("path", ["/mcp", "/mcp/sse"])
@pytest.mark.parametrize("host", HOSTS)
async def test_rs_04_the_challenge_leads_to_the_resource_that_was_asked_for(
    host: str, path: str, server: Server, seen: SeenSecrets
) -> None:
    async with observed_client(seen) as http:
        refusal = await http.get(server.url(path, host), headers={"Accept": "text/event-stream"})
        assert_challenges(refusal)
        metadata = await http.get(str(extract_field_from_www_auth(refusal, "resource_metadata")))

    assert metadata.status_code == 200
    assert metadata.json()["resource"] == server.url(path, host)


def assert_challenges(refusal: httpx2.Response) -> None:
    assert refusal.status_code == 401
    assert refusal.headers["www-authenticate"].startswith("Bearer ")
    assert extract_field_from_www_auth(refusal, "scope") == "mcp:tools"
    assert extract_field_from_www_auth(refusal, "error") is None
