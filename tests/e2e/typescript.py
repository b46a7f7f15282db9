"""The TypeScript SDKs of MCP as clients: `typescript/` drives them with Node.js, and is asked one thing a run."""

import asyncio
import json
import os
import shlex
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from browser import Browser
from seen_secrets import SeenSecrets

NODE, FOLDER = (shlex.split(os.environ.get("TYPESCRIPT", "")) + ["", ""])[:2]

CLIENT_NAME = "Tea & Biscuits in TypeScript"

# Ends a conversation that hangs; no test measures it.
DEADLINE_SECONDS = 180.0
# A line holds all answers of a run.
LONGEST_LINE = 16 * 1024 * 1024

needs_typescript = pytest.mark.skipif(
    not FOLDER, reason="TYPESCRIPT names no Node.js and no folder in which the TypeScript SDKs are installed"
)


def everything_command() -> list[str]:
    """How server-everything is started, as it came from npm."""
    server = Path(FOLDER).resolve() / "node_modules/@modelcontextprotocol/server-everything/dist/index.js"
    return [NODE, str(server), "stdio"]


def nothing(what: str) -> None:
    raise AssertionError(f"nobody said how to do this: {what}")


class TypescriptClient:
    """A host with one person's browser beside it; every run is a new process that remembers nothing."""

    def __init__(self, seen: SeenSecrets) -> None:
        self._seen = seen
        self._browser = Browser(seen)

    async def run(self, driver: str, do: Callable[[str], None] = nothing, **wanted: Any) -> Any:
        """What `driver` found when it did as it was told. It may have the test `do` something meanwhile."""
        arguments = [NODE, driver]
        async with asyncio.timeout(DEADLINE_SECONDS):
            process = await asyncio.create_subprocess_exec(
                *arguments, cwd=FOLDER, stdin=PIPE, stdout=PIPE, stderr=PIPE, limit=LONGEST_LINE
            )
            complaints = asyncio.create_task(process.stderr.read())
            try:
                answer(process, wanted)
                outcome = await self._attend(process, do)
                status = await process.wait()
                assert status == 0 and outcome is not None, (await complaints).decode(errors="replace")
                return outcome
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
                await complaints

    async def _attend(self, process: Process, do: Callable[[str], None]) -> Any:
        outcome = None
        async for line in process.stdout:
            told = json.loads(line)
            if "open" in told:
                answer(process, await self._browser.authorize(told["open"], CLIENT_NAME))
            if "have" in told:
                do(told["have"])
                answer(process, None)
            for kind, value in told.get("secrets", {}).items():
                self._seen.add(kind, value)
            outcome = told.get("outcome", outcome)
        return outcome


def answer(process: Process, document: Any) -> None:
    process.stdin.write(json.dumps(document).encode() + b"\n")
