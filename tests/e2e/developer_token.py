"""How a developer gets and uses a token of `/dev/token`."""

from typing import Any

from http_client import observed_client
from seen_secrets import SeenSecrets
from server import Server


async def developer_token(server: Server, seen: SeenSecrets, method: str = "GET", **asked: str) -> dict[str, Any]:
    where = {"params": asked} if method == "GET" else {"data": asked}
    async with observed_client(seen) as http:
        response = await http.request(method, server.url("/dev/token"), **where)
    assert response.status_code == 200, response.text
    assert "no-store" in response.headers["cache-control"]
    return response.json()


def bearer(answer: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {answer['access_token']}"}
