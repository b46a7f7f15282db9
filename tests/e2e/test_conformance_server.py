"""What the official MCP conformance suite says of this server (its `server` command), with authentication on.

The server is `examples/conformance_server`, which serves the suite's fixture instead of tools.
"""

import asyncio
import os
import re
import shlex
from asyncio.subprocess import PIPE
from collections.abc import Iterator
from pathlib import Path

import pytest

from developer_token import developer_token
from seen_secrets import SeenSecrets
from server import BINARY, Server

SUITE = shlex.split(os.environ.get("CONFORMANCE", ""))
AUTHORIZED = Path(__file__).resolve().parents[1] / "conformance" / "authorized.mjs"
FIXTURE = BINARY.parent / "examples" / "conformance_server"
DEADLINE_SECONDS = 300.0

# Of each requirement set: how many scenarios count, and which others must pass too.
REQUIREMENTS = {
    "2026-07-28": (
        37,
        {"json-schema-2020-12", "http-header-validation", "http-custom-header-server-validation"},
    ),
    "2025-11-25": (30, {"server-session-lifecycle", "json-schema-2020-12", "server-sse-polling"}),
}

pytestmark = pytest.mark.skipif(not SUITE, reason="CONFORMANCE does not say how to start the official suite")


@pytest.fixture(scope="module")
def fixture_server(tmp_path_factory: pytest.TempPathFactory, logs: list[Path]) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("fixture"), binary=FIXTURE)
    logs.append(server.log)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.mark.parametrize("revision", REQUIREMENTS)
async def test_every_required_scenario_passes_with_a_token(
    revision: str, fixture_server: Server, seen: SeenSecrets, tmp_path: Path
) -> None:
    scored, unscored = REQUIREMENTS[revision]
    token = (await developer_token(fixture_server, seen))["access_token"]
    node, *suite = SUITE
    command = [node, "--import", AUTHORIZED.as_uri(), *suite, "server", "--requirements", revision]
    command += ["--url", fixture_server.url("/mcp"), "-o", str(tmp_path)]
    environment = {"PATH": os.environ["PATH"], "MCP_SERVER": fixture_server.url(""), "MCP_TOKEN": token}

    async with asyncio.timeout(DEADLINE_SECONDS):
        run = await asyncio.create_subprocess_exec(
            *command, env=environment, stdout=PIPE, stderr=asyncio.subprocess.STDOUT
        )
        try:
            said = (await run.stdout.read()).decode()
            status = await run.wait()
        finally:
            if run.returncode is None:
                run.kill()

    assert status == 0, said
    # Of a failed one some checks may have passed, so it is the mark that counts.
    results = re.findall(r"^([✓✗]) ([\w-]+): \d+ passed, \d+ failed", said, re.MULTILINE)
    not_scored = set(re.findall(r"^  [✓✗] ([\w-]+) \(", said, re.MULTILINE))
    passed = {scenario for mark, scenario in results if mark == "✓"}
    counted = {scenario for _, scenario in results} - not_scored
    assert (len(counted), sorted(counted - passed)) == (scored, []), said
    assert unscored <= passed & not_scored, said
