"""A server that is asked to end does so, whoever is connected."""

from pathlib import Path

from developer_token import bearer, developer_token
from http_client import observed_client
from seen_secrets import SeenSecrets
from server import Server


async def test_a_client_that_holds_a_stream_open_does_not_hold_up_the_end(
    restartable_server: Server, seen: SeenSecrets
) -> None:
    headers = bearer(await developer_token(restartable_server, seen)) | {"Accept": "text/event-stream"}
    async with (
        observed_client(seen, headers=headers) as http,
        http.stream("GET", restartable_server.url("/mcp/sse")) as stream,
    ):
        assert stream.status_code == 200
        restartable_server.stop()


async def test_a_log_that_cannot_be_written_breaks_no_request_and_not_the_end(
    restartable_server: Server, seen: SeenSecrets
) -> None:
    restartable_server.stop()
    readable, restartable_server.log = restartable_server.log, Path("/dev/full")
    try:
        restartable_server.start()
        async with observed_client(seen, headers={"Authorization": "Bearer no-token"}) as http:
            refused = await http.post(restartable_server.url("/mcp"), json={})
        assert refused.status_code == 401
        restartable_server.stop()
    finally:
        restartable_server.log = readable
