"""An expired access token is renewed without a person, and each refresh token is replaced by the next."""

import pytest

from application import Application
from builtin_tools import assert_tools_work
from server import Server
from ways import ONE_OF_EACH_PROTOCOL, WAYS, Way


@pytest.mark.parametrize("way", ONE_OF_EACH_PROTOCOL.values(), ids=ONE_OF_EACH_PROTOCOL.keys())
async def test_rf_01_a_refresh_renews_both_tokens(way: Way, server: Server, application: Application) -> None:
    async with way.connect(application, server) as client:
        first = application.disk.tokens
        application.access_token_expires()
        await assert_tools_work(client)
        second = application.disk.tokens
        application.access_token_expires()
        await assert_tools_work(client)
        third = application.disk.tokens

    assert first is not None and second is not None and third is not None
    assert all(tokens.refresh_token for tokens in (first, second, third))
    assert len({tokens.refresh_token for tokens in (first, second, third)}) == 3
    assert len({tokens.access_token for tokens in (first, second, third)}) == 3
    assert {tokens.scope for tokens in (second, third)} == {first.scope}
    assert application.sign_ins == 1


async def test_a_new_process_refreshes_for_the_address_it_was_given(
    server: Server, application: Application
) -> None:
    """It has read no metadata yet: it names the address as typed, here with a slash at the end."""
    way = WAYS["streamable_http_trailing_slash"]
    async with way.connect(application, server):
        granted = application.disk.tokens

    async with way.connect(application, server) as client:
        application.access_token_expires()
        await assert_tools_work(client)

    assert application.disk.tokens != granted
    assert application.sign_ins == 1
