"""What one replica is told the others know: they share nothing but a database."""

import asyncio
import base64
import hashlib
import secrets
from typing import Any
from urllib.parse import urlencode

import httpx2

from application import REDIRECT_URI
from browser import Browser
from http_client import observed_client
from replicas import Replicas
from seen_secrets import SeenSecrets
from server import Server

CLIENT_NAME = "Whichever Replica"


class Client:
    """A public client that sends each request to the replica it is told."""

    def __init__(self, seen: SeenSecrets) -> None:
        self._seen = seen
        self._id = ""
        self._verifier = secrets.token_urlsafe(48)
        self.tokens: dict[str, Any] = {}

    async def register(self, server: Server) -> None:
        answer = await self._send(
            "POST",
            server.url("/register"),
            json={
                "client_name": CLIENT_NAME,
                "redirect_uris": [REDIRECT_URI],
                "token_endpoint_auth_method": "none",
                "grant_types": ["authorization_code", "refresh_token"],
            },
        )
        assert answer.status_code == 201, answer.text
        self._id = answer.json()["client_id"]

    async def authorize(self, server: Server) -> str:
        """The code that a person's consent at that replica gave it."""
        digest = hashlib.sha256(self._verifier.encode()).digest()
        asked = {
            "response_type": "code",
            "client_id": self._id,
            "redirect_uri": REDIRECT_URI,
            "scope": "mcp:tools offline_access",
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        url = f"{server.url('/authorize')}?{urlencode(asked)}"
        return (await Browser(self._seen).authorize(url, CLIENT_NAME))["code"]

    async def exchange(self, server: Server, code: str) -> httpx2.Response:
        form = {"code": code, "redirect_uri": REDIRECT_URI, "code_verifier": self._verifier}
        return await self._token(server, grant_type="authorization_code", **form)

    async def refresh(self, server: Server) -> httpx2.Response:
        token = self.tokens["refresh_token"]
        return await self._token(server, grant_type="refresh_token", refresh_token=token)

    async def revoke(self, server: Server, kind: str) -> None:
        form = {"token": self.tokens[kind], "client_id": self._id}
        answer = await self._send("POST", server.url("/revoke"), data=form)
        assert answer.status_code == 200, answer.text

    async def is_let_in(self, server: Server) -> bool:
        bearer = {"Authorization": f"Bearer {self.tokens['access_token']}"}
        status = (await self._send("GET", server.url("/userinfo"), headers=bearer)).status_code
        assert status in (200, 401), status
        return status == 200

    async def sign_in(self, server: Server, exchange_at: Server) -> None:
        await self.register(server)
        answer = await self.exchange(exchange_at, await self.authorize(server))
        assert answer.status_code == 200, answer.text
        self.tokens = answer.json()

    async def _token(self, server: Server, **form: str) -> httpx2.Response:
        return await self._send("POST", server.url("/token"), data={"client_id": self._id, **form})

    async def _send(self, method: str, url: str, **what: Any) -> httpx2.Response:
        async with observed_client(self._seen) as http:
            return await http.request(method, url, **what)


async def test_rv_01_what_was_registered_and_revoked_at_one_replica_counts_at_the_other(
    replicas: Replicas, seen: SeenSecrets
) -> None:
    one, other = replicas
    client = Client(seen)
    await client.sign_in(one, exchange_at=other)
    assert await client.is_let_in(one)
    assert await client.is_let_in(other)

    await client.revoke(one, "access_token")
    assert not await client.is_let_in(other)
    assert not await client.is_let_in(one)

    refreshed = await client.refresh(other)
    assert refreshed.status_code == 200, "the grant goes on"
    client.tokens = refreshed.json()
    assert await client.is_let_in(one)
    await client.revoke(other, "refresh_token")
    assert not await client.is_let_in(one)
    assert (await client.refresh(one)).json()["error"] == "invalid_grant"


async def test_tk_08_a_code_is_good_at_one_replica_and_once(replicas: Replicas, seen: SeenSecrets) -> None:
    one, other = replicas
    client = Client(seen)
    await client.register(other)
    code = await client.authorize(one)
    answers = await asyncio.gather(*(client.exchange(server, code) for server in replicas * 4))
    redeemed = [answer.json() for answer in answers if answer.status_code == 200]
    assert len(redeemed) == 1
    assert {answer.json()["error"] for answer in answers if answer.status_code != 200} == {"invalid_grant"}
    client.tokens = redeemed[0]
    for server in replicas:
        assert not await client.is_let_in(server), "what a replayed code gave is worth nothing"
    assert (await client.refresh(other)).json()["error"] == "invalid_grant"


async def test_rf_03_refreshes_at_both_replicas_at_once_end_in_one_lineage(
    replicas: Replicas, seen: SeenSecrets
) -> None:
    one, other = replicas
    client = Client(seen)
    await client.sign_in(one, exchange_at=one)
    answers = await asyncio.gather(*(client.refresh(server) for server in replicas * 2))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1
    client.tokens = answers[-1].json()
    assert (await client.refresh(other)).status_code == 200


async def test_rg_10_a_replica_goes_on_when_the_other_is_killed(replicas: Replicas, seen: SeenSecrets) -> None:
    one, other = replicas
    client = Client(seen)
    await client.sign_in(one, exchange_at=one)
    one.kill()
    assert await client.is_let_in(other)
    refreshed = await client.refresh(other)
    assert refreshed.status_code == 200
    client.tokens = refreshed.json()
    one.start()
    assert await client.is_let_in(one)
    assert (await client.refresh(one)).status_code == 200
