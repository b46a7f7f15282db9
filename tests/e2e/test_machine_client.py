"""Programs without a person: the operator adds them by command, the SDK gets their tokens."""

import json
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from mcp.client.auth import OAuthClientProvider
from mcp.client.auth.extensions.client_credentials import (
    ClientCredentialsOAuthProvider,
    PrivateKeyJWTOAuthProvider,
    SignedJWTParameters,
)
from mcp.client.streamable_http import streamable_http_client

from application import KeptOnDisk, conversation
from builtin_tools import assert_tools_work
from http_client import observed_client
from seen_secrets import SeenSecrets
from server import Server

ADD = ("clients", "add", "--name", "Nightly report", "--grant", "client_credentials", "--scope", "mcp:tools")


async def test_ex_01_a_program_with_a_secret_calls_tools_until_its_client_is_deleted(
    restartable_server: Server, seen: SeenSecrets
) -> None:
    server = restartable_server
    added = operate(server, *ADD)
    seen.add("client_secret", added["client_secret"])
    credentials = {"client_id": added["client_id"], "client_secret": added["client_secret"]}
    provider = ClientCredentialsOAuthProvider(
        server.url("/mcp"), KeptOnDisk(), issuer=server.url(""), **credentials
    )
    await assert_works_as(provider, server, seen)

    token = provider.context.current_tokens
    assert token is not None and token.refresh_token is None
    assert operate(server, "clients", "delete", added["client_id"])["grants_ended"] == 1
    async with observed_client(seen) as http:
        answer = await http.post(server.url("/token"), data={"grant_type": "client_credentials", **credentials})
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_ex_02_a_program_that_signs_calls_tools_and_has_no_secret(
    restartable_server: Server, seen: SeenSecrets, tmp_path: Path
) -> None:
    server = restartable_server
    key = ec.generate_private_key(ec.SECP256R1())
    public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(key.public_key()))
    keys = tmp_path / "report.jwks"
    keys.write_text(json.dumps({"keys": [public | {"alg": "ES256", "use": "sig"}]}))
    added = operate(server, *ADD, "--auth-method", "private_key_jwt", "--jwks", str(keys))
    assert "client_secret" not in added

    client_id = added["client_id"]
    signing = SignedJWTParameters(
        issuer=client_id,
        subject=client_id,
        signing_algorithm="ES256",
        signing_key=key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
    )
    provider = PrivateKeyJWTOAuthProvider(
        server.url("/mcp"),
        KeptOnDisk(),
        client_id=client_id,
        assertion_provider=signing.create_assertion_provider(),
        issuer=server.url(""),
    )
    await assert_works_as(provider, server, seen)


def operate(server: Server, *command: str) -> Any:
    """What a command of the program answers, over the store of the running server."""
    return json.loads(server.command(*command, "--json"))


async def assert_works_as(provider: OAuthClientProvider, server: Server, seen: SeenSecrets) -> None:
    async with observed_client(seen, auth=provider) as http:
        async with conversation(streamable_http_client(server.url("/mcp"), http_client=http), "auto") as client:
            await assert_tools_work(client)
