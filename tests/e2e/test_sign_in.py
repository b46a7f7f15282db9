"""A client that knows nothing but the address signs its user in and uses the tools."""

import pytest

from application import Application
from builtin_tools import assert_tools_work
from server import Server
from ways import WAYS, Way


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
async def test_a_new_client_signs_in_once_and_uses_the_tools(
    way: Way, server: Server, application: Application
) -> None:
    async with way.connect(application, server) as client:
        assert client.protocol_version in way.speaks
        await assert_tools_work(client)

    assert application.sign_ins == 1
    assert application.disk.tokens is not None
    assert "mcp:tools" in str(application.disk.tokens.scope).split()


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
async def test_the_next_process_of_a_client_needs_no_person(
    way: Way, server: Server, signed_in_application: Application
) -> None:
    async with way.connect(signed_in_application, server) as client:
        await assert_tools_work(client)

    assert signed_in_application.sign_ins == 1
