"""The log of the whole run says much and gives no secret away. `conftest.py` puts this file last."""

import secrets
from pathlib import Path

from application import Application
from browser import ALICE, Person
from developer_token import developer_token
from seen_secrets import SeenSecrets
from server import Server

# What this file alone produces; a kind that is missing would make the search below say nothing.
KINDS = {
    "access_token",
    "basic credentials",
    "bearer credentials",
    "client_secret",
    "code",
    "code_verifier",
    "cookie",
    "password",
    "refresh_token",
}


async def test_jv_18_no_line_of_the_log_holds_a_secret(
    server: Server, application: Application, seen: SeenSecrets, logs: list[Path]
) -> None:
    url = server.url("/mcp")
    page = await application.browser.open(await application.authorization_url(url))
    await application.browser.sign_in(page, Person(ALICE.username, secrets.token_urlsafe(32)))
    async with application.over_streamable_http(url) as client:
        application.access_token_expires()
        await client.list_tools()
    await developer_token(server, seen)
    server.stop()

    assert KINDS <= seen.by_kind.keys()
    leaks = []
    for log in logs:
        text = log.read_text(errors="replace")
        assert text, f"{log} is empty"
        # Line by line only where there is something to point at: it takes minutes for all of them.
        for number, line in enumerate(text.splitlines() if seen.kinds_in(text) else [], 1):
            leaks += [f"{log}:{number} holds a {kind}" for kind in sorted(seen.kinds_in(line))]
    assert not leaks, "\n".join(leaks)
