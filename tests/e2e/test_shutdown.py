"""A server that is asked to end does so, whoever is connected."""

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
