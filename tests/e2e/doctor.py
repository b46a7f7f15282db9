"""The `doctor` command beside a server: what it is asked, and what it finds."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provider_server import Installation, configuration
from server import Server

MEMBERS = {"step", "provider", "outcome", "message", "why", "remedy"}
OUTCOMES = {"fine", "warning", "failure", "skipped"}


@dataclass
class Diagnosis:
    status: int
    findings: list[dict[str, Any]]

    def outcome(self, step: str) -> str:
        return self._only(step)["outcome"]

    def text(self, step: str) -> str:
        """All that is said of a step."""
        found = self._only(step)
        return " ".join(found[member] for member in ("message", "why", "remedy"))

    def failed(self) -> set[str]:
        return {it["step"] for it in self.findings if it["outcome"] == "failure"}

    def unwell(self) -> dict[str, str]:
        """What there is to look at, by step; empty where all is well."""
        return {it["step"]: it["outcome"] for it in self.findings if it["outcome"] in ("failure", "warning")}

    def _only(self, step: str) -> dict[str, Any]:
        found = [it for it in self.findings if it["step"] == step]
        assert len(found) == 1, f"{len(found)} findings of {step!r} in {self.findings}"
        return found[0]


def consult(installed: Installation, server: Server | None = None, token: str | None = None) -> Diagnosis:
    """Asks for JSON beside the server or, with `server`, beside another one; the token comes in a file."""
    arguments = []
    if token is not None:
        file = installed.server.log.parent / "token"
        file.write_text(f"{token}\n")
        arguments = ["--token-file", str(file)]
    done = (server or installed.server).run("doctor", "--json", *arguments)
    assert_keeps_secrets(done.stdout + done.stderr, installed, token)
    diagnosis = Diagnosis(done.returncode, json.loads(done.stdout))
    assert_explains(diagnosis)
    return diagnosis


def assert_explains(diagnosis: Diagnosis) -> None:
    """Whatever is wrong is said with its reason and its remedy, and decides about the exit status."""
    for finding in diagnosis.findings:
        assert finding.keys() == MEMBERS
        assert finding["outcome"] in OUTCOMES
        assert finding["message"]
        if finding["outcome"] == "failure":
            assert finding["why"] and finding["remedy"], finding
    assert diagnosis.status == (1 if diagnosis.failed() else 0), diagnosis.findings


def assert_keeps_secrets(printed: str, installed: Installation, token: str | None) -> None:
    for provider in installed.providers.values():
        assert provider.client_secret not in printed
        assert provider.secret_key not in printed
    # Neither as a whole nor the part without which it opens nothing.
    assert not token or token.rpartition(".")[2] not in printed


def who_is_let_in(mode: str) -> dict[str, Any]:
    """Where people log in at our server, the doctor warns of a provider without any list."""
    return {"allowed_domains": ["example.com"]} if mode == "local" else {}


def other_settings(
    installed: Installation, directory: Path, environment: dict[str, str] | None = None, **keys: Any
) -> Server:
    """Beside the same server, but told otherwise: `keys` go into each provider's table."""
    keys = who_is_let_in(installed.mode) | keys
    text = configuration(list(installed.providers), installed.providers, installed.mode, keys)
    told = {"store": f"sqlite:{installed.server.log.parent / 'store.sqlite'}", **(environment or {})}
    server = Server(directory, configuration=text, **told)
    server.port = installed.server.port
    return server
