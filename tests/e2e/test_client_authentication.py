"""Whichever way a client asks to authenticate, its registration is one it can use."""

import pytest
from mcp.shared.auth import TokenEndpointAuthMethod

from application import Application
from builtin_tools import assert_tools_work
from seen_secrets import SeenSecrets
from server import Server


@pytest.mark.parametrize("auth_method", ["none", "client_secret_post", "client_secret_basic"])
async def test_a_client_keeps_the_method_it_asked_for(
    auth_method: TokenEndpointAuthMethod, server: Server, seen: SeenSecrets
) -> None:
    application = Application(seen, auth_method)
    async with application.over_streamable_http(server.url("/mcp")) as client:
        await assert_tools_work(client)
        application.access_token_expires()
        await assert_tools_work(client)

    registration = application.disk.registration
    assert registration is not None
    assert registration.token_endpoint_auth_method == auth_method
    assert (registration.client_secret is None) == (auth_method == "none")
    assert application.sign_ins == 1


async def test_rg_04_a_client_that_names_no_method_is_told_the_one_it_got(
    server: Server, application: Application
) -> None:
    async with application.over_streamable_http(server.url("/mcp")) as client:
        await assert_tools_work(client)

    registration = application.disk.registration
    assert registration is not None
    assert registration.token_endpoint_auth_method == "client_secret_basic"
    assert registration.client_secret
