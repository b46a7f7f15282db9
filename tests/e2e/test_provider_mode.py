"""Clients get their tokens from the provider, the server only verifies: `authorization_server = "provider"`."""

from pathlib import Path
from typing import Any

import pytest
from mcp.client.auth.utils import extract_field_from_www_auth

from builtin_tools import assert_tools_work
from provider_process import PROFILES, needs_provider
from provider_server import Installation, installation
from seen_secrets import SeenSecrets
from ways import ONE_OF_EACH_PROTOCOL, Way

pytestmark = needs_provider


@pytest.fixture(scope="module", params=PROFILES)
def verifier(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, logs: list[Path], seen: SeenSecrets
) -> Any:
    """A server that tests share which leave its provider as they found it."""
    directory = tmp_path_factory.mktemp(request.param)
    with installation(directory, logs, seen, request.param, mode="provider") as installed:
        yield installed


@pytest.mark.parametrize("way", ONE_OF_EACH_PROTOCOL.values(), ids=ONE_OF_EACH_PROTOCOL.keys())
async def test_a_new_client_registers_and_signs_in_at_the_provider_and_uses_the_tools(
    way: Way, verifier: Installation
) -> None:
    before = verifier.provider.asked("registration")
    application = verifier.application()
    async with way.connect(application, verifier.server) as client:
        await assert_tools_work(client)
        application.access_token_expires()
        await assert_tools_work(client)

    assert application.sign_ins == 1
    assert verifier.provider.asked("registration") == before + 1


async def test_rs_02_the_resource_metadata_names_the_provider_byte_for_byte(verifier: Installation) -> None:
    for path in ("oauth-protected-resource", "oauth-protected-resource/mcp", "oauth-protected-resource/mcp/sse"):
        metadata = await verifier.metadata(path)
        assert metadata["authorization_servers"] == [verifier.provider.issuer]


async def test_older_clients_find_the_providers_metadata_at_our_origin(verifier: Installation) -> None:
    metadata = await verifier.metadata("oauth-authorization-server")

    theirs = verifier.relying_party().discovery
    assert metadata["issuer"] == verifier.provider.issuer
    for endpoint in ("authorization_endpoint", "token_endpoint", "registration_endpoint", "jwks_uri"):
        assert metadata[endpoint] == theirs[endpoint]


async def test_rs_06_a_token_that_is_none_is_challenged(verifier: Installation) -> None:
    refusal = await verifier.call("not-a-token")

    assert refusal.status_code == 401
    assert extract_field_from_www_auth(refusal, "resource_metadata")


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/authorize"), ("POST", "/token"), ("POST", "/register"), ("GET", "/callback/clerk")]
)
async def test_md_13_nothing_of_an_authorization_server_of_our_own_is_there(
    method: str, path: str, verifier: Installation
) -> None:
    assert await verifier.status_of(method, path) == 404


AUDIENCE_MODES = {
    "require": {"ours": 200, "nobody": 401, "foreign": 401},
    "foreign": {"ours": 200, "nobody": 200, "foreign": 401},
    "observe": {"ours": 200, "nobody": 200, "foreign": 200},
}


@pytest.mark.parametrize("audience_mode", AUDIENCE_MODES)
async def test_rs_19_the_audience_mode_decides_about_tokens_that_do_not_name_us(
    audience_mode: str, tmp_path: Path, logs: list[Path], seen: SeenSecrets
) -> None:
    keys = {"audience_mode": audience_mode}
    with installation(tmp_path, logs, seen, "clerk", mode="provider", keys=keys) as verifier:
        provider = verifier.provider
        tokens = {
            "ours": provider.good_token(),
            "nobody": provider.good_token(aud=None),
            "foreign": provider.good_token(aud="https://elsewhere.example/mcp"),
        }
        answers = {whose: (await verifier.call(token)).status_code for whose, token in tokens.items()}

        assert answers == AUDIENCE_MODES[audience_mode]
        warned = [line for line in verifier.logged().splitlines() if "WARN" in line and "audience_mode" in line]
        assert bool(warned) == (audience_mode != "require")


async def test_an_audience_that_is_switched_on_later_counts_for_the_next_login(
    tmp_path: Path, logs: list[Path], seen: SeenSecrets
) -> None:
    with installation(tmp_path, logs, seen, "clerk", mode="provider") as verifier:
        verifier.provider.change(audience=False)
        token = (await verifier.relying_party().log_in(scope="openid mcp:tools"))["access_token"]
        refusal = await verifier.call(token)
        assert refusal.status_code == 401
        assert extract_field_from_www_auth(refusal, "error") == "invalid_token"

        verifier.provider.change(audience=True)
        async with verifier.application().over_streamable_http(verifier.server.url("/mcp")) as client:
            await assert_tools_work(client)


@pytest.mark.parametrize("chosen", PROFILES)
async def test_switching_providers_is_one_setting(
    chosen: str, tmp_path: Path, logs: list[Path], seen: SeenSecrets
) -> None:
    with installation(tmp_path, logs, seen, *PROFILES, mode="provider", choose=chosen) as verifier:
        assert (await verifier.call(verifier.provider.good_token())).status_code == 200


@pytest.mark.parametrize("typ", ["JWT", "at+jwt"])
async def test_both_dialects_of_auth0_are_understood(
    typ: str, tmp_path: Path, logs: list[Path], seen: SeenSecrets
) -> None:
    with installation(tmp_path, logs, seen, "auth0", mode="provider") as verifier:
        verifier.provider.change(token_type=typ)
        party = verifier.relying_party()
        tokens = await party.log_in(audience=verifier.provider.resource, scope="openid mcp:tools")

        assert (await verifier.call(tokens["access_token"])).status_code == 200


# How each kind of provider is asked about a token that says nothing by itself, and the endpoint for it.
# Clerk's answer has no audience, so that whoever asks cannot require one.
OPAQUE = {
    "clerk": ("verify", {"token_format": "opaque", "audience_mode": "foreign"}),
    "keycloak": ("introspection", {"kind": "oidc", "token_format": "opaque"}),
}


@pytest.fixture(params=OPAQUE)
def opaque(request: pytest.FixtureRequest, tmp_path: Path, logs: list[Path], seen: SeenSecrets) -> Any:
    endpoint, keys = OPAQUE[request.param]
    with installation(tmp_path, logs, seen, request.param, mode="provider", keys=keys) as verifier:
        verifier.provider.change(opaque=True)
        yield verifier, endpoint


async def opaque_token(verifier: Installation) -> str:
    token = (await verifier.relying_party().log_in(scope="openid mcp:tools"))["access_token"]
    assert "." not in token
    return token


async def test_jv_17_an_opaque_token_is_asked_about_once(opaque: tuple[Installation, str]) -> None:
    verifier, endpoint = opaque
    token = await opaque_token(verifier)

    answers = [(await verifier.call(token)).status_code for _ in range(5)]

    assert answers == [200] * 5
    assert verifier.provider.asked(endpoint) == 1


async def test_jv_17_an_unknown_opaque_token_is_asked_about_once(opaque: tuple[Installation, str]) -> None:
    verifier, endpoint = opaque

    answers = [(await verifier.call("oat_that-nobody-ever-issued")).status_code for _ in range(5)]

    assert answers == [401] * 5
    assert verifier.provider.asked(endpoint) == 1


async def test_jv_17_a_revoked_opaque_token_is_refused(opaque: tuple[Installation, str]) -> None:
    verifier, endpoint = opaque
    token = await opaque_token(verifier)
    if endpoint == "verify":
        verifier.provider.revoke(token)
    else:
        verifier.relying_party().revoke(token)

    assert (await verifier.call(token)).status_code == 401


@pytest.mark.parametrize("fault", ["error", "garbage"])
async def test_jv_17_an_answer_that_is_none_is_503_and_not_401(fault: str, opaque: tuple[Installation, str]) -> None:
    verifier, endpoint = opaque
    token = await opaque_token(verifier)
    verifier.provider.fail(**{endpoint: fault})

    refusal = await verifier.call(token)

    assert refusal.status_code == 503
    assert int(refusal.headers["retry-after"]) > 0
