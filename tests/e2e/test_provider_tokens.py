"""Which of a provider's tokens are accepted, and which are not: checklist section 2, from the outside."""

import secrets
import time
from pathlib import Path
from typing import Any

import pytest
from mcp.client.auth.utils import extract_field_from_www_auth

from provider_process import PROFILES, TOKEN_TYPES, needs_provider
from provider_server import Installation, installation
from seen_secrets import SeenSecrets

FOREIGN = "https://elsewhere.example/mcp"
LONG = 3_600

pytestmark = needs_provider


@pytest.fixture(scope="module", params=PROFILES)
def verifier(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, logs: list[Path], seen: SeenSecrets
) -> Any:
    directory = tmp_path_factory.mktemp(request.param)
    with installation(directory, logs, seen, request.param, mode="provider") as installed:
        yield installed


async def assert_refused(verifier: Installation, token: str) -> None:
    refusal = await verifier.call(token)
    assert refusal.status_code == 401, refusal.text
    assert extract_field_from_www_auth(refusal, "error") == "invalid_token"
    # What was refused was refused for the reason under test.
    assert (await verifier.call(verifier.provider.good_token())).status_code == 200


async def test_jv_01_an_unsigned_token_is_refused(verifier: Installation) -> None:
    provider = verifier.provider
    await assert_refused(verifier, provider.mint(provider.claims(), {"alg": "none"}))
    await assert_refused(verifier, provider.mint(provider.claims(), {"alg": "none", "kid": None}))


async def test_jv_01_the_public_key_is_no_shared_secret(verifier: Installation) -> None:
    provider = verifier.provider
    await assert_refused(verifier, provider.mint(provider.claims(), {"alg": "HS256"}))


async def test_jv_02_the_algorithm_is_that_of_the_key(verifier: Installation) -> None:
    provider = verifier.provider
    for algorithm in ("PS256", "RS512"):
        await assert_refused(verifier, provider.mint(provider.claims(), {"alg": algorithm}))


async def test_jv_01_a_strangers_signature_is_refused(verifier: Installation) -> None:
    provider = verifier.provider
    await assert_refused(verifier, provider.mint(provider.claims(), key="stranger"))


async def test_jv_04_an_issuer_is_spelled_byte_for_byte(verifier: Installation) -> None:
    provider = verifier.provider
    other_slash = provider.issuer.removesuffix("/") if provider.issuer.endswith("/") else f"{provider.issuer}/"
    for issuer in (other_slash, provider.issuer.upper(), "https://another-issuer.example", "", None):
        await assert_refused(verifier, provider.good_token(iss=issuer))
    assert "https://another-issuer.example" in verifier.logged()


async def test_jv_05_the_audience_is_a_text_or_a_list(verifier: Installation) -> None:
    provider = verifier.provider
    for audience in (provider.resource, [provider.resource]):
        assert (await verifier.call(provider.good_token(aud=audience))).status_code == 200


async def test_rs_18_a_token_for_somebody_else_is_refused(verifier: Installation) -> None:
    for audience in (FOREIGN, [FOREIGN], [], "", None, f"{verifier.provider.resource}x"):
        await assert_refused(verifier, verifier.provider.good_token(aud=audience))
    assert FOREIGN in verifier.logged()


async def test_jv_07_a_token_expires(verifier: Installation) -> None:
    now = int(time.time())
    for expires in (None, now - LONG, "tomorrow"):
        await assert_refused(verifier, verifier.provider.good_token(iat=now - 2 * LONG, exp=expires))


async def test_jv_08_a_token_of_the_future_is_refused(verifier: Installation) -> None:
    now = int(time.time())
    await assert_refused(verifier, verifier.provider.good_token(nbf=now + LONG))
    await assert_refused(verifier, verifier.provider.good_token(iat=now + LONG, exp=now + 2 * LONG))


async def test_jv_10_a_token_of_another_type_is_refused(verifier: Installation) -> None:
    provider = verifier.provider
    for kind in ("logout+jwt", "dpop+jwt", *(["JWT", None] if provider.profile == "clerk" else [])):
        await assert_refused(verifier, provider.mint(provider.claims(), {"typ": kind}))


async def test_jv_10_an_id_token_is_no_access_token(verifier: Installation) -> None:
    provider = verifier.provider
    tokens = await verifier.relying_party().log_in(audience=provider.resource)
    await assert_refused(verifier, tokens["id_token"])
    # Not even one that names us.
    if provider.profile == "clerk":
        await assert_refused(verifier, provider.mint(provider.claims(), {"typ": "JWT"}))
    if provider.profile == "keycloak":
        await assert_refused(verifier, provider.good_token(typ="ID"))


async def test_jv_11_an_extension_that_is_critical_is_not_overlooked(verifier: Installation) -> None:
    provider = verifier.provider
    for header in ({"crit": ["x"], "x": True}, {"crit": ["b64"], "b64": False}, {"crit": []}):
        await assert_refused(verifier, provider.mint(provider.claims(), header))


async def test_jv_12_a_key_that_the_token_brings_along_is_not_used(verifier: Installation) -> None:
    provider = verifier.provider
    before = provider.asked("keys_elsewhere")
    header = {"kid": "mine", "jku": f"{provider.control}/keys", "x5u": f"{provider.control}/keys"}
    await assert_refused(verifier, provider.mint(provider.claims(), header, key="stranger"))
    assert provider.asked("keys_elsewhere") == before


async def test_jv_14_a_hundred_unknown_keys_cost_one_fetch(verifier: Installation) -> None:
    provider = verifier.provider
    assert (await verifier.call(provider.good_token())).status_code == 200
    before = provider.asked("jwks")

    for _ in range(100):
        token = provider.mint(provider.claims(), {"kid": secrets.token_urlsafe()}, key="stranger")
        assert (await verifier.call(token)).status_code == 401

    assert provider.asked("jwks") <= before + 1
    assert (await verifier.call(provider.good_token())).status_code == 200


async def test_a_verified_call_asks_the_provider_nothing(verifier: Installation) -> None:
    provider = verifier.provider
    token = provider.good_token()
    assert (await verifier.call(token)).status_code == 200
    before = [provider.asked(endpoint) for endpoint in ("discovery", "jwks", "introspection", "userinfo")]

    for again in [token] * 5 + [provider.good_token() for _ in range(5)]:
        assert (await verifier.call(again)).status_code == 200

    assert before == [provider.asked(endpoint) for endpoint in ("discovery", "jwks", "introspection", "userinfo")]


async def test_jv_16_an_oversize_token_is_refused_early(verifier: Installation) -> None:
    provider = verifier.provider
    await assert_refused(verifier, f"{provider.good_token()}.more.parts")
    # As much as fits into a request head that is read at all.
    refusal = await verifier.call(provider.good_token(padding="x" * 12_000))
    assert refusal.status_code in (400, 401, 431)


async def test_jv_19_a_token_of_nobody_is_refused(verifier: Installation) -> None:
    for subject in (None, "", 42):
        await assert_refused(verifier, verifier.provider.good_token(sub=subject))


async def test_rs_10_a_token_without_the_scope_is_told_which_is_missing(verifier: Installation) -> None:
    token = verifier.provider.good_token(scope="openid", permissions=None)
    refusal = await verifier.call_tool(token)

    assert refusal.status_code == 403
    assert extract_field_from_www_auth(refusal, "error") == "insufficient_scope"
    assert "mcp:tools" in str(extract_field_from_www_auth(refusal, "scope")).split()


async def test_jv_03_a_key_id_of_one_provider_is_none_of_another(
    tmp_path: Path, logs: list[Path], seen: SeenSecrets
) -> None:
    with installation(tmp_path, logs, seen, "clerk", "keycloak", mode="provider") as verifier:
        clerk, keycloak = verifier.providers.values()
        for own, other in ((clerk, keycloak), (keycloak, clerk)):
            header = {"typ": TOKEN_TYPES[own.profile]}
            assert (await verifier.call(own.mint(own.claims(), header))).status_code == 200
            # Both call their keys the same; who signs as somebody else is refused.
            assert (await verifier.call(other.mint(own.claims(), header))).status_code == 401
