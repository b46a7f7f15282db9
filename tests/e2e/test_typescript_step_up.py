"""Tools that need more than a client of the TypeScript SDKs has, as `test_step_up.py` has it of the Python SDK."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import running_server
from seen_secrets import SeenSecrets
from server import Server
from test_step_up import CONFIGURATION
from typescript import TypescriptClient, needs_typescript
from typescript_ways import WAYS, TypescriptWay

pytestmark = needs_typescript


@pytest.fixture
def ruled(tmp_path: Path, logs: list[Path]) -> Iterator[Server]:
    with running_server(tmp_path, logs, configuration=CONFIGURATION) as server:
        yield server


# With a refresh token this SDK refreshes, which can't give more, and then gives up.
WITHOUT_REFRESH = {"grantTypes": ["authorization_code"]}

STEPS_UP = {
    "client_2_auto": (WAYS["client_2_auto"], {}),
    "client_2_legacy": (WAYS["client_2_legacy"], {}),
    "sdk_1_http": (WAYS["sdk_1_http"], WITHOUT_REFRESH),
}
# Neither SDK reads the challenge on the old transport.
GIVES_UP = ("client_2_sse", "sdk_1_http", "sdk_1_sse")

BEFORE = {"scopes": ["mcp:tools"], "signIns": 1}
AFTER = {"scopes": ["mcp:tools", "numbers:add"], "signIns": 2}


@pytest.mark.parametrize(("way", "options"), STEPS_UP.values(), ids=STEPS_UP.keys())
async def test_rs_13_a_typescript_client_steps_up_when_a_tool_needs_more(
    way: TypescriptWay, options: dict[str, Any], ruled: Server, seen: SeenSecrets
) -> None:
    found = await TypescriptClient(seen).run("step_up.mjs", **way.to(ruled), **options)

    assert found == {
        "modern": way.is_modern,
        "hello": {"text": "Hello, World! This is a protected endpoint.", **BEFORE},
        "listed": ["add_numbers", "hello"],
        "more": {"text": "42", **AFTER},
        "again": {"text": "2", **AFTER},
    }


@pytest.mark.parametrize("way", GIVES_UP)
async def test_rs_13_a_typescript_client_that_can_not_step_up_learns_why(
    way: str, ruled: Server, seen: SeenSecrets
) -> None:
    found = await TypescriptClient(seen).run("step_up.mjs", **WAYS[way].to(ruled))

    assert found["hello"] == {"text": "Hello, World! This is a protected endpoint.", **BEFORE}
    refusal = found["more"].pop("refusal")
    assert "403" in refusal
    assert "needs 'mcp:tools numbers:add'" in refusal or way == "sdk_1_http"
    assert found["more"] == BEFORE
