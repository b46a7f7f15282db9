"""What server-everything does for a client that starts it, it does for one that reaches it through this server.

Each method is asked of it twice by the same SDK: directly over stdio, and by way of OAuth. `typescript/methods.mjs`
says how, `typescript/comparable.mjs` what may differ.
"""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from conftest import running_server
from seen_secrets import SeenSecrets
from server import Server
from typescript import TypescriptClient, everything_command, needs_typescript
from typescript_ways import WAYS

pytestmark = needs_typescript

ENVIRONMENT = {"FAVOURITE_TEA": "Assam"}
CONFIGURATION = """
demo_tools = false

[tools.everything]
command = {command}
env = {{ FAVOURITE_TEA = "Assam" }}
# What it asks is asked of one caller.
sharing = "per_caller"
"""

METHODS = (
    "initialize",
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
    "tools/call gzip-file-as-resource",
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
UNTIL_2026 = ("ping", "logging/setLevel", "notifications/roots/list_changed")
"""What revision 2026-07-28 has no more."""

CASES = [
    (way, method)
    for way in WAYS
    for method in METHODS
    if not (WAYS[way].is_modern and method in UNTIL_2026)
]


@pytest.fixture(scope="module")
async def direct(seen: SeenSecrets) -> dict[int, dict[str, Any]]:
    """The answers each SDK gets of a server that it started."""
    answers = {}
    for sdk in (1, 2):
        found = await TypescriptClient(seen).run(
            "everything.mjs",
            sdk=sdk,
            transport="stdio",
            mode="legacy",
            command=everything_command(),
            env=ENVIRONMENT,
        )
        answers[sdk] = found["answers"]
    return answers


@pytest.fixture(scope="module")
async def protected(tmp_path_factory: pytest.TempPathFactory, logs: list[Path]) -> AsyncIterator[Server]:
    configuration = CONFIGURATION.format(command=json.dumps(everything_command()))
    with running_server(tmp_path_factory.mktemp("everything"), logs, configuration=configuration) as server:
        yield server


@pytest.fixture(scope="module")
def through(protected: Server, seen: SeenSecrets) -> "Through":
    return Through(protected, seen)


class Through:
    """The answers of the protected server, asked once in each way, by a person of their own."""

    def __init__(self, server: Server, seen: SeenSecrets) -> None:
        self._server = server
        self._seen = seen
        self._found: dict[str, dict[str, Any]] = {}

    async def found(self, way: str) -> dict[str, Any]:
        if way not in self._found:
            client = TypescriptClient(self._seen)
            self._found[way] = await client.run("everything.mjs", **WAYS[way].to(self._server))
        return self._found[way]


@pytest.mark.parametrize(("way", "method"), CASES, ids=[f"{way}: {method}" for way, method in CASES])
async def test_what_works_directly_works_through_the_server(
    way: str, method: str, direct: dict[int, dict[str, Any]], through: Through
) -> None:
    expected = direct[WAYS[way].sdk][method]
    assert not failed(expected), f"does not work directly: {expected}"
    assert (await through.found(way))["answers"][method] == expected


@pytest.mark.parametrize("way", WAYS)
async def test_the_person_signs_in_once(way: str, through: Through) -> None:
    found = await through.found(way)
    assert found["modern"] == WAYS[way].is_modern
    assert found["signIns"] == 1


async def test_no_method_is_left_out(direct: dict[int, dict[str, Any]]) -> None:
    for answers in direct.values():
        assert set(answers) == set(METHODS)
        tools = {tool["name"] for tool in answers["tools/list"]}
        assert tools - asked(answers, "tools/call") == set()
        prompts = {prompt["name"] for prompt in answers["prompts/list"]}
        assert prompts - asked(answers, "prompts/get") == set()


def asked(answers: dict[str, Any], method: str) -> set[str]:
    return {words[1].rstrip(",") for words in map(str.split, answers) if words[0] == method}


def failed(answer: Any) -> bool:
    return isinstance(answer, dict) and "failed" in answer
