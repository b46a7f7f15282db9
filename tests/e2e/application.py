"""An installed MCP client: the official SDK, what it keeps on disk, and the browser beside it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import anyio
from mcp import Client
from mcp.client import Transport
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken, TokenEndpointAuthMethod
from pydantic import AnyUrl

from browser import Browser, Callback
from http_client import observed_client
from seen_secrets import SeenSecrets

CLIENT_NAME = "Tea & Biscuits"
REDIRECT_URI = "http://localhost:33418/callback"

# Ends a conversation that hangs; no test measures it.
DEADLINE_SECONDS = 120.0

LONG_AGO = 1.0
"""Seconds since the epoch. Zero would mean to the SDK that the token never expires."""


class KeptOnDisk:
    """The SDK's token storage: all that a client remembers between two of its processes."""

    def __init__(self) -> None:
        self.tokens: OAuthToken | None = None
        self.registration: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.registration

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.registration = client_info


class Application:
    """Every connection is a new process of the client: only `disk` is carried over."""

    def __init__(
        self,
        seen: SeenSecrets,
        auth_method: TokenEndpointAuthMethod | None = None,
        document_url: str | None = None,
    ) -> None:
        self.seen = seen
        self.disk = KeptOnDisk()
        self.browser = Browser(seen)
        self.sign_ins = 0
        self._auth_method = auth_method
        self._document_url = document_url
        self._provider: OAuthClientProvider | None = None
        self._callback: Callback = {}

    @asynccontextmanager
    async def over_streamable_http(self, url: str, mode: str = "auto") -> AsyncIterator[Client]:
        async with observed_client(self.seen, auth=self._start(url)) as http:
            async with conversation(streamable_http_client(url, http_client=http), mode) as client:
                yield client

    @asynccontextmanager
    async def over_sse(self, url: str, mode: str = "legacy") -> AsyncIterator[Client]:
        http_client = partial(observed_client, self.seen)
        transport = sse_client(url, auth=self._start(url), httpx_client_factory=http_client)
        async with conversation(transport, mode) as client:
            yield client

    def access_token_expires(self) -> None:
        """Makes the running process believe it, so that its next request begins with a refresh."""
        assert self._provider is not None, "no connection is open"
        self._provider.context.token_expiry_time = LONG_AGO

    async def authorization_url(self, url: str) -> str:
        """The address to which the SDK would send the person."""
        sent_to: list[str] = []

        async def stop_at_browser(authorization_url: str) -> None:
            sent_to.append(authorization_url)
            raise StoppedAtBrowser

        provider = self._start(url)
        provider.context.redirect_handler = stop_at_browser
        try:
            async with observed_client(self.seen, auth=provider) as http:
                await http.get(url)
        except StoppedAtBrowser:
            return sent_to[0]
        raise AssertionError("the SDK asked for no authorization")

    def _start(self, url: str) -> OAuthClientProvider:
        self._provider = OAuthClientProvider(
            server_url=url,
            client_metadata=OAuthClientMetadata(
                client_name=CLIENT_NAME,
                redirect_uris=[AnyUrl(REDIRECT_URI)],
                token_endpoint_auth_method=self._auth_method,
            ),
            storage=self.disk,
            redirect_handler=self._open_browser,
            callback_handler=self._hear_back,
            client_metadata_url=self._document_url,
        )
        return self._provider

    async def _open_browser(self, authorization_url: str) -> None:
        self.sign_ins += 1
        self._callback = await self.browser.authorize(authorization_url, CLIENT_NAME)

    async def _hear_back(self) -> AuthorizationCodeResult:
        return AuthorizationCodeResult.model_validate(self._callback)


@asynccontextmanager
async def conversation(transport: Transport, mode: str) -> AsyncIterator[Client]:
    with anyio.fail_after(DEADLINE_SECONDS):
        async with Client(transport, mode=mode) as client:
            yield client


class StoppedAtBrowser(Exception):
    """The SDK was about to open the browser."""
