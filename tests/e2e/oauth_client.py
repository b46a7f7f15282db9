"""A public OAuth client in plain requests, for tests of what the SDK does not let one see."""

import hashlib
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from urllib.parse import urlencode

import httpx2

from browser import Browser
from http_client import observed_client
from seen_secrets import SeenSecrets
from server import Server

CLIENT_NAME = "Plain client"
REDIRECT_URI = "http://localhost:33419/callback"
VERIFIER = "one-verifier-for-every-code-is-enough-where-no-attacker-listens"
SCOPE = "mcp:tools offline_access"


class Refused(Exception):
    """An error answer of an OAuth endpoint."""

    def __init__(self, answer: httpx2.Response) -> None:
        super().__init__(f"HTTP {answer.status_code}: {answer.text}")
        self.error = answer.json().get("error")


class AuthorizedClient:
    """A registered client whose person says yes to everything."""

    def __init__(self, server: Server, seen: SeenSecrets, registration: dict) -> None:
        self.client_id: str = registration["client_id"]
        self._registration = registration
        self._server = server
        self._seen = seen
        self._browser = Browser(seen)

    @classmethod
    async def register(cls, server: Server, seen: SeenSecrets) -> "AuthorizedClient":
        asked = {
            "client_name": CLIENT_NAME,
            "redirect_uris": [REDIRECT_URI],
            "token_endpoint_auth_method": "none",
            "grant_types": ["authorization_code", "refresh_token"],
        }
        async with observed_client(seen) as http:
            answer = await http.post(server.url("/register"), json=asked)
        assert answer.status_code == 201, answer.text
        return cls(server, seen, answer.json())

    async def is_registered(self) -> bool:
        token = self._registration["registration_access_token"]
        async with observed_client(self._seen) as http:
            answer = await http.get(
                self._registration["registration_client_uri"], headers={"Authorization": f"Bearer {token}"}
            )
        return answer.status_code == 200

    async def obtain_code(self) -> str:
        state = secrets.token_urlsafe()
        challenge = urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
        asked = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": REDIRECT_URI,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            "scope": SCOPE,
            "state": state,
        }
        url = f"{self._server.url('/authorize')}?{urlencode(asked)}"
        answer = await self._browser.authorize(url, CLIENT_NAME)
        assert answer["state"] == state
        return answer["code"]

    async def redeem(self, code: str) -> "Family":
        tokens = await self.ask_for_tokens(
            {"grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER}
        )
        return Family(self, code, tokens)

    async def ask_for_tokens(self, form: dict[str, str]) -> dict:
        """A good answer of the token endpoint; raises `Refused` with any other."""
        answer = await self._post("/token", form)
        if answer.status_code != 200:
            raise Refused(answer)
        return answer.json()

    async def revoke(self, token: str) -> None:
        answer = await self._post("/revoke", {"token": token})
        assert answer.status_code == 200, answer.text

    async def is_accepted(self, access_token: str) -> bool:
        async with observed_client(self._seen) as http:
            answer = await http.get(
                self._server.url("/userinfo"), headers={"Authorization": f"Bearer {access_token}"}
            )
        assert answer.status_code in (200, 401), answer.text
        return answer.status_code == 200

    async def _post(self, path: str, form: dict[str, str]) -> httpx2.Response:
        async with observed_client(self._seen) as http:
            return await http.post(self._server.url(path), data={"client_id": self.client_id, **form})


@dataclass
class Family:
    """The tokens that descend from one code."""

    client: AuthorizedClient
    code: str
    tokens: dict

    async def refresh(self) -> None:
        self.tokens = await self.client.ask_for_tokens(
            {"grant_type": "refresh_token", "refresh_token": self.tokens["refresh_token"]}
        )

    async def revoke(self) -> None:
        await self.client.revoke(self.tokens["refresh_token"])

    async def is_alive(self) -> bool:
        """Whether both tokens are good; they live and end together."""
        accepted = await self.client.is_accepted(self.tokens["access_token"])
        try:
            await self.refresh()
        except Refused as refused:
            assert refused.error == "invalid_grant", refused
            assert not accepted, "an access token outlives its grant"
            return False
        assert accepted, "an access token is refused although its grant goes on"
        return True
