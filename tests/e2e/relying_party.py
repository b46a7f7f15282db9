"""A client of the provider itself, in plain requests: what the server under test is to it, without the server."""

import hashlib
import secrets
from base64 import urlsafe_b64encode
from typing import Any
from urllib.parse import urlencode

import httpx2
import jwt

from browser import ALICE, Browser, Person, back_at_client
from http_client import AUTHORITIES
from page import Page
from provider_process import Provider
from seen_secrets import SeenSecrets

VERIFIER = secrets.token_urlsafe(48)


class RelyingParty:
    """A confidential client with the provider's own credentials, in plain requests."""

    def __init__(self, provider: Provider, seen: SeenSecrets) -> None:
        self.provider = provider
        self.http = httpx2.Client(trust_env=False, verify=AUTHORITIES, timeout=30.0)
        self.browser = Browser(seen)
        self.nonce = secrets.token_urlsafe()
        self.state = secrets.token_urlsafe()
        path = ".well-known/openid-configuration"
        self.discovery = self.http.get(f"{provider.issuer.removesuffix('/')}/{path}").json()

    async def login_page(self, **asked: str) -> Page:
        challenge = urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
        query = {
            "response_type": "code",
            "client_id": self.provider.client_id,
            "redirect_uri": self.provider.callbacks[0],
            "scope": "openid profile email offline_access",
            "state": self.state,
            "nonce": self.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            **asked,
        }
        return await self.browser.open(f"{self.discovery['authorization_endpoint']}?{urlencode(query)}")

    async def log_in(self, person: Person = ALICE, **asked: str) -> dict[str, Any]:
        answer = back_at_client(await self.browser.log_in(await self.login_page(**asked), person))
        assert answer["state"] == self.state
        assert answer["iss"] == self.provider.issuer
        return self.redeem(answer["code"])

    def redeem(self, code: str) -> dict[str, Any]:
        form = {"grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER}
        return self.post("token_endpoint", {**form, "redirect_uri": self.provider.callbacks[0]})

    def post(self, endpoint: str, form: dict[str, str]) -> dict[str, Any]:
        # Encoded first, as RFC 6749 §2.3.1 wants it.
        credentials = urlencode({"": self.provider.client_id})[1:], urlencode({"": self.provider.client_secret})[1:]
        answer = self.http.post(self.discovery[endpoint], data=form, auth=credentials)
        assert answer.status_code == 200, answer.text
        return answer.json() if answer.content else {}

    def revoke(self, token: str) -> None:
        self.post("revocation_endpoint", {"token": token})

    def verified(self, token: str, **audience: str) -> dict[str, Any]:
        """The claims, if a published key signed the token and it is for this audience, or for none."""
        published = self.http.get(self.discovery["jwks_uri"]).json()["keys"]
        kid = jwt.get_unverified_header(token)["kid"]
        key = next(jwt.PyJWK(key) for key in published if key["kid"] == kid)
        options = {"verify_aud": "audience" in audience}
        return jwt.decode(token, key, ["RS256"], issuer=self.provider.issuer, options=options, **audience)
