"""What the official MCP conformance suite says of this authorization server (its `authorization` command)."""

import asyncio
import os
import re
import shlex
from asyncio.subprocess import PIPE, Process

import pytest

from application import CLIENT_NAME
from browser import ALICE, Browser, parameters
from http_client import observed_client
from seen_secrets import SeenSecrets
from server import Server, free_port

SUITE = shlex.split(os.environ.get("CONFORMANCE", ""))
SCENARIOS = ("authorization-server-metadata-endpoint", "authorization-code-grant")
DEADLINE_SECONDS = 120.0

pytestmark = pytest.mark.skipif(not SUITE, reason="CONFORMANCE does not say how to start the official suite")


async def test_the_official_suite_passes(server: Server, seen: SeenSecrets) -> None:
    port = free_port()
    client_id = await register_public_client(server, seen, f"http://127.0.0.1:{port}/callback")
    command = [*SUITE, "authorization", "--url", server.url(""), "--port", str(port)]
    command += ["--client-id", client_id, "--resource", server.url("/mcp")]

    async with asyncio.timeout(DEADLINE_SECONDS):
        suite = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=asyncio.subprocess.STDOUT)
        try:
            said = await attend(suite, Browser(seen), seen)
            status = await suite.wait()
        finally:
            if suite.returncode is None:
                suite.kill()

    assert status == 0, said
    for scenario in SCENARIOS:
        # As many checks as apply to what the metadata says, none of them failed; skipped is not passed.
        assert re.search(rf"^✓ {scenario}: [1-9]\d* passed, 0 failed", said, re.MULTILINE), said


async def register_public_client(server: Server, seen: SeenSecrets, redirect_uri: str) -> str:
    """The suite authenticates with `none` wherever the metadata lists it, also when it has a secret."""
    async with observed_client(seen) as http:
        answer = await http.post(
            server.url("/register"),
            json={
                "client_name": CLIENT_NAME,
                "redirect_uris": [redirect_uri],
                "token_endpoint_auth_method": "none",
            },
        )
    assert answer.status_code == 201, answer.text
    return answer.json()["client_id"]


async def attend(suite: Process, browser: Browser, seen: SeenSecrets) -> str:
    """Does what the suite asks a person for, and returns all that it said."""
    said = []
    async for line in suite.stdout:
        said.append(line.decode())
        if line.startswith(b"http") and b"/authorize?" in line:
            await visit(line.decode().strip(), browser, seen)
    return "".join(said)


async def visit(url: str, browser: Browser, seen: SeenSecrets) -> None:
    page = await browser.sign_in(await browser.open(url), ALICE)
    answer = await browser.decide(page, "approve")
    async with observed_client(seen) as http:
        # The suite listens here as a native client does.
        await http.get(parameters(url)["redirect_uri"], params=answer)
