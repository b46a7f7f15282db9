"""A server that comes back on its database knows its clients, its grants and its keys."""

from collections.abc import Callable

import pytest

from application import Application
from builtin_tools import assert_tools_work
from server import Server
from ways import ONE_OF_EACH_PROTOCOL, Way

ENDS = {"stopped": Server.stop, "killed": Server.kill}


@pytest.mark.parametrize("way", ONE_OF_EACH_PROTOCOL.values(), ids=ONE_OF_EACH_PROTOCOL.keys())
@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS.keys())
async def test_rg_10_tokens_and_registration_outlive_the_process(
    end: Callable[[Server], None], way: Way, restartable_server: Server, application: Application
) -> None:
    async with way.connect(application, restartable_server) as client:
        # So that the refresh token under test is a rotated one, written just before the end.
        application.access_token_expires()
        await assert_tools_work(client)
    before = application.disk.tokens

    end(restartable_server)
    restartable_server.start()

    async with way.connect(application, restartable_server) as client:
        await assert_tools_work(client)
        assert application.disk.tokens == before
        application.access_token_expires()
        await assert_tools_work(client)
        assert application.disk.tokens != before
    assert application.sign_ins == 1


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS.keys())
async def test_rg_10_a_registration_outlives_the_process_without_tokens(
    end: Callable[[Server], None], restartable_server: Server, application: Application
) -> None:
    url = restartable_server.url("/mcp")
    await application.authorization_url(url)
    registration = application.disk.registration

    end(restartable_server)
    restartable_server.start()

    async with application.over_streamable_http(url) as client:
        await assert_tools_work(client)
    assert application.disk.registration == registration
