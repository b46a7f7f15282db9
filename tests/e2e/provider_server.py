"""A server that is told of providers: how the two are set up together, and how it is asked."""

import json
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import httpx2

from application import Application
from browser import ALICE, Person
from http_client import observed_client
from provider_browser import BrowserAtProvider
from provider_process import Provider, stopping
from relying_party import RelyingParty
from seen_secrets import SeenSecrets
from server import DEADLINE_SECONDS, Server

RECOVERY_POLL_SECONDS = 0.5

INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "a plain request", "version": "1"},
    },
}


@dataclass
class Installation:
    """A server and its providers by name; where there is one of them, `provider` is it."""

    server: Server
    providers: dict[str, Provider]
    seen: SeenSecrets
    mode: str

    @property
    def provider(self) -> Provider:
        (provider,) = self.providers.values()
        return provider

    def application(self, person: Person = ALICE, at: str | None = None) -> Application:
        """An MCP client whose person logs in at a provider."""
        application = Application(self.seen)
        button = (at or next(iter(self.providers))) if self.mode == "local" else None
        application.browser = BrowserAtProvider(self.seen, button, person)
        return application

    def start_providers(self) -> None:
        for name, provider in self.providers.items():
            provider.start(self.server.url("/mcp"), self.server.url(f"/callback/{name}"))

    def relying_party(self) -> RelyingParty:
        return RelyingParty(self.provider, self.seen)

    async def call(self, token: str) -> httpx2.Response:
        """The first request of a conversation with a bearer token: 200 if it is accepted."""
        return await self.post_mcp(token, INITIALIZE)

    async def call_tool(self, token: str) -> httpx2.Response:
        call = {"name": "hello", "arguments": {"name": "Ada"}}
        return await self.post_mcp(token, {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call})

    async def post_mcp(self, token: str, message: dict[str, Any]) -> httpx2.Response:
        sent = {"Authorization": f"Bearer {token}", "Accept": "application/json, text/event-stream"}
        async with observed_client(self.seen, headers=sent) as http:
            return await http.post(self.server.url("/mcp"), json=message)

    async def status_of(self, method: str, path: str) -> int:
        async with observed_client(self.seen) as http:
            return (await http.request(method, self.server.url(path))).status_code

    async def metadata(self, well_known: str) -> dict[str, Any]:
        async with observed_client(self.seen) as http:
            answer = await http.get(self.server.url(f"/.well-known/{well_known}"))
        assert answer.status_code == 200, answer.text
        return answer.json()

    def logged(self) -> str:
        return self.server.log.read_text(errors="replace")

    def warned(self) -> str:
        """The lines in which the server warns: not the banner, which names every provider."""
        return "\n".join(line for line in self.logged().splitlines() if " WARN" in line)


@contextmanager
def installation(
    directory: Path,
    logs: list[Path],
    seen: SeenSecrets,
    *profiles: str,
    mode: str = "local",
    keys: dict[str, Any] | None = None,
    choose: str | None = None,
    before_start: Callable[["Installation"], None] | None = None,
) -> Iterator[Installation]:
    """A running server with a provider for each profile, of the same name; `keys` go into each table.

    With `choose`, all are described in the configuration, and only that one is chosen and runs. What
    happens between the provider's start and the server's is `before_start`.
    """
    with ExitStack() as stack:
        providers = {profile: stack.enter_context(stopping(Provider(directory, profile), seen)) for profile in profiles}
        chosen = {choose: providers[choose]} if choose else providers
        text = configuration(list(chosen), providers, mode, keys or {})
        server = Server(directory, configuration=text)
        logs.append(server.log)
        installed = Installation(server, chosen, seen, mode)
        installed.start_providers()
        if before_start:
            before_start(installed)
        server.start()
        try:
            yield installed
        finally:
            if server.is_running:
                server.stop()


def configuration(chosen: list[str], described: dict[str, Provider], mode: str, keys: dict[str, Any]) -> str:
    choice = f"provider = {toml(chosen[0])}" if len(chosen) == 1 else f"providers = {toml(chosen)}"
    tables = [table(name, provider, keys) for name, provider in described.items()]
    return "\n".join([f"authorization_server = {toml(mode)}", choice, *tables]) + "\n"


def table(name: str, provider: Provider, keys: dict[str, Any]) -> str:
    told = {
        "kind": provider.profile,
        "issuer": provider.issuer,
        "client_id": provider.client_id,
        "client_secret": provider.client_secret,
        **keys,
    }
    if told.get("token_format") == "opaque" and provider.profile == "clerk":
        told |= {"secret_key": provider.secret_key, "api_url": f"{provider.origin}/v1"}
    return "\n".join([f"\n[identity.{name}]", *(f"{key} = {toml(value)}" for key, value in told.items())])


def toml(value: Any) -> str:
    """Texts, switches and lists look the same in JSON; a table does not."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(inner)}" for key, inner in value.items()) + " }"
    return json.dumps(value)


async def eventually(done: Callable[[], Awaitable[bool]], what: str) -> None:
    """Recovery takes the time of a cooldown that no test should know; asking all the time only keeps others waiting."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not await done():
        assert time.monotonic() < deadline, f"still not: {what}"
        await anyio.sleep(RECOVERY_POLL_SECONDS)
