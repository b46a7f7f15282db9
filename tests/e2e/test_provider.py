"""The provider of the other tests keeps the promises of its profiles: what they find is not its fault."""

from pathlib import Path
from typing import Any

import httpx2
import jwt
import pytest

from browser import ALICE, Browser, Person, back_at_client
from page import Page
from provider_process import PROFILES, Provider, needs_provider, stopping
from relying_party import RelyingParty
from seen_secrets import SeenSecrets

MCP_URL = "http://localhost:9/mcp"
CALLBACK = "http://localhost:9/callback/work"

pytestmark = needs_provider


@pytest.fixture(params=PROFILES)
def party(request: pytest.FixtureRequest, tmp_path: Path, seen: SeenSecrets) -> Any:
    with stopping(Provider(tmp_path, request.param), seen) as provider:
        provider.start(MCP_URL, CALLBACK)
        yield RelyingParty(provider, seen)


def only(*profiles: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("party", profiles, indirect=True)


def test_the_issuer_is_spelled_as_that_of_the_profile(party: RelyingParty) -> None:
    assert party.discovery["issuer"] == party.provider.issuer
    assert party.provider.issuer.endswith({"clerk": str(party.provider.port), "auth0": "/", "keycloak": "/realms/demo"}[
        party.provider.profile
    ])


async def test_alice_logs_in_and_everything_is_signed_with_the_same_keys(party: RelyingParty) -> None:
    tokens = await party.log_in(audience=MCP_URL)

    identity = party.verified(tokens["id_token"], audience=party.provider.client_id)
    access = party.verified(tokens["access_token"], audience=MCP_URL)
    assert identity["nonce"] == party.nonce
    assert identity["email"] == "alice@example.com" and identity["email_verified"] is True
    assert identity["groups"] == ["staff", "mcp-users"]
    assert (identity["org_id"], identity["tid"]) == ("org_example", "tenant-one")
    assert access["sub"] == identity["sub"] == party.provider.claims()["sub"]
    assert access["aud"] == party.provider.claims()["aud"]
    assert jwt.get_unverified_header(tokens["access_token"])["typ"] == (
        "at+jwt" if party.provider.profile == "clerk" else "JWT"
    )
    again = party.post("token_endpoint", {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]})
    assert party.verified(again["access_token"], audience=MCP_URL)["sub"] == access["sub"]


async def test_a_wrong_password_gets_nobody_in(party: RelyingParty) -> None:
    refused = await party.browser.log_in(await party.login_page(), Person("alice", "wrong-password"))

    assert isinstance(refused, Page)
    assert refused.status == 403 and refused.alert
    answer = back_at_client(await party.browser.press(refused, "cancel", "yes"))
    assert answer["error"] == "access_denied"


async def test_bob_has_an_address_that_nobody_verified(party: RelyingParty) -> None:
    tokens = await party.log_in(Person("bob", "password"))

    claims = party.verified(tokens["id_token"], audience=party.provider.client_id)
    assert claims["email"] == "bob@example.com" and claims["email_verified"] is False


@only("clerk", "keycloak")
async def test_tokens_are_for_nobody_when_audiences_are_switched_off(party: RelyingParty) -> None:
    party.provider.change(audience=False)

    assert "aud" not in party.verified((await party.log_in())["access_token"])


@only("clerk", "keycloak")
async def test_an_opaque_token_is_told_by_introspection(party: RelyingParty) -> None:
    party.provider.change(opaque=True)
    token = (await party.log_in(scope="openid mcp:tools"))["access_token"]

    assert "." not in token
    told = party.post("introspection_endpoint", {"token": token})
    assert told["active"] is True and told["aud"] == MCP_URL
    assert told["scope"].split() == ["openid", "mcp:tools"]
    party.provider.change(audience=False)
    assert "aud" not in party.post("introspection_endpoint", {"token": token})
    assert party.post("introspection_endpoint", {"token": "unknown"}) == {"active": False}
    assert party.provider.asked("introspection") == 3


@only("clerk")
async def test_clerks_own_endpoint_tells_of_an_opaque_token_to_its_owner(party: RelyingParty) -> None:
    party.provider.change(opaque=True)
    token = (await party.log_in())["access_token"]
    assert token.startswith("oat_")
    url = f"{party.provider.origin}/oauth_applications/access_tokens/verify"

    def verify(secret_key: str, about: str = token) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {secret_key}"}
        return party.http.post(url, json={"access_token": about}, headers=headers)

    told = verify(party.provider.secret_key).json()
    assert told["object"] == "clerk_idp_oauth_access_token"
    assert told["subject"] == party.provider.claims()["sub"]
    assert told["client_id"] == party.provider.client_id
    assert (told["revoked"], told["expired"]) == (False, False)
    party.provider.revoke(token)
    assert verify(party.provider.secret_key).json()["revoked"] is True
    assert verify("sk_test_of_somebody_else").status_code == 401
    assert verify(party.provider.secret_key, "oat_unknown").status_code == 404


@only("auth0")
async def test_auth0_gives_a_token_for_an_api_to_who_names_one_and_an_opaque_one_to_others(
    party: RelyingParty,
) -> None:
    assert "." not in (await party.log_in())["access_token"]

    # A person who is logged in already is not asked again; another browser is.
    party.browser = Browser(SeenSecrets())
    claims = party.verified((await party.log_in(audience=MCP_URL))["access_token"], audience=MCP_URL)
    assert claims["aud"] == [MCP_URL, f"{party.provider.issuer}userinfo"]
    assert claims["azp"] == party.provider.client_id and "client_id" not in claims
    assert claims["permissions"] == ["mcp:tools"]


@only("clerk")
async def test_keys_rotate_with_and_without_the_old_ones(party: RelyingParty) -> None:
    first = party.provider.good_token()
    assert party.provider.rotate_keys(keep=True) == "key-2"
    second = party.provider.good_token()
    assert party.verified(first) and party.verified(second)

    party.provider.rotate_keys(keep=False)

    with pytest.raises(StopIteration):
        party.verified(second)
    assert party.verified((await party.log_in())["id_token"])
    with pytest.raises(jwt.InvalidSignatureError):
        party.verified(party.provider.mint(party.provider.claims(), key="stranger"))


@only("keycloak")
async def test_endpoints_fail_as_told_and_are_counted(party: RelyingParty) -> None:
    keys = party.discovery["jwks_uri"]
    before = party.provider.asked("jwks")

    party.provider.fail(jwks="error")
    assert party.http.get(keys).status_code == 500
    party.provider.fail(jwks="garbage")
    with pytest.raises(ValueError):
        party.http.get(keys).json()
    party.provider.fail(jwks="huge")
    assert len(party.http.get(keys).content) > 2 * 1024 * 1024
    party.provider.fail(jwks="redirect")
    elsewhere = party.http.get(keys).headers["location"]
    assert not elsewhere.startswith(party.provider.origin)
    party.provider.fail(jwks="stalled")
    with pytest.raises(httpx2.ReadTimeout):
        party.http.get(keys, timeout=0.1)
    party.provider.fail()
    assert party.http.get(keys).json()["keys"]
    assert party.provider.asked("jwks") == before + 6
    party.provider.pause()
    with pytest.raises(httpx2.ConnectError):
        party.http.get(keys)
    party.provider.resume()
    assert party.http.get(keys).status_code == 200


@only("auth0")
async def test_the_provider_lies_as_told(party: RelyingParty) -> None:
    party.provider.fail(authorization="wrong_issuer", token="wrong_nonce", discovery="other_slash")

    answer = back_at_client(await party.browser.log_in(await party.login_page(), ALICE))
    tokens = party.redeem(answer["code"])

    assert answer["iss"] != party.provider.issuer
    assert party.verified(tokens["id_token"])["nonce"] != party.nonce
    told = party.http.get(f"{party.provider.issuer}.well-known/openid-configuration").json()
    assert f"{told['issuer']}/" == party.provider.issuer


async def test_anybody_may_register_a_public_client(party: RelyingParty) -> None:
    asked = {"redirect_uris": ["http://localhost:33418/callback"], "token_endpoint_auth_method": "none"}
    answer = party.http.post(party.discovery["registration_endpoint"], json=asked)

    assert answer.status_code == 201, answer.text
    assert "client_secret" not in answer.json()
