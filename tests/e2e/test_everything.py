"""What server-everything does for a client that starts it, it does for one that reaches it through this server.

Each method is asked of it twice by the same SDK: directly over stdio, and by way of OAuth. `typescript/methods.mjs`
says how, `typescript/comparable.mjs` what may differ.
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from conftest import running_server
from seen_secrets import SeenSecrets
from server import Server
from typescript import TypescriptClient, everything_command, needs_typescript
from typescript_ways import WAYS

pytestmark = needs_typescript

CONFIGURATION = """
demo_tools = false

[tools.everything]
command = {command}
environment = {{ FAVOURITE_TEA = "Assam" }}
sharing = "{sharing}"
"""
ENVIRONMENT = {"FAVOURITE_TEA": "Assam"}

METHODS = (
    "initialize",
    "instructions",
    "ping",
    "tools/list",
    "tools/call echo",
    "tools/call get-sum",
    "tools/call get-tiny-image",
    "tools/call get-annotated-message",
    "tools/call get-env",
    "tools/call get-resource-links",
    "tools/call get-resource-reference text",
    "tools/call get-resource-reference blob",
    "tools/call get-structured-content",
    "tools/call trigger-long-running-operation",
    "tools/call trigger-elicitation-request",
    "tools/call trigger-url-elicitation",
    "tools/call trigger-sampling-request",
    "tools/call get-roots-list",
    "tools/call of a tool that is unknown",
    "tools/call with arguments of another type",
    "notifications/progress",
    "notifications/cancelled",
    "resources/list",
    "resources/templates/list",
    "tools/call gzip-file-as-resource",
    "resources/read document",
    "resources/read text",
    "resources/read blob",
    "resources/read of a resource that is unknown",
    "resources/subscribe",
    "resources/unsubscribe",
    "notifications/resources/list_changed",
    "resources/read of a resource that was added",
    "prompts/list",
    "prompts/get simple-prompt",
    "prompts/get args-prompt",
    "prompts/get args-prompt, the optional left out",
    "prompts/get completable-prompt",
    "prompts/get resource-prompt",
    "prompts/get of a prompt that is unknown",
    "completion/complete of a prompt",
    "completion/complete with context",
    "completion/complete of a template",
    "logging/setLevel",
    "notifications/message",
    "notifications/roots/list_changed",
)
UNTIL_2026 = {"ping", "logging/setLevel", "notifications/roots/list_changed"}
"""What revision 2026-07-28 has no more."""

SHARED = {
    "resources/subscribe",
    "resources/unsubscribe",
    "notifications/resources/list_changed",
    "resources/read of a resource that was added",
}
"""What one call changes and another sees, which takes one process for both."""

# The subscriptions and the log are asked for by way of these.
PART_OF_OTHERS = {"toggle-simulated-logging", "toggle-subscriber-updates"}
# Tasks were an experiment of 2025-11-25, and this tool can be called in no other way.
TASKS = {"simulate-research-query"}

SHARING = {method: "shared" if method in SHARED else "per_caller" for method in METHODS}

CASES = [
    (way, method) for way in WAYS for method in METHODS if not (WAYS[way].is_modern and method in UNTIL_2026)
]


@pytest.fixture(scope="module")
async def direct(seen: SeenSecrets) -> dict[int, dict[str, Any]]:
    """What each SDK gets of a server that it started."""
    started = {"transport": "stdio", "mode": "legacy", "command": everything_command(), "env": ENVIRONMENT}
    return {
        sdk: await TypescriptClient(seen).run("everything.mjs", sdk=sdk, methods=METHODS, **started)
        for sdk in (1, 2)
    }


class Through:
    """What a client gets through the server, which is asked once in each way."""

    def __init__(self, servers: dict[str, Server], seen: SeenSecrets) -> None:
        self._servers = servers
        self._seen = seen
        self._found: dict[tuple[str, str], dict[str, Any]] = {}

    async def found(self, way: str, sharing: str) -> dict[str, Any]:
        if (way, sharing) not in self._found:
            methods = [method for asked, method in CASES if asked == way and SHARING[method] == sharing]
            client = TypescriptClient(self._seen)
            target = WAYS[way].to(self._servers[sharing])
            self._found[way, sharing] = await client.run("everything.mjs", methods=methods, **target)
        return self._found[way, sharing]


@pytest.fixture(scope="module")
def through(
    tmp_path_factory: pytest.TempPathFactory, logs: list[Path], seen: SeenSecrets
) -> Iterator[Through]:
    command = json.dumps(everything_command())
    with ExitStack() as stack:
        servers = {}
        for sharing in ("shared", "per_caller"):
            directory = tmp_path_factory.mktemp(sharing)
            configuration = CONFIGURATION.format(command=command, sharing=sharing)
            server = running_server(directory, logs, configuration=configuration)
            servers[sharing] = stack.enter_context(server)
        yield Through(servers, seen)


MISSING = {
    "notifications/roots/list_changed": "a change of the roots is not passed on; they are asked for in calls",
}
"""What works directly alone."""


@pytest.mark.parametrize(("way", "method"), CASES, ids=[f"{way}: {method}" for way, method in CASES])
async def test_what_works_directly_works_through_the_server(
    way: str, method: str, direct: dict[int, dict[str, Any]], through: Through, request: pytest.FixtureRequest
) -> None:
    if method in MISSING:
        request.applymarker(pytest.mark.xfail(reason=MISSING[method], strict=True))
    expected = direct[WAYS[way].sdk]["answers"][method]
    assert not failed(expected), f"does not work directly: {expected}"
    found = await through.found(way, SHARING[method])
    assert found["answers"][method] == expected


@pytest.mark.parametrize("way", WAYS)
async def test_the_person_signs_in_once(way: str, through: Through) -> None:
    found = await through.found(way, "per_caller")
    assert found["modern"] == WAYS[way].is_modern
    assert found["signIns"] == 1


async def test_no_method_is_left_out(direct: dict[int, dict[str, Any]]) -> None:
    for found in direct.values():
        assert set(found["known"]) == set(METHODS)
        answers = found["answers"]
        tools = {tool["name"] for tool in answers["tools/list"]}
        assert tools - asked("tools/call") == PART_OF_OTHERS | TASKS
        prompts = {prompt["name"] for prompt in answers["prompts/list"]}
        assert prompts == asked("prompts/get")


def asked(method: str) -> set[str]:
    words = [known.replace(",", "").split() for known in METHODS]
    return {word[1] for word in words if word[0] == method and word[1] != "of"}


def failed(answer: Any) -> bool:
    return isinstance(answer, dict) and "failed" in answer
