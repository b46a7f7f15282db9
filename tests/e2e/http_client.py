"""How every request of the suite is sent."""

import ssl
from typing import Any

import httpx2

from seen_secrets import SeenSecrets

# Reading the authorities of the machine takes longer than a request: once is enough.
AUTHORITIES = ssl.create_default_context()


def observed_client(seen: SeenSecrets, **options: Any) -> httpx2.AsyncClient:
    """A client that follows no redirect by itself and shows `seen` what it sends and receives.

    It ignores the environment: a proxy set there must not carry loopback traffic.
    """
    told = {"timeout": 30.0, "verify": AUTHORITIES, **options}
    return httpx2.AsyncClient(trust_env=False, event_hooks=seen.event_hooks(), **told)
