"""A real OpenID provider as a process, set up like Clerk, Auth0 or Keycloak; `provider/` is what runs."""

import json
import os
import secrets
import shlex
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from http_client import AUTHORITIES
from seen_secrets import SeenSecrets
from server import DEADLINE_SECONDS, free_port

PROVIDER = shlex.split(os.environ.get("PROVIDER", ""))
PROFILES = ("clerk", "auth0", "keycloak")

needs_provider = pytest.mark.skipif(not PROVIDER, reason="PROVIDER does not say how to start the OpenID provider")

# Another spelling of loopback than the server's: cookies do not tell ports apart.
HOST = "127.0.0.1"

ISSUERS = {
    "clerk": "http://{host}:{port}",
    "auth0": "http://{host}:{port}/",
    "keycloak": "http://{host}:{port}/realms/demo",
}
SUBJECTS = {
    "clerk": "user_2xhFjEI5X2qWRvtV13alice",
    "auth0": "auth0|alice",
    "keycloak": "3f0c7e1a-8d52-4a0b-9c3e-00616c696365",
}
TOKEN_TYPES = {"clerk": "at+jwt", "auth0": "JWT", "keycloak": "JWT"}


class Provider:
    """One provider: its port and credentials are known before it runs, so that a server can name it."""

    def __init__(self, directory: Path, profile: str) -> None:
        self.profile = profile
        self.port = free_port()
        self.issuer = ISSUERS[profile].format(host=HOST, port=self.port)
        self.origin = f"http://{HOST}:{self.port}"
        self.log = directory / f"{profile}-{self.port}.log"
        self.client_id = f"client-{secrets.token_hex(8)}"
        # RFC 6749 §2.3.1 has both parts of Basic credentials encoded; these show who forgets it.
        self.client_secret = f"{secrets.token_urlsafe(24)}+/%3A:&="
        self.secret_key = f"sk_test_{secrets.token_urlsafe(24)}"
        self.resource = ""
        self.callbacks: tuple[str, ...] = ()
        self._process: subprocess.Popen | None = None
        self.control = ""
        self._control: httpx2.Client | None = None

    def start(self, resource: str, *callbacks: str) -> None:
        """Runs it for a server whose MCP URL is `resource`, and which people come back to at `callbacks`."""
        self.resource, self.callbacks = resource, callbacks
        client = {"client_id": self.client_id, "client_secret": self.client_secret, "redirect_uris": callbacks}
        setup = {
            "profile": self.profile,
            "host": HOST,
            "port": self.port,
            "resource": resource,
            "secret_key": self.secret_key,
            "clients": [client],
        }
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(PROVIDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)
        # The input stays open: its end ends the process, also when this one is killed.
        self._process.stdin.write(json.dumps(setup).encode() + b"\n")
        self._process.stdin.flush()
        ready = self._process.stdout.readline()
        assert ready, f"the provider ended; its log says:\n{self.log.read_text(errors='replace')}"
        told = json.loads(ready)
        assert told["issuer"] == self.issuer
        self.control = told["control"]
        self._control = httpx2.Client(
            base_url=told["control"], trust_env=False, verify=AUTHORITIES, timeout=DEADLINE_SECONDS
        )

    def stop(self) -> None:
        assert self._process is not None and self._control is not None, "the provider is not running"
        process, self._process = self._process, None
        self._control.close()
        process.stdin.close()
        try:
            process.wait(DEADLINE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        finally:
            process.stdout.close()

    @property
    def is_running(self) -> bool:
        return self._process is not None

    def change(self, **state: Any) -> None:
        """Switches e.g. `audience`, `opaque`, `token_type`, `access_token_life` for tokens of the future.

        `clock_ahead` is by how many seconds the `Date` of its answers is wrong.
        """
        self._tell("/state", state)

    def fail(self, **faults: Any) -> None:
        """How endpoints behave from now on; those that are not named behave well.

        Any: `error`, `garbage`, `stalled` (until told otherwise), `{"slow": seconds}`.
        `jwks`: `huge`, `redirect`. `discovery`: `wrong_issuer`, `other_slash`, `no_pkce`.
        `authorization`: `access_denied`, `server_error`, `wrong_issuer`, `no_issuer`, `wrong_state`.
        `token`, of the ID token: `wrong_nonce`, `no_nonce`, `wrong_audience`, `foreign_azp`, `wrong_issuer`,
        `expired`, `wrong_key`, `unsigned`, `signed_with_public_key`.
        """
        self.change(faults=faults)

    def pause(self) -> None:
        """Connections are refused from now on."""
        self._tell("/pause", {})

    def resume(self) -> None:
        self._tell("/resume", {})

    def rotate_keys(self, keep: bool) -> str:
        """Signs with a new key from now on, and returns its id. The old keys stay published with `keep`."""
        return self._tell("/rotate", {"keep": keep})["kid"]

    def asked(self, endpoint: str) -> int:
        """How often an endpoint was asked, e.g. `discovery`, `jwks`, `token`, `introspection`, `verify`."""
        return self._ask("/requests").get(endpoint, 0)

    def revoke(self, token: str) -> None:
        """What Clerk's endpoint says of a token whose person took it back."""
        self.change(revoked=[token])

    def issued(self) -> list[tuple[str, str]]:
        """Every token it gave out, with its kind."""
        return [(kind, token) for kind, token in self._ask("/issued")]

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Those of a good access token of Alice in this profile; None leaves a claim out."""
        now = int(time.time())
        client = "client_id" if self.profile == "clerk" else "azp"
        audience = [self.resource, f"{self.issuer}userinfo"] if self.profile == "auth0" else self.resource
        good = {
            "iss": self.issuer,
            "sub": SUBJECTS[self.profile],
            "aud": audience,
            client: self.client_id,
            "scope": "openid mcp:tools",
            "iat": now,
            "exp": now + 600,
            "jti": secrets.token_urlsafe(16),
            # Only this tells Keycloak's access tokens from its ID tokens.
            "typ": "Bearer" if self.profile == "keycloak" else None,
        }
        return {**good, **changes}

    def mint(self, claims: dict[str, Any], header: dict[str, Any] | None = None, key: str = "current") -> str:
        """A token of any claims; `key` may be `stranger`, one that is published nowhere."""
        wanted = {"claims": claims, "header": {"typ": TOKEN_TYPES[self.profile], **(header or {})}, "key": key}
        return self._tell("/mint", wanted)["token"]

    def good_token(self, **changes: Any) -> str:
        return self.mint(self.claims(**changes))

    def show_secrets(self, seen: SeenSecrets) -> None:
        """What passed between the server and the provider, which no client of the suite saw."""
        seen.add("client_secret", self.client_secret)
        seen.add("bearer credentials", self.secret_key)
        for kind, token in self.issued():
            seen.add(kind, token)

    def _ask(self, path: str) -> Any:
        return good(self._running().get(path))

    def _tell(self, path: str, what: dict[str, Any]) -> Any:
        return good(self._running().post(path, json=what))

    def _running(self) -> httpx2.Client:
        assert self._control is not None, "the provider was not started"
        return self._control


@contextmanager
def stopping(provider: Provider, seen: SeenSecrets) -> Iterator[Provider]:
    """Ends what runs of it when the test is over."""
    try:
        yield provider
        if provider.is_running:
            provider.show_secrets(seen)
    finally:
        if provider.is_running:
            provider.stop()


def good(answer: httpx2.Response) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.json()
