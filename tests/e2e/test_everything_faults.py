"""A tool server that is flooded, killed during calls, and outlived: server-everything as a process of the server."""

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import running_server
from seen_secrets import SeenSecrets
from server import DEADLINE_SECONDS, POLL_SECONDS, Server
from typescript import TypescriptClient, everything_command, needs_typescript
from typescript_ways import WAYS

pytestmark = needs_typescript

CALLS = 1000
KILLS = 20

CONFIGURATION = """
[tools.everything]
command = {command}
sharing = "{sharing}"
"""


def configuration(sharing: str) -> str:
    return CONFIGURATION.format(command=json.dumps(everything_command()), sharing=sharing)


@pytest.mark.parametrize("way", WAYS)
async def test_each_of_many_calls_at_the_same_time_gets_its_own_answer(
    way: str, tmp_path: Path, logs: list[Path], seen: SeenSecrets
) -> None:
    with running_server(tmp_path, logs, configuration=configuration("shared")) as server:
        found = await TypescriptClient(seen).run("flood.mjs", calls=CALLS, **WAYS[way].to(server))
    assert found == {"right": CALLS, "wrong": 0, "failed": []}


@pytest.mark.parametrize("sharing", ["shared", "per_caller"])
async def test_a_call_whose_process_is_killed_fails_and_the_next_works(
    sharing: str, tmp_path: Path, logs: list[Path], seen: SeenSecrets
) -> None:
    killed: list[set[int]] = []
    with running_server(tmp_path, logs, configuration=configuration(sharing)) as server:
        way = WAYS["client_2_auto"].to(server)
        found = await TypescriptClient(seen).run("kills.mjs", do=kills(server, killed), times=KILLS, **way)

    assert len(killed) == KILLS and all(killed)
    for one in found:
        assert one["other"] == "Hello, World! This is a protected endpoint."
        assert one["call"]["failed"], one["call"]
        assert "everything" in one["call"]["saying"]
        assert one["next"] == "Echo: after"
    assert len(found) == KILLS


def kills(server: Server, killed: list[set[int]]) -> Callable[[str], None]:
    def kill(what: str) -> None:
        assert what == "kill"
        children = server.children()
        for child in children:
            os.kill(child, signal.SIGKILL)
        killed.append(children)

    return kill


def ends_well(server: Server) -> None:
    server.stop()


def is_killed(server: Server) -> None:
    server.kill()


@pytest.mark.parametrize("end", [ends_well, is_killed])
async def test_no_process_outlives_the_server(
    end: Callable[[Server], None], tmp_path: Path, logs: list[Path], seen: SeenSecrets
) -> None:
    with running_server(tmp_path, logs, configuration=configuration("per_caller")) as server:
        await TypescriptClient(seen).run("flood.mjs", calls=1, **WAYS["client_2_auto"].to(server))
        children = server.children()
        assert len(children) == 2, "one for the lists, one for the caller"
        end(server)

    deadline = time.monotonic() + DEADLINE_SECONDS
    while left := [child for child in children if is_running(child)]:
        assert time.monotonic() < deadline, f"still run: {left}"
        time.sleep(POLL_SECONDS)


def is_running(process: int) -> bool:
    try:
        # The state comes after the name, which is in brackets; a zombie waits for somebody to notice.
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
